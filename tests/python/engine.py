"""A real engine as upstream: llama.cpp's own HTTP server (out of the package xllamacpp).

Run as a program it serves MODEL until its standard input ends: engine.py MODEL PORT. Used as a
module, Engine starts that program as a child.
"""
import subprocess
import sys
import time
from pathlib import Path

import requests


def serve(model, port):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx, params.n_parallel = 65536, 2
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    sys.stdin.read()
    del server


class Engine:
    """The child process; answers once start() returns."""

    def __init__(self, model, port, log_file):
        self.model, self.port, self.log_file = str(model), port, Path(log_file)
        self.base = f"http://127.0.0.1:{port}"

    def start(self, timeout=60.0):
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([sys.executable, __file__, self.model, str(self.port)],
                                            stdin=subprocess.PIPE, stdout=log, stderr=log)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the engine ended with {self.process.returncode}:\n{self.log_file.read_text()[-2000:]}")
            try:
                if requests.get(self.base + "/health", timeout=2).status_code == 200:
                    return self
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the engine was not ready after {timeout} s:\n{self.log_file.read_text()[-2000:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def metric(self, name):
        for line in requests.get(self.base + "/metrics", timeout=10).text.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise KeyError(name)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
