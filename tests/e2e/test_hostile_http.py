"""Clients that speak HTTP badly, or only pretend to, against the real server over real sockets.

Each gets a clear refusal or a closed connection; nothing of it stays on the disk, in the service's places or in its memory.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.running import RunningServer, running, wait_until

pytestmark = pytest.mark.e2e

SCRIPT = "tests/e2e/serve_fake.py"
PDF = b"%PDF-1.7 pages=1 "
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {"OCR_MAX_UPLOAD_MB": "2", "OCR_UPLOAD_TIMEOUT_S": "2", "OCR_HEADER_TIMEOUT_S": "1", "OCR_MAX_CONNECTIONS": "100"}
    with running(SCRIPT, tmp_path_factory.mktemp("hostile"), **settings) as running_server:
        yield running_server


@pytest.fixture(autouse=True)
def _unharmed(server: RunningServer) -> Iterator[None]:
    """Whatever a test did: the service answers, holds nothing of it, and did not meet an error that it does not know."""
    folders = set(server.folders())
    yield
    wait_until(lambda: server.leftovers() == [], "uploads to be removed")
    wait_until(lambda: server.metric("ocr_documents_in_service") == 0, "places to be free")
    assert [line for line in server.log() if line["level"] == "error"] == []
    assert server.post(PDF).status_code == 200
    assert all(re.fullmatch("[a-z2-7]{26}", folder.name) for folder in set(server.folders()) - folders)
    assert sorted(path.name for path in server.output_dir.parent.iterdir()) == ["log.jsonl", "output"]


def connected(server: RunningServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def answers(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionError:
        pass  # closed while we were still sending
    return received


def sent(server: RunningServer, *pieces: bytes, then_stop: bool = False) -> bytes:
    """What comes back for these bytes until the connection is closed. `then_stop`: this side has nothing more to say."""
    with connected(server) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if then_stop:
                connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # refused before all was sent
        return answers(connection)


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def head(*more: bytes, boundary: bytes = b"b", length: int | None = None) -> bytes:
    lines = [b"POST /ocr/pdf HTTP/1.1", b"Host: x", b"Content-Type: multipart/form-data; boundary=" + boundary, *more]
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def part(name: bytes, value: bytes, *more: bytes) -> bytes:
    disposition = b'Content-Disposition: form-data; name="' + name + b'"' + b"".join(b"; " + item for item in more)
    return b"--b\r\n" + disposition + b"\r\n\r\n" + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


def file_part(filename: bytes = b"a.pdf", content: bytes = PDF) -> bytes:
    return part(b"file", content, b'filename="' + filename + b'"')


# Slow


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(server: RunningServer) -> None:
    """Slowloris: each byte in time, the head never."""
    stop = threading.Event()
    with connected(server) as connection:

        def drip() -> None:
            with connection.dup() as writing:
                for byte in b"GET /health HTTP/1.1\r\nX: " + b"a" * 10_000:
                    try:
                        writing.sendall(bytes([byte]))
                    except OSError:
                        return
                    if stop.wait(0.05):
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        received = answers(connection)
        stop.set()
        dripping.join()
    assert statuses(received) == [408]


def test_a_second_head_on_a_kept_connection_is_not_waited_for_either(server: RunningServer) -> None:
    assert statuses(sent(server, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health")) == [200, 408]


def test_a_connection_on_which_nothing_is_asked_is_closed(server: RunningServer) -> None:
    assert sent(server) == b""


def test_a_body_that_comes_byte_by_byte_is_not_waited_for(server: RunningServer) -> None:
    assert statuses(sent(server, head(length=100_000), b"--b\r\n")) == [408]


def test_what_is_sent_after_a_refusal_is_not_received_for_ever(server: RunningServer) -> None:
    """The body of a refused request, promised in full and dripped: the connection ends all the same."""
    received = sent(server, head(length=10 * 2**30))
    assert statuses(received) == [413]


def test_connections_beyond_the_limit_are_turned_away_and_the_others_served(server: RunningServer) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(connected(server)) for _ in range(120)]
        for connection in held:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        found = [statuses(answers(connection)) for connection in held]
    assert found.count([200]) >= 90
    assert found.count([503]) >= 10
    assert {tuple(status) for status in found} <= {(200,), (503,), ()}


# Malformed


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # TLS
        b"GET / HTTP/one\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\n folded: y\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX\x00Y: z\r\n\r\n",
        b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n",
        b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 50_000 + b"\r\n",
    ],
    ids=lambda value: value[:40].decode("latin-1").encode("unicode_escape").decode(),
)
def test_a_request_that_is_none_is_refused_and_the_connection_closed(server: RunningServer, request_bytes: bytes) -> None:
    found = statuses(sent(server, request_bytes))
    assert len(found) == 1
    assert 400 <= found[0] < 502


@pytest.mark.parametrize("chunk", [b"xyz\r\n", b"-5\r\nabcde\r\n", b"5\r\nabcdeXX", b"FFFFFFFFFFFFFFFFFFFFF\r\n", b"5;" + b"a" * 100_000])
def test_chunks_that_are_none_end_the_connection(server: RunningServer, chunk: bytes) -> None:
    started = head(b"Transfer-Encoding: chunked") + b"4\r\n--b\r\r\n"
    assert statuses(sent(server, started, chunk, b"\r\n" * 4)) in ([400], [408], [])


def test_a_body_shorter_than_announced_leaves_nothing(server: RunningServer) -> None:
    body = form(file_part())
    assert statuses(sent(server, head(length=len(body) + 1000), body, then_stop=True)) in ([], [400], [408])


def test_a_body_longer_than_announced_is_a_request_of_its_own_and_a_bad_one(server: RunningServer) -> None:
    body = form(file_part())
    found = statuses(sent(server, head(length=len(body)), body + b"surplus " * 100 + b"\r\n\r\n"))
    assert found == [200, 400]


def test_two_lengths_in_one_request_do_not_smuggle_another(server: RunningServer) -> None:
    """With both headers chunks count, as the standard says: what follows them is a request that a proxy sees, too, or nothing."""
    smuggled = b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    request = b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
    assert statuses(sent(server, request + smuggled)) in ([400], [415, 200])


def test_requests_in_a_row_are_answered_in_their_order(server: RunningServer) -> None:
    body = form(file_part())
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    pipelined = (head(length=len(body)) + body) * 3 + b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" * 20 + last
    assert statuses(sent(server, pipelined)) == [200] * 23 + [404]


# Forms


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (form(*[part(b"dpi", b"200")] * 10_000, file_part()), 422),
        (form(*[file_part()] * 10), 422),
        (form(file_part(), part(b"dpi", b"100"), part(b"dpi", b"200")), 422),
        (form(file_part(), part(b"dpi", b"1" * 100_000)), 422),
        (form(file_part(), part(b"x" * 100_000, b"1")), 400),
        (form(file_part(b"a" * 100_000)), 400),
        (form(part(b"file", PDF)), 422),
        (form(b"--b\r\n" + b"X: y\r\n" * 20_000 + b"\r\n\r\n", file_part()), 400),
        (form(file_part(content=b"")), 422),
        (form(file_part(content=b"MZ" + bytes(1000))), 415),
        (form(file_part(content=b"PK\x03\x04" + bytes(1000))), 415),
        (form(part(b"password", b"\xff\xfe"), file_part()), 422),
        (b"--c\r\n" + form(file_part()), 400),
        (b"", 400),
        (b"\x00" * 100_000, 400),
        (file_part() * 3, 422),
    ],
    ids=["10,000 parts", "ten files", "a field twice", "a huge field", "a huge name", "a huge file name", "a file without a name",
         "20,000 headers of a part", "an empty file", "a program", "a zip", "no UTF-8", "another boundary", "nothing", "zeros", "no end"],
)  # fmt: skip
def test_a_form_that_is_not_right_is_refused(server: RunningServer, body: bytes, status: int) -> None:
    assert statuses(sent(server, head(b"Connection: close", length=len(body)) + body)) == [status]


@pytest.mark.parametrize("kind", [b"text/plain", b"application/json", b"application/x-www-form-urlencoded", b"multipart/mixed; boundary=b"])
def test_another_type_than_a_form_is_refused(server: RunningServer, kind: bytes) -> None:
    request = b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + kind + b"\r\nContent-Length: 5\r\n\r\n12345"
    assert statuses(sent(server, request)) == [415]


@pytest.mark.parametrize(
    "name",
    [b"../../../../tmp/evil.pdf", b"..\\\\..\\\\evil.pdf", b"/etc/passwd", b"a\x00b.pdf", b"x" * 3_000, b"%2e%2e%2fevil", b"\xff\xfe\x80",
     "‮fdp.exe".encode(), b"CON", b".", b"..", b"", b"result.json", b"a\r.pdf"],
)  # fmt: skip
def test_a_files_name_leads_nowhere(server: RunningServer, name: bytes) -> None:
    body = form(file_part(name))
    received = sent(server, head(b"Connection: close", length=len(body)) + body)
    (status,) = statuses(received)
    assert status in {200, 400, 422}
    if status == 200:
        answer = json.loads(received.partition(b"\r\n\r\n")[2])
        assert not re.search(r"[/\\\x00-\x1f\u202e]", answer["filename"])
        folder = server.output_dir / answer["document_id"]
        assert {path.name for path in folder.iterdir()} == {"pages", "images", "source.pdf", "document.md", "result.json", ".order"} & {
            path.name for path in folder.iterdir()
        }


@pytest.mark.parametrize(
    "path",
    [b"/ocr/documents/../../etc/passwd", b"/ocr/documents/%2e%2e/%2e%2e/etc/passwd", b"/ocr/documents/%00", b"/ocr/jobs/%00",
     b"/ocr/jobs/" + b"a" * 5000, b"/ocr/jobs/a/events",
     b"/web/../../settings.py", b"/web/%2e%2e/%2e%2e/settings.py", b"/docs/..%2f..%2fetc", b"//etc/passwd", b"/%ff%fe"],
)  # fmt: skip
def test_a_path_leads_to_no_file_outside(server: RunningServer, path: bytes) -> None:
    assert statuses(sent(server, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == [404]


# Gone


def test_clients_that_vanish_at_any_byte_leave_nothing(server: RunningServer) -> None:
    body = form(part(b"dpi", b"150"), file_part(content=PDF + bytes(300_000)))
    whole = head(length=len(body)) + body
    for cut in (1, 20, 60, 120, 160, 200, 260, 1000, 100_000, 290_000, len(whole) - 1, len(whole)):
        with connected(server) as connection:
            # The connection is reset, not closed.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(whole[:cut])


def test_the_services_memory_does_not_follow_what_is_thrown_at_it(server: RunningServer) -> None:
    """Each of these would be tens of megabytes if it were kept."""

    def resident() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    flood = [head(b"Transfer-Encoding: chunked") + b"".join(b"10000\r\n" + bytes(0x10000) + b"\r\n" for _ in range(640))]
    flood += [b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 5_000_000]
    flood += [form(*[part(b"dpi", b"200")] * 400_000)]
    flood[2] = head(length=len(flood[2])) + flood[2]
    before = resident()
    for request in flood * 2:
        sent(server, request)
    assert resident() - before < 30 * MEBIBYTE
