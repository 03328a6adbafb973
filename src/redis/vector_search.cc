#include "redis/vector_search.h"

#include <algorithm>
#include <chrono>

#include "base/strings.h"

namespace gw::redis {

namespace {

constexpr std::string_view kVectorField = "prompt_vector";
constexpr std::string_view kTagField = "litellm_cache_key";
constexpr std::string_view kDistanceField = "vector_distance";

bool IsName(const Reply& reply, std::string_view name) {
  const bool is_text = reply.kind == Reply::Kind::kText || reply.kind == Reply::Kind::kStatus;
  return is_text && EqualsIgnoreCase(reply.text, name);
}

int64_t NumberOf(const Reply& reply) {
  if (reply.kind == Reply::Kind::kStatus) return ParseInt(reply.text).value_or(0);
  return reply.AsInt(0);
}

// What stands behind that name, at any depth: servers nest what they say of a field differently. Depth
// is bounded by the decoder.
const Reply* FindValue(const Reply& reply, std::string_view name) {
  for (size_t i = 0; i < reply.items.size(); ++i) {
    if (i + 1 < reply.items.size() && IsName(reply.items[i], name)) return &reply.items[i + 1];
    if (const Reply* inner = FindValue(reply.items[i], name)) return inner;
  }
  return nullptr;
}

// The description of the vector field: the innermost list that names it.
const Reply* FindField(const Reply& reply) {
  for (const Reply& item : reply.items) {
    if (const Reply* inner = FindField(item)) return inner;
  }
  for (const Reply& item : reply.items) {
    if (IsName(item, kVectorField)) return &reply;
  }
  return nullptr;
}

}  // namespace

Command IndexInfo(std::string_view index) { return Command("FT.INFO", {index}); }

Command CreateIndex(std::string_view index, size_t dimension) {
  Command command("FT.CREATE", {index, "ON", "HASH", "PREFIX", "1", std::string(index) + ":", "SCHEMA", kVectorField,
                                "VECTOR", "FLAT", "6", "TYPE", "FLOAT32", "DIM"});
  command.Add(static_cast<int64_t>(dimension)).Add("DISTANCE_METRIC").Add("COSINE");
  return command.Add(kTagField).Add("TAG");
}

Command SearchNearest(std::string_view index, std::string_view tag, std::string_view vector, Duration limit) {
  std::string query = "(@";
  query.append(kTagField).append(":{").append(tag).append("})=>[KNN 1 @").append(kVectorField);
  query.append(" $vector AS ").append(kDistanceField).append("]");
  Command command("FT.SEARCH", {index, query, "RETURN", "3", kDistanceField, kTagField, "response", "TIMEOUT"});
  command.Add(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count());
  for (const std::string_view word : {"LIMIT", "0", "1", "PARAMS", "2", "vector"}) command.Add(word);
  return command.Add(vector).Add("DIALECT").Add("2");
}

std::string StoreEntry(const IndexEntry& entry) {
  Command store("HSET", {entry.key, "prompt", entry.prompt, "response", entry.response});
  store.Add(kVectorField).Add(entry.vector).Add(kTagField).Add(entry.tag);
  store.Add("inserted_at").Add(entry.inserted_unix_s).Add("updated_at").Add(entry.inserted_unix_s);
  Command expire("PEXPIRE", {entry.key});
  expire.Add(entry.ttl_ms);
  return Command("MULTI").Encode() + store.Encode() + expire.Encode() + Command("EXEC").Encode();
}

std::optional<Neighbour> ReadNeighbour(Reply reply) {
  // [count, key, [name, value, ...]]
  if (reply.kind != Reply::Kind::kList || reply.items.size() != 3 || NumberOf(reply.items[0]) < 1) return std::nullopt;
  Reply& key = reply.items[1];
  Reply& fields = reply.items[2];
  if (key.kind != Reply::Kind::kText || fields.kind != Reply::Kind::kList) return std::nullopt;
  Neighbour found;
  bool has_distance = false;
  for (size_t i = 0; i + 1 < fields.items.size(); i += 2) {
    Reply& value = fields.items[i + 1];
    if (IsName(fields.items[i], kDistanceField)) {
      const auto distance = ParseDouble(value.text);
      has_distance = distance.has_value();
      found.distance = distance.value_or(2);
    } else if (IsName(fields.items[i], kTagField)) {
      found.tag = std::move(value.text);
    } else if (IsName(fields.items[i], "response")) {
      found.response = std::move(value.text);
    }
  }
  if (!has_distance || found.response.empty()) return std::nullopt;
  found.key = std::move(key.text);
  return found;
}

IndexFacts ReadIndexFacts(const Reply& reply) {
  IndexFacts facts;
  const Reply* field = FindField(reply);
  if (field == nullptr) return facts;
  facts.has_vectors = true;
  for (const std::string_view name : {"dim", "dimensions"}) {
    const Reply* value = FindValue(*field, name);
    if (value != nullptr) facts.dimension = static_cast<size_t>(std::max<int64_t>(0, NumberOf(*value)));
  }
  if (const Reply* metric = FindValue(*field, "distance_metric")) facts.is_cosine = IsName(*metric, "COSINE");
  return facts;
}

SearchTrouble TroubleOf(std::string_view error) {
  // The texts differ from release to release; these parts of them do not.
  const auto says = [error](std::string_view part) { return ContainsIgnoreCase(error, part); };
  if (says("unknown command")) return SearchTrouble::kNoModule;
  if (says("already exists")) return SearchTrouble::kExists;
  if (says("blob size") || says("dimension") || (says("expected") && says("size"))) return SearchTrouble::kDimension;
  if (says("no such index") || says("unknown index") || says("not found")) return SearchTrouble::kNoIndex;
  return SearchTrouble::kOther;
}

}  // namespace gw::redis
