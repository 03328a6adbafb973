#!/usr/bin/env python3
"""What does Intertie do when an engine fails? A story told with real processes, standard library only.

    demo.py BINARY [--once]

Starts three engines, Prometheus and the gateway on 127.0.0.1, takes the tiers down one by one, shows
who answers and what is counted. Runs until Ctrl-C; with --once it ends after the story. The exit code
is 0 only if every step went as it says.
"""
import argparse
import contextlib
import ctypes
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
KEY = os.environ.get("LITELLM_MASTER_KEY") or "sk-demo-" + secrets.token_hex(8)
COUNTER = "litellm_deployment_successful_fallbacks_total"
SCRAPE_WAIT_S = 30
# The three tiers of deploy/k8s, with the demo's engines behind them: (group, model, name, protocol, path).
TIERS = (
    ("vllm-qwen", "openai/Qwen/Qwen2.5-7B-Instruct", "vLLM", "openai", "/v1"),
    ("ollama-qwen", "ollama/qwen2.5:3b", "Ollama", "ollama", ""),
    ("openai-gpt4o", "gpt-4o-mini", "OpenAI", "openai", "/v1"),
)
GATEWAY_CONFIG = """\
model_list:
{rows}
litellm_settings:
  drop_params: true
  callbacks: ["prometheus"]
router_settings:
  num_retries: 0
  timeout: 120
  fallbacks: [{{vllm-qwen: [ollama-qwen, openai-gpt4o]}}]
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""
# What the ServiceMonitor asks for, at a pace that suits a story.
PROMETHEUS_CONFIG = """\
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
  - job_name: litellm
    metrics_path: /metrics/
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""

COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURED else text


def bold(text):
    return paint("1", text)


def grey(text):
    return paint("90", text)


def title(text):
    print("\n" + bold(text), flush=True)


class Surprise(Exception):
    """The demo did not go as it says."""


def expect(condition, text):
    if not condition:
        raise Surprise(text)


# ------------------------------------------------------------------ processes
def free_port(wanted=0):
    for port in (range(wanted, wanted + 100) if wanted else (0,)):
        with socket.socket() as s:
            # Like the servers themselves: a port in TIME_WAIT is free.
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                s.bind((HOST, port))
                return s.getsockname()[1]
    raise Surprise(f"no free port from {wanted} on")


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: no orphans even after kill -9


class Processes:
    """Everything that was started; stopped by pid, the last first."""

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, name, command, port, health, env=None):
        log = self.folder / f"{name}.log"
        begin = time.monotonic()
        with open(log, "wb") as out:
            # Its own session: Ctrl-C reaches only us, and we end the others in order.
            process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       cwd=self.folder, env=env, start_new_session=True, preexec_fn=_die_with_parent)
        self.running.append(process)
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if ask(port, "GET", health)[0] == 200:
                    return process, time.monotonic() - begin
            code = process.poll()
            if code is not None or time.monotonic() - begin > 60:
                what = "did not get ready" if code is None else f"ended with {code}"
                raise Surprise(f"{name} {what}:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.002)

    def stop(self):
        for number in (signal.SIGINT, signal.SIGTERM):  # an impatient second Ctrl-C must not leave half of them
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
        for process in reversed(self.running):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def memory_mb(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


# ------------------------------------------------------------------ requests
def ask(port, method, path, body=None, key=None, timeout=30):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def said(text, stream):
    if not stream:
        return json.loads(text)["choices"][0]["message"]["content"]
    events = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    expect(events and events[-1] == "[DONE]", f"the stream has no end: {text[-200:]}")
    deltas = [choice["delta"] for event in events[:-1] for choice in json.loads(event)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


class Story:
    def __init__(self, gateway_port, engine_ports):
        self.port, self.engine_ports, self.groups = gateway_port, engine_ports, {}

    def learn_ids(self):
        """The deployments' ids, so that x-litellm-model-id can be read as a tier."""
        status, _, text = ask(self.port, "GET", "/model/info", key=KEY)
        expect(status == 200, f"/model/info answered {status}: {text}")
        self.groups = {row["model_info"]["id"]: row["model_name"] for row in json.loads(text)["data"]}

    def say_hello(self, group, engine, stream=False):
        body = {"model": group, "stream": stream, "messages": [{"role": "user", "content": "Who are you?"}]}
        begin = time.monotonic()
        status, headers, text = ask(self.port, "POST", "/v1/chat/completions", body, KEY)
        took_ms = 1000 * (time.monotonic() - begin)
        expect(status == 200, f"{group} answered {status}: {text[:500]}")
        content = said(text, stream).strip()
        model_id = headers.get("x-litellm-model-id", "")
        tier = self.groups.get(model_id, "?")
        overhead = headers.get("x-litellm-overhead-duration-ms")
        own = f"{float(overhead):.2f} ms own" if overhead else "streamed"
        colour = "32" if tier == group else "33"
        asked = group + (" (stream)" if stream else "")
        print(f"  {asked:<18} -> {paint(colour, f'{tier:<12}')} {content!r:<19} {took_ms:6.1f} ms, {own:<11} "
              + grey(f" id {model_id[:8]}, group {headers.get('x-litellm-model-group')}"), flush=True)
        expect(content == f"Hello from {engine}", f"expected {engine}, heard {content!r}")
        return headers

    def switch(self, engine, action):
        status, _, text = ask(self.engine_ports[engine], "POST", f"/control/{action}")
        expect(status == 200, f"{engine} did not {action}: {text}")

    def tell(self):
        title("All three tiers are up")
        for group, _, engine, *_ in TIERS:
            self.say_hello(group, engine)
        title("Tier one fails: vLLM answers 503")
        self.switch("vLLM", "fail")
        self.say_hello("vllm-qwen", "Ollama")
        self.say_hello("vllm-qwen", "Ollama", stream=True)
        title("Tier two fails as well: Ollama answers 503")
        self.switch("Ollama", "fail")
        self.say_hello("vllm-qwen", "OpenAI")
        self.say_hello("vllm-qwen", "OpenAI", stream=True)
        title("Both recover")
        self.switch("vLLM", "recover")
        self.switch("Ollama", "recover")
        self.say_hello("vllm-qwen", "vLLM")


# ------------------------------------------------------------------ what was counted
def counted_by_gateway(port):
    """{(asked, answered): count} of the fallback counter, read from /metrics."""
    _, _, text = ask(port, "GET", "/metrics/", key=KEY)
    found = {}
    for line in text.splitlines():
        if line.startswith(COUNTER + "{"):
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line))
            add(found, labels, line.rsplit(" ", 1)[1])
    return found


def counted_by_prometheus(port):
    status, _, text = ask(port, "GET", "/api/v1/query?" + urllib.parse.urlencode({"query": COUNTER}))
    found = {}
    for series in json.loads(text)["data"]["result"] if status == 200 else ():
        add(found, series["metric"], series["value"][1])
    return found


def add(found, labels, value):
    pair = labels.get("requested_model", "?"), labels.get("fallback_model", "?")
    found[pair] = found.get(pair, 0) + float(value)


def show_counts(gateway_port, prometheus_port):
    title(f"{COUNTER}, one per hop")
    # Each hop counts, as in the reference: four requests left tier one, two of them tier two as well.
    wanted = {("vllm-qwen", "ollama-qwen"): 4, ("ollama-qwen", "openai-gpt4o"): 2}
    for name, read, port, patience_s in (("/metrics/", counted_by_gateway, gateway_port, 5),
                                         ("Prometheus", counted_by_prometheus, prometheus_port, SCRAPE_WAIT_S)):
        end = time.monotonic() + patience_s
        while (found := read(port)) != wanted and time.monotonic() < end:
            time.sleep(0.1)
        pairs = "   ".join(f"{a} -> {b} {bold(f'{n:g}')}" for (a, b), n in sorted(found.items(), reverse=True))
        print(f"  {name:<11} {pairs or 'nothing'}", flush=True)
        expect(found == wanted, f"{name} should have counted {wanted}")


# ------------------------------------------------------------------ the whole
def start_everything(processes, folder, binary):
    engine_ports, rows = {}, []
    for group, model, engine, protocol, path in TIERS:
        port = engine_ports[engine] = free_port()
        processes.start(engine, [sys.executable, HERE / "demo_upstreams.py", "--name", engine, "--protocol", protocol,
                                 "--port", port], port, "/health")
        rows.append(f"  - model_name: {group}\n    litellm_params: {{model: {model!r}, "
                    f"api_base: 'http://{HOST}:{port}{path}', api_key: none, timeout: 30}}")
    config = folder / "config.yaml"
    config.write_text(GATEWAY_CONFIG.format(rows="\n".join(rows)))

    gateway_port = free_port(4000)
    environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "LANG")}
    environment |= {"LITELLM_MASTER_KEY": KEY, "LITELLM_MODE": "PRODUCTION"}
    gateway, start_s = processes.start("gateway", [binary, "--config", config, "--host", HOST, "--port", gateway_port],
                                       gateway_port, "/health/readiness", environment)

    prometheus_port = free_port()
    (folder / "prometheus.yml").write_text(PROMETHEUS_CONFIG.format(port=gateway_port))
    processes.start("prometheus", ["prometheus", f"--config.file={folder / 'prometheus.yml'}",
                                   f"--storage.tsdb.path={folder / 'tsdb'}", "--log.level=warn",
                                   f"--web.listen-address={HOST}:{prometheus_port}"], prometheus_port, "/-/ready")
    return gateway, start_s, gateway_port, prometheus_port, engine_ports


def run(binary, once):
    with contextlib.ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="intertie-demo-")))
        processes = Processes(folder)
        cleanup.callback(processes.stop)
        gateway, start_s, port, prometheus_port, engine_ports = start_everything(processes, folder, binary)
        print(bold("Intertie") + f"  three engines, Prometheus and the gateway, all on {HOST}; "
              f"the gateway was ready after {1000 * start_s:.0f} ms", flush=True)
        story = Story(port, engine_ports)
        story.learn_ids()
        story.tell()
        show_counts(port, prometheus_port)
        print(f"  {'Memory':<11} {memory_mb(gateway):.1f} MB resident in the gateway", flush=True)
        if once:
            return
        shown_key = "$LITELLM_MASTER_KEY" if os.environ.get("LITELLM_MASTER_KEY") else KEY
        print(f"\n{bold('Yours until Ctrl-C')}\n"
              f"  gateway     http://{HOST}:{port}/v1   key {shown_key}\n"
              f"  metrics     http://{HOST}:{port}/metrics/\n"
              f"  Prometheus  http://{HOST}:{prometheus_port}/graph\n"
              f"  break vLLM  curl -X POST http://{HOST}:{engine_ports['vLLM']}/control/fail   (or /control/recover)",
              flush=True)
        while True:
            time.sleep(1)
            expect(gateway.poll() is None, f"the gateway ended with {gateway.returncode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--once", action="store_true", help="end after the story")
    given = parser.parse_args()
    # sys.exit unwinds the stack, which stops what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(given.binary.resolve(), given.once)
    except KeyboardInterrupt:
        print()
    except (Surprise, OSError, http.client.HTTPException) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
