#!/usr/bin/env python3
"""Stands in for what start_vllm.sh starts, as a real process: `vllm serve …`, `python server_vllm.py`, `python warmup_vllm.py`.

Standard library only. Every event is a line in the file $EVENTS: `vllm start`, `app TERM` and so on. What goes wrong is said in the JSON
file $ORDERS, read anew at each start: {"vllm": {"exit": 0, "never_ready": true, "loses_term": 1, "deaf": true}, "app": {…}, "warmup": {…}}.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

EVENTS, ORDERS = Path(os.environ["EVENTS"]), Path(os.environ["ORDERS"])


def tell(event: str) -> None:
    with EVENTS.open("a") as file:
        file.write(event + "\n")


class Role:
    def __init__(self, name: str) -> None:
        self.name = name
        self.orders: dict[str, Any] = json.loads(ORDERS.read_text()).get(name, {})
        self.terms_to_lose = int(self.orders.get("loses_term", 0))
        self.ended = threading.Event()
        self.status = 0

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._on_term)
        tell(f"{self.name} start {os.getpid()}")
        if "exit" in self.orders:
            return int(self.orders["exit"])
        if self.name == "vllm":
            self._serve()
        # A wait without end would keep the main thread from its signals on some systems.
        while not self.ended.wait(0.05):
            pass
        tell(f"{self.name} end")
        return self.status

    def _on_term(self, _number: int, _frame: object) -> None:
        tell(f"{self.name} TERM")
        if self.terms_to_lose > 0:
            self.terms_to_lose -= 1
        elif not self.orders.get("deaf"):
            self.status = int(self.orders.get("status", 0))
            self.ended.set()

    def _serve(self) -> None:
        if self.orders.get("worker"):
            worker = subprocess.Popen(["sleep", "1000"])
            tell(f"worker start {worker.pid}")
        if self.orders.get("never_ready"):
            return
        role = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                healthy = self.path == "/health" and not json.loads(ORDERS.read_text()).get("vllm", {}).get("sick")
                self.send_response(200 if healthy else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:  # type: ignore[explicit-override]
                pass

        port = int(sys.argv[sys.argv.index("--port") + 1])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        role.orders["served"] = True


if __name__ == "__main__":
    role_name = {"serve": "vllm", "server_vllm.py": "app", "warmup_vllm.py": "warmup"}[sys.argv[1]]
    role = Role(role_name)
    if role_name == "warmup" and not role.orders.get("waits"):
        tell(f"warmup {' '.join(sys.argv[2:])}")
        sys.exit(int(role.orders.get("exit", 0)))
    interesting = ("USE_VLM_API", "VLM_GPU", "VLM_TICK_S", "CLOUDRU_S3_SECRET_KEY", "VLLM_PLUGINS", "HF_HUB_OFFLINE")
    tell(f"{role_name} env {json.dumps({name: os.environ[name] for name in interesting if name in os.environ})}")
    tell(f"{role_name} args {json.dumps(sys.argv[1:])}")
    sys.exit(role.run())
