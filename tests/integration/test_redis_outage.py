"""Redis is killed, frozen, restarted, unreachable, unwilling: no request fails, none waits for more than 5 ms."""
import itertools
import statistics
import time

from gateway import PATIENCE, SANITIZED, row
from redis_kit import HARD, Load, at, config_of, is_hit, limited_row, p
from redis_server import Redis, running, wait


def outage_config(upstream, redis):
    rows = [limited_row(upstream, rpm=1_000_000, max_parallel_requests=1000)]
    return config_of(upstream, at(redis), cache=at(redis), rows=rows, router=HARD)


def test_a_redis_that_dies_and_returns_fails_no_request(pair, upstream, redis):
    gateways = pair(outage_config(upstream, redis), workers=2)
    with Load(gateways, "limited") as load:
        time.sleep(1)
        redis.kill()
        time.sleep(2)
        redis.start()
        time.sleep(2)
        wait(lambda: int(redis.cli("dbsize")) > 0, what="Redis is used again")
    bad = [s for s in load.seen if s[2] != 200]
    print(f"\n{len(load.seen)} requests, {len(bad)} failed; p99 {p([s[1] for s in load.seen], 0.99):.1f} ms")
    assert len(load.seen) > 500 / PATIENCE and not bad, bad[:5]
    for gateway in gateways:
        assert "Redis is away" in gateway.said("Redis is away") and "Redis is back" in gateway.said("Redis is back")
        assert gateway.metric("litellm_redis_total_requests_total", redis="redis") > 0
        assert gateway.metric("litellm_redis_latency_count", redis="redis") > 0
        assert gateway.metric("litellm_redis_circuit_breaker_transitions_total", state="open") >= 1
        assert gateway.metric("litellm_redis_circuit_breaker_state", state="closed") == 2, "one for each worker"
        assert gateway.metric("litellm_redis_circuit_breaker_state", state="open") == 0


def test_a_frozen_redis_fails_and_holds_no_request_under_load(gateway_factory, pair, upstream, redis):
    """Beside the pair runs a gateway without Redis under the same load: what the machine itself adds."""
    gateways = pair(outage_config(upstream, redis), workers=2)
    rows = [limited_row(upstream, rpm=1_000_000, max_parallel_requests=1000)]
    without = gateway_factory(config_of(upstream, rows=rows, router=HARD), workers=2)
    with Load(gateways, "limited") as load, Load([without], "limited") as control:
        time.sleep(2)
        frozen = time.monotonic()
        redis.freeze()
        time.sleep(4)
        thawed = time.monotonic()
        redis.thaw()
        time.sleep(2)
    bad = [s for s in load.seen if s[2] != 200]

    def times(of, begin, end):
        return [s[1] for s in of.between(begin, end)]

    before, during, after = (times(load, *span) for span in ((0, frozen), (frozen, thawed), (thawed, 1e18)))
    beside = times(control, frozen, thawed)
    print(f"\n{len(load.seen)} requests, {len(bad)} failed; ms median/p90/p99: "
          + "; ".join(f"{name} {p(v, .5):.1f}/{p(v, .9):.1f}/{p(v, .99):.1f}" for name, v in (
              ("before", before), ("frozen", during), ("without Redis meanwhile", beside), ("after", after))))
    assert not bad, bad[:5]
    assert p(during, 0.5) <= p(beside, 0.5) + 3 * PATIENCE, "once away it costs nothing"
    assert p(during, 0.75) <= p(beside, 0.75) + 5 * PATIENCE, "added by the frozen Redis"
    wait(lambda: "Redis is back" in gateways[0].log(), what="it is used again")


def test_the_first_request_after_a_freeze_waits_at_most_5_ms(gateway_factory, upstream, redis):
    """One request at a time, no upstream behind it: what is added is Redis' part alone. The machine may be busy:
    a sleep of 3 ms beside each request shows by how much it oversleeps anyway."""
    rows = [row("limited", "openai/mock", upstream.v1, info={"id": "mock"}, rpm=1_000_000, mock_response="hello")]
    gateway = gateway_factory(config_of(upstream, at(redis), cache=at(redis), rows=rows, router=HARD))
    time.sleep(0.3)
    count = itertools.count()

    def timed(work):
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    def ask():
        assert gateway.chat("limited", seed=next(count)).status_code == 200

    usual, first, later, sleeps = [], [], [], []
    for _ in range(40):
        usual += [timed(ask) for _ in range(5)]
        sleeps.append(timed(lambda: time.sleep(0.003)) - 0.003)
        redis.freeze()
        first.append(timed(ask))
        later += [timed(ask) for _ in range(5)]
        backs = gateway.log().count("Redis is back")
        redis.thaw()
        wait(lambda n=backs: gateway.log().count("Redis is back") > n, timeout=5)
        ask()
    median, oversleep = statistics.median(usual), statistics.median(sleeps)
    added = [t - median for t in first]
    timeouts = gateway.metric("litellm_redis_failed_requests_total", error_class="TimeoutError")
    print(f"\nms: usual median {median * 1000:.2f} p99 {p(usual, .99):.2f}; added to the first after a freeze: median "
          f"{p(added, .5):.2f} p90 {p(added, .9):.2f} max {max(added) * 1000:.2f}; later ones: median "
          f"{p(later, .5):.2f} p99 {p(later, .99):.2f}; the machine oversleeps by {oversleep * 1000:.2f}, at most "
          f"{max(sleeps) * 1000:.2f}; {timeouts:.0f} calls were not answered")
    assert timeouts >= 30, "Redis was waited for, about once a freeze"
    assert statistics.median(added) < (0.005 + 2 * oversleep) * PATIENCE, "within the bound"
    assert p(later, 0.5) < (median + 0.002 * PATIENCE) * 1000, "and not again"


def test_a_late_answer_is_never_taken_for_anothers(gateway_factory, upstream, redis):
    """A frozen Redis answers all at once when it goes on; every answer belongs to the question that waited for it."""
    rows = [row("echo", "openai/echo", upstream.v1, info={"id": "echo"})]
    gateway = gateway_factory(config_of(upstream, cache=at(redis), rows=rows))
    time.sleep(0.3)
    known = {n: gateway.chat("echo", seed=n, stop=[f"s{n}"]).text for n in range(8)}
    wait(lambda: redis.cli("dbsize") == "8")
    assert len(set(known.values())) == 8
    hits = 0
    for turn in range(10):
        redis.freeze()
        for n in (100 + turn, turn % 8, 200 + turn):
            assert gateway.chat("echo", seed=n, stop=[f"s{n}"]).status_code == 200
        redis.thaw()
        wait(lambda n=turn + 1: gateway.log().count("Redis is back") >= n, timeout=5)
        for n, text in known.items():
            answer = gateway.chat("echo", seed=n, stop=[f"s{n}"])
            hits += is_hit(answer)
            assert not is_hit(answer) or answer.text == text
    assert hits >= 60 or SANITIZED, f"{hits} of 80: each look-up gets its own answer again"


def test_what_redis_refuses_is_said_once_and_fails_nothing(gateway_factory, upstream, tmp_path):
    rules = ["user default off", "user gw on >pw ~* &* +@all -eval -evalsha"]
    server = Redis(tmp_path / "redis", options=rules)
    server.cli = lambda *words, check=True: "PONG"  # the default user may not even ping
    with running(server) as (redis,):
        rows = [limited_row(upstream, rpm=3)]
        gateway = gateway_factory(config_of(upstream, at(redis, url=f"redis://gw:pw@127.0.0.1:{redis.port}") | {"host": ""},
                                            rows=rows, router=HARD))
        time.sleep(0.3)
        codes = [gateway.chat("limited", seed=n).status_code for n in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        wait(lambda: "Redis refuses a command" in gateway.log())
        assert gateway.log().count("Redis refuses a command") == 1 and "NOPERM" in gateway.log()


def test_an_unreachable_redis_does_not_forbid_the_start(gateway_factory, upstream):
    rows = [limited_row(upstream, rpm=3)]
    nowhere = {"host": "127.0.0.1", "port": 1}
    gateway = gateway_factory(config_of(upstream, nowhere, cache=nowhere, rows=rows, router=HARD))
    codes = [gateway.chat("limited", seed=n).status_code for n in range(5)]
    assert codes == [200, 200, 200, 429, 429], "the local limit holds alone"
    assert "Redis is away" in gateway.said("Redis is away")
