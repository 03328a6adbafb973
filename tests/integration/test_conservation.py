"""Nothing is lost and nothing counted twice: what the gateway's metrics say, what the upstream did and what the
clients were told is the same, to the last request, token and cent; with faults, retries, fallbacks, cancelled and
broken streams, and reloads in between. The clients and the upstream are tests/conservation."""
import json
import os
import subprocess
import threading

import pytest

from gateway import BINARY, PATIENCE, SANITIZED, row

DRIVER = BINARY.parent / "gw_conservation"
REQUESTS = int(os.environ.get("GW_CONSERVATION_REQUESTS", 10_000 if SANITIZED else 200_000))
CONNECTIONS, RELOADS = 48, 20
INPUT_USD, OUTPUT_USD = 3e-6, 15e-6


class Driver:
    def __init__(self, seed):
        self.process = subprocess.Popen([DRIVER, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def config(port, generation, access_log):
    def flaky(name, number):
        return row(name, "openai/flaky", f"http://127.0.0.1:{port}/v1", info={"id": f"{name}-{number}"},
                   input_cost_per_token=INPUT_USD, output_cost_per_token=OUTPUT_USD)

    prices = {"input_cost_per_token": INPUT_USD, "output_cost_per_token": OUTPUT_USD}
    base = f"http://127.0.0.1:{port}/v1"
    return {
        "model_list": [flaky("tier", 0), flaky("tier", 1), flaky("brittle", 0),
                       row("calm", "openai/ok", base, info={"id": "calm"}, **prices),
                       row("long", "openai/long", base, info={"id": "long"}, **prices),
                       row(f"new-{generation}", "openai/ok", base, info={"id": f"new-{generation}"})],
        "litellm_settings": {"callbacks": ["prometheus"], "fallbacks": [{"tier": ["calm"]}]},
        "router_settings": {"num_retries": 1, "disable_cooldowns": True},
        "general_settings": {"reload_on_file_change": False, "access_log": str(access_log)},
    }


class Books:
    """One scrape, summed as asked."""

    def __init__(self, gateway):
        self.samples = gateway.samples()

    def sum(self, name, **labels):
        return sum(v for n, have, v in self.samples if n == name and all(have.get(k) == w for k, w in labels.items()))


@pytest.mark.parametrize("workers", [2])
def test_books_of_gateway_upstream_and_clients_agree(gateway_factory, workers, tmp_path):
    seed = int(os.environ.get("GW_CONSERVATION_SEED", 20261128))
    print(f"\nseed {seed}, {REQUESTS} requests")
    with Driver(seed) as driver:
        log = tmp_path / "access.jsonl"
        gateway = gateway_factory(config(driver.port, 0, log), workers=workers)
        done = threading.Event()
        applied = []

        def reload():
            while not done.wait(0.4):
                if len(applied) == RELOADS:
                    return
                gateway.config_file.write_text(json.dumps(config(driver.port, len(applied) + 1, log)))
                applied.append(gateway.post("/config/reload", {}).json()["status"])

        reloader = threading.Thread(target=reload)
        reloader.start()
        clients = driver.ask(f"{gateway.port} {gateway.key} {REQUESTS} {CONNECTIONS}")
        done.set()
        reloader.join()
        assert gateway.wait_metric(0, "litellm_gw_active_streams", timeout=10) == 0
        wanted = clients["requests"]
        gateway.wait_metric(wanted, "litellm_proxy_total_requests_metric_total", timeout=5)
        upstream = driver.ask("counts")
        gateway.wait_metric(REQUESTS, "litellm_gw_telemetry_records_total", timeout=5)
        books = Books(gateway)
    print(json.dumps({"clients": clients, "upstream": upstream, "reloads": len(applied)}))

    refused = {int(status): count for status, count in clients["refused"].items()}
    assert clients["unclear"] == 0
    assert clients["complete"] + clients["broken"] + clients["cancelled"] + sum(refused.values()) == REQUESTS
    assert set(applied) == {"applied"} and len(applied) >= 3
    assert min(clients["complete"], clients["broken"], clients["cancelled"], clients["fell_back"]) > 0
    assert {400, 401, 429, 500} <= set(refused)

    # Every client's request, once, with the status that it saw; a broken stream is a 500, one left behind a 499.
    total = "litellm_proxy_total_requests_metric_total"
    assert books.sum(total) == REQUESTS
    assert books.sum(total, status_code="200") == clients["complete"]
    assert books.sum(total, status_code="499") == clients["cancelled"]
    assert books.sum(total, status_code="500") == refused[500] + clients["broken"]
    for status in (400, 401, 429):
        assert books.sum(total, status_code=str(status)) == refused[status]
    failed = "litellm_proxy_failed_requests_metric_total"
    assert books.sum(failed) == REQUESTS - clients["complete"]

    # Every call of an upstream, once, with its outcome.
    attempts = "litellm_gw_deployment_attempts_total"
    assert books.sum(attempts) == upstream["requests"]
    assert books.sum(attempts, outcome="success") == clients["complete"] == upstream["good"]
    assert books.sum(attempts, outcome="cancelled") == clients["cancelled"] == upstream["left_by_peer"]
    bad = upstream["failed_before"] + upstream["failed_within"]
    assert books.sum(attempts) - clients["complete"] - clients["cancelled"] == bad
    aborted = "litellm_gw_stream_aborted_total"
    assert books.sum(aborted, side="upstream") == clients["broken"] == upstream["failed_within"]
    assert books.sum(aborted, side="client") == clients["cancelled"]
    assert books.sum("litellm_deployment_successful_fallbacks_total") == clients["fell_back"]

    # Tokens and money.
    for whose in (clients, upstream):
        assert books.sum("litellm_input_tokens_metric_total") == whose["prompt_tokens"]
        assert books.sum("litellm_output_tokens_metric_total") == whose["completion_tokens"]
    assert books.sum("litellm_total_tokens_metric_total") == clients["prompt_tokens"] + clients["completion_tokens"]
    usd = clients["prompt_tokens"] * INPUT_USD + clients["completion_tokens"] * OUTPUT_USD
    assert books.sum("litellm_spend_metric_total") == pytest.approx(usd, rel=1e-9)

    # Latencies: one observation for each success; nothing is held any more.
    assert books.sum("litellm_request_total_latency_metric_count") == clients["complete"]
    assert books.sum("litellm_in_flight_requests") == 1  # the scrape itself
    assert books.sum("litellm_gw_metric_overflow_total") == 0
    assert books.sum("litellm_gw_config_reloads_total", outcome="applied") == len(applied)

    # The access log: a line or a counted drop for every request, over all reloads; without drops its sums are the same.
    records = "litellm_gw_telemetry_records_total"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert books.sum(records, outcome="delivered") == len(lines)
    dropped = sum(books.sum(records, outcome=o) for o in ("dropped_queue", "dropped_error", "dropped_retries"))
    assert len(lines) + dropped == REQUESTS
    print(f"access log: {len(lines)} lines, {dropped} dropped")
    if dropped == 0:
        by_status = {s: sum(1 for line in lines if line["status"] == s) for s in (200, 400, 401, 429, 499)}
        assert by_status == {200: clients["complete"], 499: clients["cancelled"], **{s: refused[s] for s in (400, 401, 429)}}
        assert sum(len(line["attempts"]) for line in lines) == upstream["requests"]
        # What broken and cancelled streams used is spent as well; the metric of the reference leaves it out.
        assert sum(line["spend_usd"] for line in lines if line["status"] == 200) == pytest.approx(usd, rel=1e-6)
        assert len({line["call_id"] for line in lines}) == REQUESTS
