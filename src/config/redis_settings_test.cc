// Which Redis do the settings mean, and what outranks what?
#include "config/redis_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load_text_test_kit.h"
#include "config/snapshot.h"

namespace gw::config {
namespace {

using Topology = RedisSettings::Topology;

class RedisSettingsTest : public testing::Test {
 protected:
  Loaded Read(std::string_view text, const Variables& variables = {}) { return LoadText(text, variables); }
  RedisSettings Cache(std::string_view params, const Variables& variables = {}) {
    const Loaded loaded =
        Read("litellm_settings: {cache: true, cache_params: " + std::string(params) + "}", variables);
    EXPECT_NE(loaded.snapshot, nullptr) << "Redis never forbids the start";
    return loaded.snapshot == nullptr ? RedisSettings() : loaded.snapshot->cache.redis;
  }
};

TEST_F(RedisSettingsTest, HostPortAndLogin) {
  const RedisSettings s =
      Cache("{type: redis, host: r.example, port: 6380, username: u, password: p, db: 3, namespace: ns}");
  EXPECT_EQ(s.topology, Topology::kSingle);
  EXPECT_THAT(s.nodes, testing::ElementsAre(RedisNode{"r.example", 6380}));
  EXPECT_EQ(s.username, "u");
  EXPECT_EQ(s.password, "p");
  EXPECT_EQ(s.db, 3);
  EXPECT_EQ(s.name_space, "ns");
  EXPECT_FALSE(s.tls);
}

TEST_F(RedisSettingsTest, Urls) {
  const RedisSettings s = Cache("{url: 'rediss://u:p%40x@[::1]:7000/2'}");
  EXPECT_THAT(s.nodes, testing::ElementsAre(RedisNode{"::1", 7000}));
  EXPECT_EQ(s.username, "u");
  EXPECT_EQ(s.password, "p@x");
  EXPECT_EQ(s.db, 2);
  EXPECT_TRUE(s.tls);
  EXPECT_THAT(Cache("{url: 'redis://plain'}").nodes, testing::ElementsAre(RedisNode{"plain", 6379}));
  EXPECT_FALSE(Cache("{url: 'http://x'}").on());
  EXPECT_FALSE(Cache("{url: 'redis://x:99999'}").on());
}

TEST_F(RedisSettingsTest, AnExplicitHostOutranksAUrlAndTheFileTheEnvironment) {
  const Variables url = {{"REDIS_URL", "redis://env:1"}, {"REDIS_PASSWORD", "secret"}};
  EXPECT_THAT(Cache("{}", url).nodes, testing::ElementsAre(RedisNode{"env", 1}));
  EXPECT_THAT(Cache("{host: own}", url).nodes, testing::ElementsAre(RedisNode{"own", 6379}));
  EXPECT_EQ(Cache("{host: own}", url).password, "secret") << "what the file leaves open";
  EXPECT_THAT(Cache("{host: own, url: 'redis://other'}").nodes, testing::ElementsAre(RedisNode{"own", 6379}));
  EXPECT_THAT(Cache("{host: own}", {{"REDIS_CLUSTER_NODES", R"([{"host":"c","port":1}])"}}).nodes,
              testing::ElementsAre(RedisNode{"own", 6379}));
}

TEST_F(RedisSettingsTest, Tls) {
  EXPECT_TRUE(Cache("{host: h, ssl: true}").tls);
  EXPECT_TRUE(Cache("{host: h, ssl: 'True'}").tls);
  EXPECT_TRUE(Cache("{host: h}", {{"REDIS_SSL", "true"}}).tls);
  EXPECT_FALSE(Cache("{host: h, ssl: false}", {{"REDIS_SSL", "true"}}).tls);
  EXPECT_TRUE(Cache("{host: h, ssl: true}").tls_verify);
  const RedisSettings s = Cache("{host: h, ssl: true, ssl_cert_reqs: none, ssl_ca_certs: /ca.pem}");
  EXPECT_FALSE(s.tls_verify);
  EXPECT_EQ(s.ca_file, "/ca.pem");
  EXPECT_FALSE(Cache("{host: h, ssl: true, ssl_cert_reqs: null}", {{"REDIS_SSL_CERT_REQS", "none"}}).tls_verify);
}

TEST_F(RedisSettingsTest, SentinelsAndClusters) {
  const RedisSettings s =
      Cache("{sentinel_nodes: [[a, 26379], [b, 26380]], service_name: main, sentinel_password: sp}");
  EXPECT_EQ(s.topology, Topology::kSentinel);
  EXPECT_THAT(s.nodes, testing::ElementsAre(RedisNode{"a", 26379}, RedisNode{"b", 26380}));
  EXPECT_EQ(s.service_name, "main");
  EXPECT_EQ(s.sentinel_password, "sp");
  const RedisSettings c = Cache("{}", {{"REDIS_CLUSTER_NODES", R"([{"host":"c","port":"7001"},{"host":"d","port":7002}])"}});
  EXPECT_EQ(c.topology, Topology::kCluster);
  EXPECT_THAT(c.nodes, testing::ElementsAre(RedisNode{"c", 7001}, RedisNode{"d", 7002}));
}

TEST_F(RedisSettingsTest, TheRouterTakesItsOwnElseThatOfTheCache) {
  const std::string cache = "litellm_settings: {cache: true, cache_params: {host: c, namespace: ns}}\n";
  const Loaded shared = Read(cache);
  ASSERT_NE(shared.snapshot, nullptr);
  EXPECT_THAT(shared.snapshot->redis.nodes, testing::ElementsAre(RedisNode{"c", 6379}));
  const Loaded own = Read(cache + "router_settings: {redis_host: r, redis_port: 1, redis_db: 2}");
  ASSERT_NE(own.snapshot, nullptr);
  EXPECT_THAT(own.snapshot->redis.nodes, testing::ElementsAre(RedisNode{"r", 1}));
  EXPECT_EQ(own.snapshot->redis.db, 2);
  EXPECT_EQ(own.snapshot->redis.name_space, "ns");
  const Loaded none = Read("router_settings: {num_retries: 1}", {{"REDIS_HOST", "env"}});
  ASSERT_NE(none.snapshot, nullptr);
  EXPECT_FALSE(none.snapshot->redis.on()) << "the environment alone asks for nothing";
}

}  // namespace
}  // namespace gw::config
