#!/usr/bin/env python3
"""What does the gateway cost beside nginx as a plain proxy, and does it keep its bounds?

    python3 bench/side_by_side.py [--secs 4] [--rounds 3] [--bounds-only] [--check]

Needs wrk, nginx and build/release/intertie (INTERTIE_BIN). Both proxies do the same hop to the same
upstream on this machine, interleaved; CPU is user + system time of all their threads
(/proc/PID/task/*/schedstat). The gateway also checks the key, routes, and counts every metric.
--check: exit 1 if a bar is missed. Ratios travel between machines, absolute figures do not.
"""
import argparse
import asyncio
import glob
import http.client
import json
import os
import pathlib
import re
import resource
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
TMP = pathlib.Path(tempfile.mkdtemp(prefix="intertie-side-"))
KEY = "sk-" + secrets.token_hex(16)
STREAM_MODEL, STREAMS, CHUNKS, GAP_MS = "stream-100x20", 50, 100, 20
OPEN_MODEL, OPEN_STREAMS = "stream-600x1000", 1000
BARS = {"request_vs_nginx": 1.6, "chunk_vs_nginx": 1.3, "rss_idle_mb": 20, "rss_1000_streams_mb": 60,
        "start_ms": 50, "readiness_p99_ms": 5, "scrape_cpu_ms": 60, "scrape_gzip_cpu_ms": 60}
LABEL_SETS = 1000  # some 130 lines of an exposition each
processes = {}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


PORTS = {name: free_port() for name in ("nginx", "intertie", "many", "static", "sse")}


def write_files():
    model = ("  - model_name: {0}\n    litellm_params: {{model: openai/{0}, "
             "api_base: \"http://127.0.0.1:{1}/v1\", api_key: sk-up}}\n")
    (TMP / "config.yaml").write_text(
        "model_list:\n" + model.format("fast", PORTS["static"]) + model.format(STREAM_MODEL, PORTS["sse"])
        + model.format(OPEN_MODEL, PORTS["sse"])
        + 'litellm_settings:\n  callbacks: ["prometheus"]\ngeneral_settings:\n  master_key: os.environ/LITELLM_MASTER_KEY\n')
    (TMP / "many.yaml").write_text(
        "model_list:\n" + model.format("fast", PORTS["static"])
        + 'litellm_settings:\n  callbacks: ["prometheus"]\n  custom_prometheus_metadata_labels: ["metadata.shard"]\n'
        + "general_settings:\n  master_key: os.environ/LITELLM_MASTER_KEY\n")
    answer = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "fast",
                         "choices": [{"index": 0, "finish_reason": "stop",
                                      "message": {"role": "assistant", "content": "benchmark words " * 45}}],
                         "usage": {"prompt_tokens": 20, "completion_tokens": 180, "total_tokens": 200}})
    common = (f"worker_processes 1; daemon off; pid {TMP}/NAME.pid; error_log {TMP}/NAME.err;\n"
              f"events {{ worker_connections 8192; }}\nhttp {{ access_log off; keepalive_requests 1000000; "
              f"client_body_buffer_size 256k; client_body_temp_path {TMP}/NAME-body; proxy_temp_path {TMP}/NAME-proxy; "
              f"fastcgi_temp_path {TMP}/NAME-f; uwsgi_temp_path {TMP}/NAME-u; scgi_temp_path {TMP}/NAME-s;\n")
    (TMP / "static.conf").write_text(
        common.replace("NAME", "static") + f"server {{ listen 127.0.0.1:{PORTS['static']}; location / {{ "
        f"default_type application/json; return 200 '{answer}'; }} }} }}")
    hop = ("proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; ")
    (TMP / "nginx.conf").write_text(
        common.replace("NAME", "nginx")
        + "".join(f"upstream {n} {{ server 127.0.0.1:{PORTS[n]}; keepalive 1024; keepalive_requests 1000000; }}\n"
                  for n in ("static", "sse"))
        + f"server {{ listen 127.0.0.1:{PORTS['nginx']}; location / {{ proxy_pass http://static; {hop} }} "
        f"location /sse/ {{ proxy_pass http://sse/; {hop} }} }} }}")
    (TMP / "post.lua").write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        f'wrk.headers["Authorization"] = "Bearer {KEY}"\n'
        "wrk.body = '" + json.dumps({"model": "fast", "messages": [{"role": "user", "content": "x " * 100}]}) + "'\n")


# ------------------------------------------------------------------ processes
def start(name, command, path="/"):
    env = {**os.environ, "LITELLM_MASTER_KEY": KEY, "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"}
    begin = time.monotonic()
    with open(TMP / f"{name}.log", "w") as log:
        processes[name] = subprocess.Popen([str(c) for c in command], cwd=TMP, env=env, stdout=log, stderr=log)
    while time.monotonic() - begin < 20:
        if processes[name].poll() is not None:
            sys.exit(f"{name} ended at once:\n" + (TMP / f"{name}.log").read_text()[-2000:])
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORTS[name]}{path}", timeout=2).read()
            break
        except OSError:
            time.sleep(0.001)
    else:
        sys.exit(f"{name} does not answer:\n" + (TMP / f"{name}.log").read_text()[-2000:])
    return 1000 * (time.monotonic() - begin)


def stop(name):
    process = processes.pop(name)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def family(pid):
    children = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            parent = int(open(path).read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.split("/")[2]))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def cpu_s(name):
    total = 0
    for pid in family(processes[name].pid):
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            try:
                total += int(open(path).read().split()[0])
            except OSError:
                pass
    return total / 1e9


def rss_mb(name):
    texts = [pathlib.Path(f"/proc/{p}/status").read_text() for p in family(processes[name].pid)]
    return sum(int(re.search(r"VmRSS:\s+(\d+)", t)[1]) for t in texts) / 1024


# ------------------------------------------------------------------ load
def milliseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def wrk(name, secs, *extra, path="/v1/chat/completions", conns=32):
    command = ["wrk", "-t1", f"-c{conns}", f"-d{secs}s", *extra, f"http://127.0.0.1:{PORTS[name]}{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def cpu_per_request_us(name, secs):
    before = cpu_s(name)
    text = wrk(name, secs, "-s", str(TMP / "post.lua"))
    spent, done = cpu_s(name) - before, int(re.search(r"(\d+) requests in", text)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if bad:
        print(f"! {name}: {bad[1]} answers were not 2xx", file=sys.stderr)
    return 1e6 * spent / done


async def open_stream(name, model):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORTS[name])
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    prefix = "/sse" if name == "nginx" else ""
    writer.write((f"POST {prefix}/v1/chat/completions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n"
                  f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
    await reader.readuntil(b'"content"')  # the first chunk is here
    return reader, writer


async def read_streams(name):
    async def one():
        reader, writer = await open_stream(name, STREAM_MODEL)
        await reader.readuntil(b"[DONE]")
        writer.close()

    await asyncio.gather(*(one() for _ in range(STREAMS)))


def cpu_per_chunk_us(name):
    before = cpu_s(name)
    asyncio.run(read_streams(name))
    return 1e6 * (cpu_s(name) - before) / (STREAMS * CHUNKS)


async def rss_with_open_streams(name):
    streams = []
    for _ in range(OPEN_STREAMS // 50):
        streams += await asyncio.gather(*(open_stream(name, OPEN_MODEL) for _ in range(50)))
    await asyncio.sleep(1.5)
    value = rss_mb(name)
    for _, writer in streams:
        writer.transport.abort()
    await asyncio.sleep(0.5)
    return value


def readiness_p99_ms(secs):
    load = subprocess.Popen(["wrk", "-t1", "-c64", f"-d{secs + 2}s", "-s", str(TMP / "post.lua"),
                             f"http://127.0.0.1:{PORTS['intertie']}/v1/chat/completions"], stdout=subprocess.DEVNULL)
    time.sleep(1)
    text = wrk("intertie", secs, "--latency", path="/health/readiness", conns=1)
    load.wait()
    return milliseconds(re.search(r"(?m)^ +99% +(\S+)$", text)[1])


def scrape(accept_encoding):
    request = urllib.request.Request(f"http://127.0.0.1:{PORTS['many']}/metrics",
                                     headers={"Accept-Encoding": accept_encoding, "Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def scrape_figures(binary, secs):
    """A gateway that holds 100,000 series and more: CPU of a scrape (for 100,000 lines), and what requests notice of
    one each two seconds."""
    start("many", [binary, "--config", TMP / "many.yaml", "--host", "127.0.0.1", "--port", PORTS["many"]],
          "/health/readiness")
    connection = http.client.HTTPConnection("127.0.0.1", PORTS["many"])
    for i in range(LABEL_SETS):
        body = {"model": "fast", "metadata": {"shard": f"shard-{i}"}, "messages": [{"role": "user", "content": "hi"}]}
        connection.request("POST", "/v1/chat/completions", json.dumps(body),
                           {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
        connection.getresponse().read()
    lines = sum(1 for line in scrape("identity").splitlines() if not line.startswith(b"#"))
    assert lines >= 100_000, lines
    figures = {"scraped_lines": lines}
    for name, coding in (("scrape_cpu_ms", "identity"), ("scrape_gzip_cpu_ms", "gzip")):
        costs = []
        for _ in range(9):
            before = cpu_s("many")
            scrape(coding)
            costs.append(1000 * (cpu_s("many") - before) * 100_000 / lines)
        figures[name] = statistics.median(costs)
    # Four connections: below saturation, so that the tail is ours and not the queue's.
    p99 = {False: [], True: []}
    for i in range(6):
        ended = threading.Event()

        def scrape_now_and_then():
            while not ended.wait(2):
                scrape("gzip")

        scraper = threading.Thread(target=scrape_now_and_then)
        if i % 2:
            scraper.start()
        text = wrk("many", secs, "-s", str(TMP / "post.lua"), "--latency", conns=4)
        ended.set()
        if i % 2:
            scraper.join()
        p99[bool(i % 2)].append(milliseconds(re.search(r"(?m)^ +99% +(\S+)$", text)[1]))
    figures["p99_ms"], figures["p99_ms_beside_scrapes"] = (statistics.median(p99[k]) for k in (False, True))
    figures["p99_beside_scrapes"] = figures["p99_ms_beside_scrapes"] / figures["p99_ms"]
    stop("many")
    return figures


# ------------------------------------------------------------------ the run
def ratios(options):
    rounds = []
    for i in range(options.rounds):
        one = {}
        for name in ("nginx", "intertie"):
            one[name] = (cpu_per_request_us(name, options.secs), cpu_per_chunk_us(name))
            print(f". round {i + 1} {name}", file=sys.stderr)
        rounds.append(one)
    figures = {}
    for i, what in enumerate(("request", "chunk")):
        for name in ("nginx", "intertie"):
            figures[f"{name}_cpu_us_{what}"] = statistics.median(r[name][i] for r in rounds)
        figures[f"{what}_vs_nginx"] = statistics.median(r["intertie"][i] / r["nginx"][i] for r in rounds)
    return figures


def starts(binary):
    command = [binary, "--config", TMP / "config.yaml", "--host", "127.0.0.1", "--port", PORTS["intertie"]]
    times = []
    for _ in range(9):
        times.append(start("intertie", command, "/health/readiness"))
        stop("intertie")
    times.append(start("intertie", command, "/health/readiness"))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--secs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bounds-only", action="store_true", help="memory, start and readiness, no nginx")
    parser.add_argument("--check", action="store_true", help="exit 1 if a bar is missed")
    options = parser.parse_args()
    binary = pathlib.Path(os.environ.get("INTERTIE_BIN", ROOT / "build/release/intertie")).resolve()
    for tool in ("wrk", "nginx"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: script/setup bench")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384) if hard > 0 else 16384, hard))
    write_files()
    start("static", ["nginx", "-c", TMP / "static.conf"])
    start("sse", [sys.executable, ROOT / "bench/sse_upstream.py", PORTS["sse"]])
    figures = {"start_ms": starts(binary)}
    time.sleep(0.5)
    figures["rss_idle_mb"] = rss_mb("intertie")
    if not options.bounds_only:
        start("nginx", ["nginx", "-c", TMP / "nginx.conf"])
        figures |= ratios(options)
    figures["readiness_p99_ms"] = readiness_p99_ms(options.secs)
    figures |= scrape_figures(binary, options.secs)
    figures["rss_1000_streams_mb"] = asyncio.run(rss_with_open_streams("intertie"))
    missed = 0
    print("| figure | measured | bar | |\n|---|---|---|---|")
    for name, value in figures.items():
        bar = BARS.get(name)
        verdict = "" if bar is None else "ok" if value <= bar else "MISSED"
        missed += verdict == "MISSED"
        print(f"| {name} | {value:.2f} | {'' if bar is None else f'<= {bar}'} | {verdict} |")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    # A proxy in the environment must not stand between us and 127.0.0.1; SIGTERM must stop what we started.
    urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    finally:
        for process_name in list(processes):
            stop(process_name)
        shutil.rmtree(TMP, ignore_errors=True)
