#include "config/access_log_settings.h"

#include "config/load_context.h"
#include "config/value_reader.h"

namespace gw::config {

AccessLogSettings ReadAccessLogSettings(LoadContext& context, const yaml::Node& root) {
  AccessLogSettings out;
  yaml::Node value = yaml::MakeString(context.env.FirstOf("ACCESS_LOG").value_or("false"));
  const yaml::Node& general = SectionOf(root, "general_settings");
  if (const yaml::Node* node = general.Find("access_log"); node != nullptr && !node->IsNull()) value = *node;
  if (const auto flag = AsBool(value)) {
    out.on = *flag;
  } else if (value.IsString() && !value.text.empty()) {
    out.on = true;
    if (value.text != "stdout") out.file = value.text;
  }
  return out;
}

}  // namespace gw::config
