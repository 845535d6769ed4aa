"""Clients under whose steady, mixed load everything else happens. Each is a thread; what it gets is checked at once."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.chaos.documents import Kind, Press, Sample
from tests.chaos.ledger import Ledger
from tests.chaos.scene import DOWN, FULL, PATIENCE_S
from tests.chaos.verdict import wrongs, wrongs_of_pages
from tests.e2e.test_hostile_files import ALLOWED

POLL_S = 0.5
_REFUSALS = {429, 503}
_STORAGE = 507


class Crowd:
    """All clients. `stop` lets each finish what it is at."""

    def __init__(self, url: str, ledger: Ledger, press: Press, seed: int) -> None:
        self._url = url
        self._ledger = ledger
        self._press = press
        self._seed = seed
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._send("whole", self._mixed)
        self._send("streamed and jobs", self._mixed)
        self._send("jobs", self._jobs_only)
        self._send("leaving", self._leaving)
        self._send("long", self._long)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)
            if thread.is_alive():
                self._ledger.found(f"a client never got its answer: {thread.name}")

    def _send(self, name: str, act: Callable[[Client, random.Random], None]) -> None:
        thread = threading.Thread(target=self._run, args=(name, act), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, name: str, act: Callable[[Client, random.Random], None]) -> None:
        chance = random.Random(f"{self._seed} {name}")
        with httpx.Client(base_url=self._url, timeout=PATIENCE_S) as http:
            client = Client(http, self._ledger, chance, self._stopping)
            while not self._stopping.is_set():
                try:
                    act(client, chance)
                except Exception as error:
                    self._ledger.found(f"client {name}: {type(error).__name__}: {error}")
                    raise

    def _mixed(self, client: Client, chance: random.Random) -> None:
        sample = self._press.next(chance)
        way = chance.choice([client.whole, client.stream, client.job])
        (client.whole if sample.kind is Kind.HOSTILE else way)(sample)

    def _jobs_only(self, client: Client, chance: random.Random) -> None:
        client.job(self._press.make(chance.choice([Kind.DIGITAL, Kind.SCAN]), chance.randint(1, 4)))

    def _leaving(self, client: Client, chance: random.Random) -> None:
        chance.choice([client.leave_while_reading, client.leave_while_sending, client.take_back])(self._press.make(Kind.DIGITAL, 12))
        self._stopping.wait(1)

    def _long(self, client: Client, _chance: random.Random) -> None:
        client.job(self._press.long())
        self._stopping.wait(5)


class Client:
    """One client's ways to have a document read."""

    def __init__(self, http: httpx.Client, ledger: Ledger, chance: random.Random, stopping: threading.Event) -> None:
        self._http = http
        self._ledger = ledger
        self._chance = chance
        self._stopping = stopping

    def whole(self, sample: Sample) -> None:
        """POST /ocr/pdf, and wait for the answer."""
        began = time.monotonic()
        with self._excused(sample, "whole", began):
            response = self._http.post("/ocr/pdf", files={"file": (sample.name, sample.content)}, data=sample.form)
            if not self._is_refused(sample, "whole", began, response):
                self._judge(sample, "whole", response)

    def stream(self, sample: Sample) -> None:
        """The same, page by page."""
        began = time.monotonic()
        with self._excused(sample, "stream", began), self._streaming(sample) as response:
            if response.status_code != 200:
                response.read()
                self._is_refused(sample, "stream", began, response)
                return
            lines = [json.loads(line) for line in response.iter_lines()]
            pages = [line for line in lines if "page" in line]
            if "error" in lines[-1] and "page" not in lines[-1]:
                self._broken_off(sample, began, lines[-1]["error"])
                return
            self._check(sample, "stream", wrongs_of_pages(sample.number, range(1, sample.pages + 1), pages))

    def job(self, sample: Sample) -> None:
        """POST /ocr/jobs until it is accepted, then wait for it through whatever comes, then fetch the document."""
        key = str(uuid.UUID(int=self._chance.getrandbits(128)))
        job_id = self._accepted(sample, key)
        if job_id is None:
            return
        state = self._over(job_id)
        self._ledger.outcome(sample, "job", state)
        if state != "complete":
            error = self._patiently(f"/ocr/jobs/{job_id}").json()["error"]
            self._ledger.found(f"job {job_id} ({sample.kind}, document {sample.number}) ended {state}: {error}")
            return
        answer = self._patiently(f"/ocr/documents/{job_id}").json()
        self._settle(sample, "job", answer)

    def leave_while_reading(self, sample: Sample) -> None:
        """After the first page."""
        began = time.monotonic()
        with self._excused(sample, "leaving", began), self._streaming(sample) as response:
            if response.status_code != 200:
                response.read()
                self._is_refused(sample, "leaving", began, response)
                return
            self._ledger.left(response.headers["location"].rpartition("/")[2])
            next(response.iter_lines(), None)
            self._ledger.outcome(sample, "leaving", "left")

    def leave_while_sending(self, sample: Sample) -> None:
        """In the middle of the upload."""

        def half() -> Iterator[bytes]:
            head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
            yield head + sample.content[: len(sample.content) // 2]
            raise ConnectionAbortedError

        try:
            self._http.post("/ocr/pdf", content=half(), headers={"Content-Type": "multipart/form-data; boundary=x"})
        except (ConnectionAbortedError, httpx.TransportError):
            self._ledger.outcome(sample, "leaving", "left while sending")

    def take_back(self, sample: Sample) -> None:
        """A job is cancelled."""
        job_id = self._accepted(sample, str(uuid.UUID(int=self._chance.getrandbits(128))))
        if job_id is None:
            return
        self._ledger.left(job_id)
        while True:
            began = time.monotonic()
            with self._excused(sample, "cancelling", began):
                response = self._http.delete(f"/ocr/jobs/{job_id}")
                if response.status_code == 200:
                    break
                if not self._is_refused(sample, "cancelling", began, response):
                    return
            time.sleep(POLL_S)
        self._ledger.outcome(sample, "cancelling", self._over(job_id))

    def _accepted(self, sample: Sample, key: str) -> str | None:
        """The job's id; None if the campaign ends before. The same key each time: a lost answer must not make a second job."""
        while True:
            began = time.monotonic()
            with self._excused(sample, "job", began):
                files = {"file": (sample.name, sample.content)}
                response = self._http.post("/ocr/jobs", files=files, data=sample.form, headers={"Idempotency-Key": key})
                if response.status_code == 202:
                    return str(response.json()["job_id"])
                if not self._is_refused(sample, "job", began, response):
                    return None
            if self._stopping.wait(POLL_S):
                return None

    def _over(self, job_id: str) -> str:
        while True:
            state = str(self._patiently(f"/ocr/jobs/{job_id}").json()["state"])
            if state not in {"queued", "running"}:
                return state
            time.sleep(POLL_S)

    def _patiently(self, path: str) -> httpx.Response:
        """What was accepted is asked for until there is an answer, through restarts and a full disk. Raises TimeoutError."""
        deadline = time.monotonic() + 2 * PATIENCE_S
        while time.monotonic() < deadline:
            began = time.monotonic()
            try:
                response = self._http.get(path)
            except httpx.TransportError as error:
                if not self._ledger.periods.touched(DOWN, began):
                    self._ledger.found(f"GET {path.rpartition('/')[0]} broke off while the service was up: {type(error).__name__}")
            else:
                if response.status_code == 200:
                    return response
                if not (response.status_code in _REFUSALS | {_STORAGE} and (self._troubled(FULL, began) or self._troubled(DOWN, began))):
                    raise TimeoutError(f"GET {path}: {response.status_code} {response.text[:300]}")
            time.sleep(POLL_S)
        raise TimeoutError(f"GET {path}: no answer")

    def _troubled(self, name: str, began: float) -> bool:
        # A refusal may come a moment after its cause is gone.
        return self._ledger.periods.touched(name, began - 5)

    @contextmanager
    def _streaming(self, sample: Sample) -> Iterator[httpx.Response]:
        files = {"file": (sample.name, sample.content)}
        with self._http.stream("POST", "/ocr/pdf", files=files, data=sample.form, headers={"Accept": "application/x-ndjson"}) as response:
            yield response

    @contextmanager
    def _excused(self, sample: Sample, way: str, began: float) -> Iterator[None]:
        """A broken connection is the service's fault unless it was being ended."""
        try:
            yield
        except httpx.TransportError as error:
            if not self._ledger.periods.touched(DOWN, began):
                self._ledger.found(f"{way}: {type(error).__name__} while the service was up ({sample.kind}, document {sample.number})")
            self._ledger.outcome(sample, way, "broken off by a restart")
            self._stopping.wait(POLL_S)

    def _is_refused(self, sample: Sample, way: str, began: float, response: httpx.Response) -> bool:
        """Whether the answer is an honest refusal. Anything else that is no answer is a finding."""
        status = response.status_code
        if status in _REFUSALS:
            if "retry-after" not in response.headers:
                self._ledger.found(f"{way}: {status} without Retry-After: {response.text[:300]}")
            self._ledger.outcome(sample, way, f"refused with {status}")
            self._stopping.wait(1)
            return True
        if status == _STORAGE:
            if not self._troubled(FULL, began):
                self._ledger.found(f"{way}: 507 although the disk was not full: {response.text[:300]}")
            self._ledger.outcome(sample, way, "refused with 507")
            self._stopping.wait(1)
            return True
        if status >= 500 or (status >= 400 and sample.kind is not Kind.HOSTILE):
            self._ledger.found(f"{way}: {status} for {sample.kind}, document {sample.number}: {response.text[:300]}")
        return status != 200 and sample.kind is not Kind.HOSTILE

    def _judge(self, sample: Sample, way: str, response: httpx.Response) -> None:
        if sample.case is None:
            self._settle(sample, way, response.json())
            return
        kind = "ok" if response.status_code == 200 else "client_error" if response.status_code < 500 else str(response.status_code)
        if kind not in ALLOWED[sample.case.expected]:
            self._ledger.found(f"{sample.case.path.name} got {response.status_code}: {response.text[:300]}")
        self._ledger.outcome(sample, way, "answered" if kind == "ok" else "refused with 4xx")

    def _settle(self, sample: Sample, way: str, answer: dict[str, Any]) -> None:
        if self._check(sample, way, wrongs(sample.number, sample.pages, answer)):
            self._ledger.answer(answer["document_id"], answer["pages"])

    def _check(self, sample: Sample, way: str, found: list[str]) -> bool:
        for what in found:
            self._ledger.found(f"{way}, {sample.kind}, document {sample.number} of {sample.pages} pages: {what}")
        if not found:
            self._ledger.checked(sample)
        self._ledger.outcome(sample, way, "wrong" if found else "answered")
        return not found

    def _broken_off(self, sample: Sample, began: float, error: dict[str, Any]) -> None:
        """A stream that says why it ends."""
        code = error["code"]
        excused = (code == "shutting_down" and self._troubled(DOWN, began)) or (code == "storage_failed" and self._troubled(FULL, began))
        if not excused:
            self._ledger.found(f"stream: broken off with {error} ({sample.kind}, document {sample.number})")
        self._ledger.outcome(sample, "stream", f"broken off, told why: {code}")
