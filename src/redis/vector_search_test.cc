// Commands for and replies of vector indexes. The replies are laid out as Redis' query engine and
// valkey-search print them.
#include "redis/vector_search.h"

#include <gtest/gtest.h>

namespace gw::redis {
namespace {

Reply Text(std::string text) {
  Reply reply;
  reply.kind = Reply::Kind::kText;
  reply.text = std::move(text);
  return reply;
}

Reply Number(int64_t number) {
  Reply reply;
  reply.kind = Reply::Kind::kInteger;
  reply.integer = number;
  return reply;
}

Reply List(std::vector<Reply> items) {
  Reply reply;
  reply.kind = Reply::Kind::kList;
  reply.items = std::move(items);
  return reply;
}

// "*2 $3 a b" with the lengths left out.
std::string Words(const std::string& encoded) {
  std::string out;
  size_t at = encoded.find("\r\n") + 2;
  while (at < encoded.size() && encoded[at] == '$') {
    const size_t length = std::stoul(encoded.substr(at + 1));
    at = encoded.find("\r\n", at) + 2;
    out += (out.empty() ? "" : " ") + encoded.substr(at, length);
    at += length + 2;
  }
  return out;
}

TEST(VectorSearch, CommandsNameTheFieldsOfLitellmsIndex) {
  EXPECT_EQ(Words(IndexInfo("idx").Encode()), "FT.INFO idx");
  EXPECT_EQ(Words(CreateIndex("idx", 3).Encode()),
            "FT.CREATE idx ON HASH PREFIX 1 idx: SCHEMA prompt_vector VECTOR FLAT 6 TYPE FLOAT32 DIM 3 "
            "DISTANCE_METRIC COSINE litellm_cache_key TAG");
  EXPECT_EQ(Words(SearchNearest("idx", "k0", "BLOB", std::chrono::milliseconds(50)).Encode()),
            "FT.SEARCH idx (@litellm_cache_key:{k0})=>[KNN 1 @prompt_vector $vector AS vector_distance] "
            "RETURN 3 vector_distance litellm_cache_key response TIMEOUT 50 LIMIT 0 1 PARAMS 2 vector BLOB DIALECT 2");
}

TEST(VectorSearch, VectorsMayHoldAnyByte) {
  const std::string vector("\0\r\n$", 4);
  EXPECT_NE(SearchNearest("i", "k", vector, std::chrono::milliseconds(1)).Encode().find("$4\r\n" + vector + "\r\n"),
            std::string::npos);
}

TEST(VectorSearch, EntryAndExpiryAreOneTransaction) {
  IndexEntry entry;
  entry.key = "idx:1";
  entry.tag = "k0";
  entry.prompt = "hi";
  entry.vector = "V";
  entry.response = "R";
  entry.inserted_unix_s = 7;
  entry.ttl_ms = 1500;
  const std::string bytes = StoreEntry(entry);
  EXPECT_TRUE(bytes.starts_with("*1\r\n$5\r\nMULTI\r\n*14\r\n$4\r\nHSET\r\n"));
  EXPECT_NE(bytes.find("*3\r\n$7\r\nPEXPIRE\r\n$5\r\nidx:1\r\n$4\r\n1500\r\n*1\r\n$4\r\nEXEC\r\n"), std::string::npos);
}

TEST(VectorSearch, ReadsTheNeighbour) {
  const auto found = ReadNeighbour(List({Number(1), Text("idx:1"),
                                         List({Text("vector_distance"), Text("0.25"), Text("litellm_cache_key"),
                                               Text("k0"), Text("response"), Text("R")})}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, "idx:1");
  EXPECT_EQ(found->tag, "k0");
  EXPECT_EQ(found->response, "R");
  EXPECT_EQ(found->distance, 0.25);
}

TEST(VectorSearch, AnythingElseIsNothingFound) {
  Reply nil;
  const Reply fields = List({Text("vector_distance"), Text("0.25"), Text("response"), Text("R")});
  for (const Reply& reply :
       {List({Number(0)}), List({Number(1), Text("expired"), nil}), List({}), nil, Number(1), Text("x"),
        List({Number(0), Text("k"), fields}), List({Number(1), Number(2), fields}),
        List({Number(1), Text("k"), List({Text("vector_distance"), Text("near"), Text("response"), Text("R")})}),
        List({Number(1), Text("k"), List({Text("response"), Text("R")})}),
        List({Number(1), Text("k"), List({Text("vector_distance"), Text("0.25"), Text("response")})})}) {
    EXPECT_FALSE(ReadNeighbour(reply));
  }
}

TEST(VectorSearch, FactsOfAnIndex) {
  const Reply redis = List({Text("index_name"), Text("idx"), Text("attributes"),
                            List({List({Text("identifier"), Text("litellm_cache_key"), Text("type"), Text("TAG")}),
                                  List({Text("identifier"), Text("prompt_vector"), Text("attribute"),
                                        Text("prompt_vector"), Text("type"), Text("VECTOR"), Text("dim"), Number(4),
                                        Text("distance_metric"), Text("COSINE")})})});
  IndexFacts facts = ReadIndexFacts(redis);
  EXPECT_TRUE(facts.has_vectors && facts.is_cosine);
  EXPECT_EQ(facts.dimension, 4U);
  const Reply valkey =
      List({Text("attributes"), List({List({Text("identifier"), Text("prompt_vector"), Text("index"),
                                            List({Text("dimensions"), Number(8), Text("distance_metric"), Text("L2"),
                                                  Text("algorithm"), List({Text("name"), Text("FLAT")})})})})});
  facts = ReadIndexFacts(valkey);
  EXPECT_TRUE(facts.has_vectors);
  EXPECT_FALSE(facts.is_cosine);
  EXPECT_EQ(facts.dimension, 8U);
  const Reply old = List({List({List({Text("identifier"), Text("prompt_vector"), Text("type"), Text("VECTOR")})})});
  facts = ReadIndexFacts(old);
  EXPECT_TRUE(facts.has_vectors && facts.is_cosine);
  EXPECT_EQ(facts.dimension, 0U) << "old releases do not say it";
  EXPECT_FALSE(ReadIndexFacts(List({Text("attributes"), List({})})).has_vectors);
}

TEST(VectorSearch, TroublesByWhatAllReleasesSay) {
  EXPECT_EQ(TroubleOf("ERR unknown command 'FT.INFO', with args beginning with: 'idx' "), SearchTrouble::kNoModule);
  EXPECT_EQ(TroubleOf("ERR unknown command `FT.SEARCH`"), SearchTrouble::kNoModule);
  for (const char* text : {"idx: no such index", "No such index idx", "Unknown index name", "Unknown Index name",
                           "Index with name 'idx' not found in database 0"}) {
    EXPECT_EQ(TroubleOf(text), SearchTrouble::kNoIndex) << text;
  }
  EXPECT_EQ(TroubleOf("Index already exists"), SearchTrouble::kExists);
  EXPECT_EQ(TroubleOf("Error parsing vector similarity query: query vector blob size (8) does not match index's "
                      "expected size (16)."),
            SearchTrouble::kDimension);
  EXPECT_EQ(TroubleOf("OOM command not allowed"), SearchTrouble::kOther);
}

}  // namespace
}  // namespace gw::redis
