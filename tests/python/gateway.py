"""How does a test get a running gateway? Starts the binary under test and looks after its end."""
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("INTERTIE_BIN", ROOT / "build/release/intertie"))
FLAVOUR = os.environ.get("INTERTIE_FLAVOUR", "release")
SANITIZED = FLAVOUR != "release"
# Sanitizer builds are several times slower: limits on time are stretched, limits on memory skipped.
PATIENCE = 10 if SANITIZED else 1
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "LeakSanitizer")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def row(name, model, base=None, info=None, **params):
    """One model_list entry."""
    params = {"model": model, **({"api_base": base} if base else {}), **params}
    if model.startswith("openai/"):
        params.setdefault("api_key", "sk-upstream")
    return {"model_name": name, "litellm_params": params, **({"model_info": info} if info else {})}


class Gateway:
    """One process. `config` is a dict or the text of the file; None: `config_file` stands already."""

    def __init__(self, folder, config, *, workers=1, args=(), env=None, key=None, scheme="http", verify=True,
                 config_file=None):
        self.folder, self.workers, self.args = Path(folder), workers, list(args)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config_file = Path(config_file or self.folder / "config.yaml")
        if config is not None:
            text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
            self.config_file.write_text(text)
        self.key = key or "sk-" + secrets.token_hex(24)
        self.port = free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.log_file = self.folder / "gateway.log"
        self.env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "LANG")}
        self.env |= {"LITELLM_MASTER_KEY": self.key, "LITELLM_MODE": "PRODUCTION", **(env or {})}
        self.env |= {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        self.process = None
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {self.key}"
        self.http.verify = verify
        self.http.trust_env = False

    def command(self):
        return [str(BINARY), "--config", str(self.config_file), "--host", "127.0.0.1", "--port", str(self.port),
                "--num_workers", str(self.workers), *self.args]

    def spawn(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=self.env, cwd=self.folder)
        return self

    def start(self):
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self, timeout=30.0):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            assert self.process.poll() is None, f"exit {self.process.returncode} at start:\n{self.log()}"
            try:
                if self.http.get(self.url + "/health/readiness", timeout=5).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.002)
        raise AssertionError(f"not ready after {timeout} s:\n{self.log()}")

    def terminate(self, timeout=60.0):
        """SIGTERM, then the exit code."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running {timeout} s after SIGTERM:\n{self.log()[-4000:]}") from None

    def finish(self):
        """The end of every test: a clean exit and nothing that a sanitizer would have said."""
        code = self.terminate()
        log = self.log()
        for word in SANITIZER_WORDS:
            assert word not in log, log[-12000:]
        assert code == 0, f"exit {code}:\n{log[-4000:]}"
        assert self.key not in log, "the master key stands in the log"

    # -------------------------------------------------------------- asking it
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def said(self, text, times=1, timeout=5.0):
        """The log once `text` stands in it so often: lines are written by a thread of their own."""
        end = time.monotonic() + timeout * PATIENCE
        while self.log().count(text) < times and time.monotonic() < end:
            time.sleep(0.01)
        return self.log()

    def post(self, path, body, **kw):
        kw.setdefault("timeout", 60)
        return self.http.post(self.url + path, json=body, **kw)

    def get(self, path, **kw):
        kw.setdefault("timeout", 30)
        return self.http.get(self.url + path, **kw)

    def chat(self, model, *, headers=None, http_stream=False, **body):
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **body}
        return self.post("/v1/chat/completions", body, headers=headers, stream=http_stream)

    def rss_bytes(self):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024

    # -------------------------------------------------------------- metrics
    def samples(self):
        """Every sample of the exposition: [(name, labels, value)]."""
        answer = self.get("/metrics")
        assert answer.status_code == 200, answer.text
        return [(s.name, s.labels, s.value) for f in text_string_to_metric_families(answer.text) for s in f.samples]

    def metric(self, name, **labels):
        """The sum over the samples that carry these labels."""
        return sum(value for n, have, value in self.samples()
                   if n == name and all(have.get(k) == v for k, v in labels.items()))

    def wait_metric(self, wanted, name, timeout=5.0, **labels):
        """Waits until the sum is `wanted`: accounting ends a moment after the answer."""
        end = time.monotonic() + timeout * PATIENCE
        while True:
            value = self.metric(name, **labels)
            if value == wanted or time.monotonic() > end:
                return value
            time.sleep(0.01)
