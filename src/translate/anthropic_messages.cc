#include "translate/anthropic_messages.h"

#include "base/json.h"
#include "translate/error_map.h"
#include "translate/message_parts.h"

namespace gw::translate {

namespace {

constexpr size_t kToolNameBytesMax = 128;

// Appends blocks, opening a new message whenever the role changes.
class BlockWriter {
 public:
  void Begin(std::string_view role) {
    if (role == role_) {
      out_ += ',';
      return;
    }
    if (!role_.empty()) out_ += "]},";
    role_ = role;
    out_ += "{\"role\":\"";
    out_ += role;
    out_ += "\",\"content\":[";
  }
  [[nodiscard]] std::string& out() { return out_; }
  [[nodiscard]] std::string Take() {
    if (!role_.empty()) out_ += "]}";
    return std::move(out_);
  }

 private:
  std::string out_;
  std::string_view role_;
};

void AppendCacheControl(std::string_view cache_control, std::string& out) {
  if (cache_control.empty() || json::KindOf(cache_control) != json::Kind::kObject) return;
  out += ",\"cache_control\":";
  out += cache_control;
}

void AppendTextBlock(std::string_view escaped, std::string_view cache_control, std::string& out) {
  out += "{\"type\":\"text\",\"text\":\"";
  out += escaped;
  out += '"';
  AppendCacheControl(cache_control, out);
  out += '}';
}

// {"type":"base64","media_type":M,"data":D} of a data URL, {"type":"url","url":U} of a link.
void AppendSource(std::string_view url, std::string& out) {
  const std::string_view text = EscapedContent(url);
  const size_t comma = text.find(',');
  if (!text.starts_with("data:") || comma == std::string_view::npos) {
    out += "{\"type\":\"url\",\"url\":\"";
    out += text;
    out += "\"}";
    return;
  }
  const std::string_view head = text.substr(5, comma - 5);
  out += "{\"type\":\"base64\",\"media_type\":\"";
  // Some writers escape the slash of "image\/png": decode the short head.
  AppendEscaped(out, json::Unquote("\"" + std::string(head.substr(0, head.find(';'))) + "\""));
  out += "\",\"data\":\"";
  out += text.substr(comma + 1);
  out += "\"}";
}

class Converter {
 public:
  explicit Converter(const config::Deployment& deployment) : deployment_(deployment) {}

  Result<void> Convert(std::string_view messages) {
    size_t left = 0;
    for (json::ElementCursor c(messages); c.Next();) ++left;
    for (json::ElementCursor c(messages); c.Next();) {
      const Message message = ReadMessage(c.value());
      is_last_ = --left == 0;
      switch (message.role) {
        case Role::kSystem: AddSystem(message); break;
        case Role::kUser: AddParts(message, "user"); break;
        case Role::kTool: AddToolResult(message); break;
        case Role::kAssistant:
          if (auto done = AddAssistant(message); !done) return done;
          break;
      }
    }
    return {};
  }

  AnthropicMessages Take() {
    result_.messages = writer_.Take();
    return std::move(result_);
  }

 private:
  void AddSystem(const Message& message) {
    const auto add = [this](std::string_view escaped, std::string_view cache_control) {
      if (escaped.empty()) return;
      if (!result_.system.empty()) result_.system += ',';
      AppendTextBlock(escaped, cache_control, result_.system);
    };
    if (json::KindOf(message.content) == json::Kind::kString) {
      add(EscapedContent(message.content), message.cache_control);
      return;
    }
    if (json::KindOf(message.content) != json::Kind::kArray) return;
    for (json::ElementCursor c(message.content); c.Next();) {
      if (json::KindOf(c.value()) != json::Kind::kObject) continue;
      add(EscapedContent(MemberOf(c.value(), "text")), MemberOf(c.value(), "cache_control"));
    }
  }

  void AddText(std::string_view escaped, std::string_view cache_control, std::string_view role) {
    std::string trimmed;
    if (is_last_ && role == "assistant") {
      // Anthropic refuses a prefill that ends with white space.
      std::string text = json::Unquote("\"" + std::string(escaped) + "\"");
      const size_t end = text.find_last_not_of(" \t\r\n");
      text.resize(end == std::string::npos ? 0 : end + 1);
      AppendEscaped(trimmed, text);
      escaped = trimmed;
    }
    if (escaped.empty()) return;
    writer_.Begin(role);
    AppendTextBlock(escaped, cache_control, writer_.out());
  }

  void AddParts(const Message& message, std::string_view role) {
    if (json::KindOf(message.content) == json::Kind::kString) {
      AddText(EscapedContent(message.content), message.cache_control, role);
      return;
    }
    if (json::KindOf(message.content) != json::Kind::kArray) return;
    for (json::ElementCursor c(message.content); c.Next();) {
      const std::string_view part = c.value();
      if (json::KindOf(part) == json::Kind::kString) AddText(EscapedContent(part), {}, role);
      if (json::KindOf(part) == json::Kind::kObject) AddPart(part, role);
    }
  }

  void AddPart(std::string_view part, std::string_view role) {
    const std::string type = json::Unquote(MemberOf(part, "type"));
    if (type == "text" || type == "input_text" || type.empty()) {
      AddText(EscapedContent(MemberOf(part, "text")), MemberOf(part, "cache_control"), role);
    } else if (type == "image_url") {
      const std::string_view url = ImageUrlOf(part);
      if (url.empty()) return;
      writer_.Begin(role);
      AppendImage(url, MemberOf(part, "cache_control"), writer_.out());
    } else if (type == "file") {
      AddFile(part, role);
    } else if (type == "image" || type == "document" || type == "thinking" ||
               type == "redacted_thinking" || type == "tool_result" || type == "tool_use" ||
               type == "search_result") {
      writer_.Begin(role);
      writer_.out() += part;  // already Anthropic's own form
    }
  }

  static void AppendImage(std::string_view url, std::string_view cache_control, std::string& out) {
    // A PDF sent as an image is a document to Anthropic.
    const bool is_pdf = url.starts_with("\"data:application/pdf");
    out += is_pdf ? "{\"type\":\"document\",\"source\":" : "{\"type\":\"image\",\"source\":";
    AppendSource(url, out);
    AppendCacheControl(cache_control, out);
    out += '}';
  }

  void AddFile(std::string_view part, std::string_view role) {
    const std::string_view file = MemberOf(part, "file");
    if (json::KindOf(file) != json::Kind::kObject) return;
    const std::string_view data = MemberOf(file, "file_data");
    const std::string_view id = MemberOf(file, "file_id");
    if (json::KindOf(data) == json::Kind::kString) {
      writer_.Begin(role);
      std::string& out = writer_.out();
      out += "{\"type\":\"document\",\"source\":";
      AppendSource(data, out);
      AppendCacheControl(MemberOf(part, "cache_control"), out);
      out += '}';
    } else if (json::KindOf(id) == json::Kind::kString) {
      writer_.Begin(role);
      result_.has_file_id = true;
      writer_.out() += "{\"type\":\"document\",\"source\":{\"type\":\"file\",\"file_id\":";
      writer_.out() += id;
      writer_.out() += "}}";
    }
  }

  Result<void> AddAssistant(const Message& message) {
    if (json::KindOf(message.thinking_blocks) == json::Kind::kArray) {
      for (json::ElementCursor c(message.thinking_blocks); c.Next();) {
        writer_.Begin("assistant");
        writer_.out() += c.value();
      }
    }
    const bool was_last = is_last_;
    if (message.HasToolCalls()) is_last_ = false;
    AddParts(message, "assistant");
    is_last_ = was_last;
    if (message.HasToolCalls()) {
      for (json::ElementCursor c(message.tool_calls); c.Next();) {
        if (auto done = AddToolUse(ReadToolCall(c.value())); !done) return done;
      }
    } else if (json::KindOf(message.function_call) == json::Kind::kObject) {
      ToolCallParts call;
      call.name = MemberOf(message.function_call, "name");
      call.arguments = MemberOf(message.function_call, "arguments");
      call.id = call.name;  // what its result will be found by
      return AddToolUse(call);
    }
    return {};
  }

  Result<void> AddToolUse(const ToolCallParts& call) {
    const std::string input = call.ArgumentsObject();
    if (input.empty()) {
      return MapUnsupported(deployment_,
                            "the arguments of a tool call in 'messages' are not a JSON object");
    }
    writer_.Begin("assistant");
    std::string& out = writer_.out();
    out += "{\"type\":\"tool_use\",\"id\":";
    json::AppendQuoted(out, CleanToolName(json::Unquote(call.id)));
    out += ",\"name\":";
    json::AppendQuoted(out, CleanToolName(json::Unquote(call.name)));
    out += ",\"input\":";
    out += input;
    out += '}';
    return {};
  }

  void AddToolResult(const Message& message) {
    writer_.Begin("user");
    std::string& out = writer_.out();
    out += "{\"type\":\"tool_result\",\"tool_use_id\":";
    json::AppendQuoted(out, CleanToolName(json::Unquote(message.tool_call_id)));
    out += ",\"content\":";
    if (json::KindOf(message.content) == json::Kind::kArray) {
      AppendResultParts(message.content, out);
    } else if (json::KindOf(message.content) == json::Kind::kString) {
      out += message.content;
    } else {
      out += "\"\"";
    }
    AppendCacheControl(message.cache_control, out);
    out += '}';
  }

  static void AppendResultParts(std::string_view parts, std::string& out) {
    out += '[';
    bool first = true;
    for (json::ElementCursor c(parts); c.Next();) {
      if (json::KindOf(c.value()) != json::Kind::kObject) continue;
      const std::string_view text = EscapedContent(MemberOf(c.value(), "text"));
      const std::string_view url = ImageUrlOf(c.value());
      if (text.empty() && url.empty()) continue;
      if (!first) out += ',';
      first = false;
      if (url.empty()) AppendTextBlock(text, {}, out);
      else AppendImage(url, {}, out);
    }
    out += ']';
  }

  const config::Deployment& deployment_;
  AnthropicMessages result_;
  BlockWriter writer_;
  bool is_last_ = false;
};

}  // namespace

std::string CleanToolName(std::string_view name) {
  std::string out(name.substr(0, kToolNameBytesMax));
  for (char& c : out) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed) c = '_';
  }
  if (out.empty()) out = "_";
  return out;
}

Result<AnthropicMessages> ToAnthropicMessages(std::string_view messages,
                                              const config::Deployment& deployment) {
  if (!IsMessageList(messages)) {
    return MapUnsupported(deployment, "'messages' must be a list of objects");
  }
  Converter converter(deployment);
  if (auto done = converter.Convert(messages); !done) return done.error();
  return converter.Take();
}

}  // namespace gw::translate
