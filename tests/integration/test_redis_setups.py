"""Ways to set Redis up: password, access list, TLS, Sentinel, Cluster."""
import time

from certificates import Authority
from gateway import row
from redis_kit import HARD, at, config_of, is_hit, limited_row, statuses_of, while_redis_answers
from redis_server import Redis, cluster, join, running, wait


@while_redis_answers
def test_password_and_database(pair, upstream, tmp_path):
    with running(Redis(tmp_path / "redis", password="s3cret-word")) as (redis,):
        first, second = pair(config_of(upstream, cache=at(redis, password="s3cret-word", db=3)))
        first.chat("ok.a")
        wait(lambda: redis.cli("-n", "3", "dbsize") == "1")
        assert is_hit(second.chat("ok.a"))
        assert "s3cret" not in first.log() + second.log()


def test_a_wrong_password_is_said_and_fails_nothing(gateway_factory, upstream, tmp_path):
    with running(Redis(tmp_path / "redis", password="right")) as (redis,):
        gateway = gateway_factory(config_of(upstream, cache=at(redis, password="wr0ng-word")))
        assert [is_hit(gateway.chat("ok.a")) for _ in range(3)] == [False] * 3
        wait(lambda: "WRONGPASS" in gateway.log())
        assert "wr0ng" not in gateway.log()


@while_redis_answers
def test_tls(pair, upstream, tmp_path):
    authority = Authority(tmp_path / "ca")
    with running(Redis(tmp_path / "redis", tls=(*authority.issue("redis"), authority.ca))) as (redis,):
        first, second = pair(config_of(upstream, cache={
            "url": f"rediss://127.0.0.1:{redis.port}/0", "ssl_ca_certs": str(authority.ca)}))
        first.chat("ok.a")
        wait(lambda: redis.cli("dbsize") == "1")
        assert is_hit(second.chat("ok.a"))


def test_tls_does_not_trust_a_stranger(gateway_factory, upstream, tmp_path):
    stranger, ours = Authority(tmp_path / "stranger"), Authority(tmp_path / "ours")
    with running(Redis(tmp_path / "redis", tls=(*stranger.issue("redis"), stranger.ca))) as (redis,):
        gateway = gateway_factory(config_of(upstream, cache=at(redis, ssl=True, ssl_ca_certs=str(ours.ca))))
        assert [is_hit(gateway.chat("ok.a")) for _ in range(3)] == [False] * 3
        wait(lambda: "TLS handshake failed" in gateway.log())
        assert redis.cli("dbsize") == "0"


def test_sentinels_lead_to_the_new_master(pair, upstream, tmp_path):
    master = Redis(tmp_path / "master")
    replica = Redis(tmp_path / "replica", options=[f"replicaof 127.0.0.1 {master.port}"])
    watch = [f"sentinel monitor main 127.0.0.1 {master.port} 1", "sentinel down-after-milliseconds main 500",
             "sentinel failover-timeout main 3000"]
    sentinel = Redis(tmp_path / "sentinel", program="redis-sentinel", options=watch)
    with running(master, replica, sentinel):
        wait(lambda: "master_link_status:up" in replica.cli("info", "replication", check=False))
        wait(lambda: str(replica.port) in sentinel.cli("sentinel", "replicas", "main"))
        first, second = pair(config_of(upstream, cache={
            "sentinel_nodes": [["127.0.0.1", 1], ["127.0.0.1", sentinel.port]], "service_name": "main"}))
        first.chat("ok.a")
        wait(lambda: replica.cli("dbsize") == "1")
        assert is_hit(second.chat("ok.a"))
        master.kill()
        assert first.chat("ok.b").status_code == 200
        wait(lambda: "role:master" in replica.cli("info", "replication", check=False), timeout=30)
        wait(lambda: is_hit(first.chat("ok.a")) and is_hit(second.chat("ok.a")), what="kept answers are found again")
        before = int(replica.cli("dbsize"))
        first.chat("ok.a", seed=1)
        wait(lambda: int(replica.cli("dbsize")) > before, what="writes go to the new master")


@while_redis_answers
def test_cluster_and_moved_keys(pair, upstream, tmp_path):
    nodes = cluster(tmp_path)
    with running(*nodes):
        join(nodes)
        starts = [{"host": "127.0.0.1", "port": nodes[0].port}]
        rows = [limited_row(upstream, rpm=25, max_parallel_requests=100),
                row("ok.b", "openai/ok.b", upstream.v1, info={"id": "id-ok.b"})]
        gateways = pair(config_of(upstream, cache={"redis_startup_nodes": starts}, rows=rows, router=HARD), workers=2)
        time.sleep(0.5)
        first, second = gateways
        seeds = range(20)
        assert not any(is_hit(first.chat("ok.b", seed=n)) for n in seeds)
        wait(lambda: sum(int(n.cli("dbsize")) for n in nodes) >= 20)
        assert all(int(n.cli("dbsize")) > 0 for n in nodes), "keys are spread"
        assert all(is_hit(second.chat("ok.b", seed=n)) for n in seeds)
        # One slot moves: MOVED is followed by itself, and nothing fails meanwhile.
        key = second.chat("ok.b", seed=3).headers["x-litellm-cache-key"]
        slot = nodes[0].cli("cluster", "keyslot", key)
        ids = [n.cli("cluster", "myid") for n in nodes]
        source = next(i for i, n in enumerate(nodes) if key in n.cli("--scan"))
        target = (source + 1) % len(nodes)
        nodes[target].cli("cluster", "setslot", slot, "importing", ids[source])
        nodes[source].cli("cluster", "setslot", slot, "migrating", ids[target])
        nodes[source].cli("migrate", "127.0.0.1", str(nodes[target].port), key, "0", "5000")
        assert is_hit(second.chat("ok.b", seed=3)), "ASK is followed"
        for node in nodes:
            node.cli("cluster", "setslot", slot, "node", ids[target])
        assert is_hit(first.chat("ok.b", seed=3)) and is_hit(second.chat("ok.b", seed=3)), "MOVED is followed"
        assert statuses_of(gateways, 1, "ok.b")[0].status_code == 200


@while_redis_answers
def test_limits_hold_over_a_cluster(pair, upstream, tmp_path):
    nodes = cluster(tmp_path)
    with running(*nodes):
        join(nodes)
        rows = [limited_row(upstream, rpm=25, max_parallel_requests=100)]
        config = config_of(upstream, rows=rows, router=HARD, cache={
            "redis_startup_nodes": [{"host": "127.0.0.1", "port": n.port} for n in nodes], "mode": "default_off"})
        gateways = pair(config, workers=2)
        time.sleep(0.5)
        good = [a for a in statuses_of(gateways, 8) if a.status_code == 200]
        assert len(good) == 25
