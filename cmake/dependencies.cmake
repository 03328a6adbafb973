# Everything comes from the distribution's packages; script/setup lists them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(PkgConfig REQUIRED)

# Boost.JSON is used header-only (one translation unit carries its source).
find_path(GW_BOOST_INCLUDE boost/json.hpp REQUIRED)
add_library(gw_boost INTERFACE)
target_include_directories(gw_boost SYSTEM INTERFACE ${GW_BOOST_INCLUDE})

# The allocator: docs/decisions/0007-allocator.md. Sanitizers bring their own.
option(GW_JEMALLOC "link jemalloc" ON)
if(GW_JEMALLOC AND NOT GW_SANITIZE)
  find_library(GW_JEMALLOC_LIB jemalloc REQUIRED)
endif()
link_libraries(Threads::Threads)

find_path(GW_YAML_INCLUDE yaml.h REQUIRED)
find_library(GW_YAML_LIB yaml REQUIRED)
add_library(yaml INTERFACE)
target_include_directories(yaml SYSTEM INTERFACE ${GW_YAML_INCLUDE})
target_link_libraries(yaml INTERFACE ${GW_YAML_LIB})

# Regular expressions of operators (tag_regex), with bounds on what a match may cost.
find_path(GW_PCRE2_INCLUDE pcre2.h REQUIRED)
find_library(GW_PCRE2_LIB pcre2-8 REQUIRED)
add_library(pcre2 INTERFACE)
target_include_directories(pcre2 SYSTEM INTERFACE ${GW_PCRE2_INCLUDE})
target_link_libraries(pcre2 INTERFACE ${GW_PCRE2_LIB})

find_path(GW_CARES_INCLUDE ares.h REQUIRED)
find_library(GW_CARES_LIB cares REQUIRED)
add_library(cares INTERFACE)
target_include_directories(cares SYSTEM INTERFACE ${GW_CARES_INCLUDE})
target_link_libraries(cares INTERFACE ${GW_CARES_LIB})

# gzip of scrapes: docs/decisions/0014-scrapes-in-pieces.md.
find_path(GW_ISAL_INCLUDE isa-l/igzip_lib.h REQUIRED)
find_library(GW_ISAL_LIB isal REQUIRED)
add_library(isal INTERFACE)
target_include_directories(isal SYSTEM INTERFACE ${GW_ISAL_INCLUDE})
target_link_libraries(isal INTERFACE ${GW_ISAL_LIB})

# spdlog with the system's fmt; only base/log.cc sees it.
find_package(spdlog REQUIRED)
add_library(spdlog_objects INTERFACE)
target_link_libraries(spdlog_objects INTERFACE spdlog::spdlog)

# llhttp: the C files of the package are compiled here, or an installed library is used.
set(LLHTTP_DIR /usr/share CACHE PATH "prefix with llhttp/*.c and include/llhttp/llhttp.h")
find_library(GW_LLHTTP_LIB llhttp)
if(EXISTS ${LLHTTP_DIR}/llhttp/llhttp.c)
  add_library(llhttp STATIC ${LLHTTP_DIR}/llhttp/llhttp.c ${LLHTTP_DIR}/llhttp/api.c
    ${LLHTTP_DIR}/llhttp/http.c)
  target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_DIR}/include/llhttp)
  target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_DIR}/include)
  if(GW_SANITIZE MATCHES "fuzzer")  # a fuzzer learns nothing from code that it cannot see
    target_compile_options(llhttp PRIVATE -fsanitize=fuzzer-no-link,address)
  endif()
elseif(GW_LLHTTP_LIB)
  find_path(GW_LLHTTP_INCLUDE llhttp.h REQUIRED)
  add_library(llhttp INTERFACE)
  target_include_directories(llhttp SYSTEM INTERFACE ${GW_LLHTTP_INCLUDE})
  target_link_libraries(llhttp INTERFACE ${GW_LLHTTP_LIB})
else()
  message(FATAL_ERROR "llhttp not found: install node-llhttp or libllhttp-dev")
endif()

if(GW_TESTS)
  find_package(GTest REQUIRED)
  enable_testing()
  include(GoogleTest)
endif()
