# Warnings are errors; sanitizers and link-time optimisation are chosen by the preset.
function(gw_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
    -fno-omit-frame-pointer)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC gw_boost)
  target_compile_definitions(${target} PRIVATE GW_VERSION="${PROJECT_VERSION}")
  if(GW_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${GW_SANITIZE} -fno-sanitize-recover=undefined)
    target_link_options(${target} PUBLIC -fsanitize=${GW_SANITIZE})
  endif()
endfunction()
