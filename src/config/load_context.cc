// What has been found so far, in which order is it told, and may the gateway start?
#include "config/load_context.h"

#include <algorithm>
#include <limits>

namespace gw::config {

int LoadContext::AddFile(std::string name) {
  files_.push_back(std::move(name));
  return static_cast<int>(files_.size()) - 1;
}

const std::string& LoadContext::FileName(int index) const {
  static const std::string kNone;
  const auto at = static_cast<size_t>(index);
  return index >= 0 && at < files_.size() ? files_[at] : kNone;
}

void LoadContext::Add(Severity severity, KeyStatus status, yaml::Place place, std::string_view path,
                      std::string message) {
  Finding finding;
  finding.severity = severity;
  finding.status = status;
  finding.file = place.line > 0 || place.file > 0 ? FileName(place.file) : std::string();
  finding.line = place.line;
  finding.path = path;
  finding.message = std::move(message);
  entries_.push_back({place, std::move(finding)});
}

void LoadContext::Warn(yaml::Place place, std::string_view path, std::string message) {
  Add(Severity::kWarning, KeyStatus::kEffective, place, path, std::move(message));
}

void LoadContext::Error(yaml::Place place, std::string_view path, std::string message) {
  Add(Severity::kError, KeyStatus::kEffective, place, path, std::move(message));
}

void LoadContext::Fatal(int exit_code, yaml::Place place, std::string_view path,
                        std::string message) {
  if (exit_code_ == 0) exit_code_ = exit_code;
  Error(place, path, std::move(message));
}

std::vector<Finding> LoadContext::TakeFindings() {
  const auto rank = [](const Entry& e) {
    constexpr int kLast = std::numeric_limits<int>::max();
    return e.place.line == 0 ? std::pair{kLast, 0} : std::pair{e.place.file, e.place.line};
  };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&rank](const Entry& a, const Entry& b) { return rank(a) < rank(b); });
  std::vector<Finding> findings;
  findings.reserve(entries_.size());
  for (Entry& entry : entries_) findings.push_back(std::move(entry.finding));
  entries_.clear();
  return findings;
}

std::string Join(std::string_view path, std::string_view key) {
  std::string out(path);
  if (!out.empty()) out += '.';
  out += key;
  return out;
}

std::string Indexed(std::string_view path, size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

}  // namespace gw::config
