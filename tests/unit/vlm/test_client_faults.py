"""The client of the VLM server against a server that breaks. Real sockets; the circuit breaker's clock is the test's."""

from __future__ import annotations

import asyncio
import socket

import pytest

from ocr_service.domain.errors import VlmUnavailable
from ocr_service.vlm.breaker import BreakerState
from ocr_service.vlm.client import status_urls
from tests.fakes.clock import ManualClock
from tests.fakes.scenario import eventually, run
from tests.fakes.vlm_acts import Act, Answer, Drip, Fail, Garbage, HangUp, Moment, Reset, Say, Stall
from tests.fakes.vlm_server import Asked, FakeVlm, in_turn
from tests.unit.vlm.asking import asking, until_asked


@pytest.mark.parametrize(
    "fault",
    [Fail(429), Fail(500), Fail(502), Fail(503), Fail(504), Fail(503, retry_after="0"), Garbage(), Answer("half", "abort")]
    + [kind(moment) for kind in (Reset, HangUp) for moment in Moment],
)
@pytest.mark.parametrize("way", ["own", "openai"])
def test_a_fault_that_may_pass_is_tried_again(way: str, fault: Act) -> None:
    async def scenario() -> None:
        async with (
            FakeVlm(in_turn(fault, fault, Answer("text"))) as vlm,
            asking(vlm.url if way == "own" else vlm.openai_url, retries=2) as asker,
        ):
            assert (await asker.ask()).content == "text"
            assert (asker.listener.retries, asker.listener.outcomes) == (2, ["stop"])
            assert asker.client.stats().breaker is BreakerState.CLOSED

    run(scenario())


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        (Fail(500), 3),
        (Reset(), 3),
        (HangUp(), 3),
        (Garbage(), 3),
        (Fail(503, retry_after="9999"), 1),
        (Fail(503, retry_after="Fri, 31 Dec 2100 23:59:59 GMT"), 1),
        (Fail(503, retry_after="soon"), 3),
        (Fail(301), 1),
        (Fail(401), 1),
        (Fail(404), 1),
        (Say(b"<html>"), 1),
        (Say(b"[]"), 1),
        (Say(b"{}"), 1),
        (Say(b"[" * 100_000), 1),
        (Say(b"\xff\xfe"), 1),
        (Say(b'{"markdown":1,"finish_reason":"stop"}'), 1),
        (Say(b'{"markdown":"","finish_reason":"tool_calls"}'), 1),
        (Say(b"x" * (9 * 1024 * 1024)), 1),
        (Stall(), 1),
        (Stall(Moment.AFTER_HEAD), 1),
        (Stall(Moment.IN_BODY), 1),
    ],
    ids=repr,
)
def test_a_fault_that_stays_costs_a_bounded_time_and_says_so(fault: Act, attempts: int) -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(fault)) as vlm, asking(vlm.url, retries=2, first_byte_timeout_s=0.1) as asker:
            with pytest.raises(VlmUnavailable) as raised:
                await asker.ask()
            assert "127.0.0.1" not in raised.value.detail
            assert len(vlm.asked) == attempts
            assert asker.listener.outcomes == ["unavailable"]
            await eventually(lambda: vlm.in_flight == 0)
            assert asker.client.stats().in_flight == 0

    run(scenario())


def test_an_answer_that_drips_ends_with_the_time_for_the_whole() -> None:
    async def scenario() -> None:
        drip = Drip(pause_s=0.01)
        async with FakeVlm(in_turn(drip)) as vlm, asking(vlm.url, first_byte_timeout_s=5, answer_timeout_s=0.2) as asker:
            with pytest.raises(VlmUnavailable, match="too long"):
                await asker.ask()
            await eventually(lambda: vlm.disconnects == [0])

    run(scenario())


def test_a_server_that_accepts_no_connection_is_given_up_in_time() -> None:
    async def scenario() -> None:
        # A full backlog: the kernel drops further SYNs, so that connecting hangs.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            try:
                for filler in fillers:
                    filler.setblocking(False)
                    filler.connect_ex(listener.getsockname())
                url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/markdown"
                async with asking(url, connect_timeout_s=0.1, first_byte_timeout_s=0.1) as asker:
                    with pytest.raises(VlmUnavailable):
                        await asker.ask()
            finally:
                for filler in fillers:
                    filler.close()

    run(scenario())


@pytest.mark.parametrize("busy", [429, 503])
def test_the_pause_before_the_next_try_grows_and_honours_the_servers_wish(busy: int) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        script = in_turn(Fail(500), Fail(500), Fail(busy, retry_after="3"), Answer("text"))
        async with FakeVlm(script) as vlm, asking(vlm.url, clock, retries=3, first_backoff_s=1.0) as asker:
            question = asyncio.create_task(asker.ask())
            for number in range(3):
                await clock.until_slept(number + 1)
                assert len(vlm.asked) == number + 1
                clock.advance(clock.slept[-1])
            assert (await question).content == "text"
            first, second, third = clock.slept
            assert 0.5 <= first <= 1 <= second <= 2
            assert 3 + 2 <= third <= 3 + 4

    run(scenario())


def test_a_dead_server_opens_the_breaker_and_costs_nothing_until_it_is_back() -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(Answer("text"))) as vlm:
            port = vlm.port
        clock = ManualClock()
        async with asking(f"http://127.0.0.1:{port}/v1/markdown", clock, retries=0, failures_to_open=3, longest_pause_s=60) as asker:
            for _ in range(3):
                with pytest.raises(VlmUnavailable, match="cannot be reached"):
                    await asker.ask()
            assert asker.client.stats().breaker is BreakerState.OPEN
            for _ in range(50):
                with pytest.raises(VlmUnavailable, match="lately"):
                    await asker.ask()
            assert asker.listener.outcomes == ["unavailable"] * 3 + ["not_asked"] * 50
            # Each probe finds nothing, and the next one comes later.
            for number in range(3):
                await clock.until_slept(number + 1)
                assert asker.client.stats().breaker is BreakerState.OPEN
                clock.advance(clock.slept[-1])
            await clock.until_slept(4)
            assert clock.slept == [0.02, 0.04, 0.08, 0.16]
            async with FakeVlm(in_turn(Answer("back")), port=port) as vlm:
                clock.advance(1)
                await eventually(lambda: asker.client.stats().breaker is BreakerState.CLOSED)
                assert len(vlm.asked) == 1  # the probe
                assert (await asker.ask()).content == "back"

    run(scenario())


def test_while_one_probe_is_out_no_other_question_is_asked() -> None:
    async def scenario() -> None:
        clock, gate = ManualClock(), asyncio.Event()

        def script(asked: Asked) -> Act:
            return Fail(500) if asked.number == 0 else Answer("text", gate=gate)

        async with FakeVlm(script) as vlm, asking(vlm.url, clock, retries=0, failures_to_open=1) as asker:
            with pytest.raises(VlmUnavailable):
                await asker.ask()
            await eventually(lambda: clock.sleepers != [])
            clock.advance(1)
            await until_asked(vlm, 2)
            assert asker.client.stats().breaker is BreakerState.HALF_OPEN
            for _ in range(20):
                with pytest.raises(VlmUnavailable, match="lately"):
                    await asker.ask()
            assert len(vlm.asked) == 2
            gate.set()
            await eventually(lambda: asker.client.stats().breaker is BreakerState.CLOSED)
            await asker.ask()
            assert len(vlm.asked) == 3

    run(scenario())


def test_those_who_wait_for_a_place_are_sent_home_when_the_breaker_opens() -> None:
    async def scenario() -> None:
        clock = ManualClock()
        async with FakeVlm(in_turn(Stall())) as vlm:
            limits = {"max_concurrency": 2, "failures_to_open": 2, "first_byte_timeout_s": 0.1}
            async with asking(vlm.url, clock, **limits) as asker:
                results = await asyncio.gather(*(asker.ask() for _ in range(30)), return_exceptions=True)
                assert all(isinstance(result, VlmUnavailable) for result in results)
                assert len(vlm.asked) == 2
                assert sorted(asker.listener.outcomes) == ["not_asked"] * 28 + ["unavailable"] * 2
                assert (asker.client.stats().in_flight, asker.client.stats().waiting) == (0, 0)

    run(scenario())


def test_what_was_asked_before_the_breaker_opened_does_not_open_it_again() -> None:
    async def scenario() -> None:
        clock, gates = ManualClock(), [asyncio.Event(), asyncio.Event()]

        def script(asked: Asked) -> Act:
            return {0: Late(gates[0]), 1: Late(gates[1])}.get(asked.number, Answer("text"))

        async with FakeVlm(script) as vlm, asking(vlm.url, clock, retries=0, failures_to_open=1) as asker:
            first = asyncio.create_task(asker.ask())
            await until_asked(vlm, 1)
            second = asyncio.create_task(asker.ask())
            await until_asked(vlm, 2)
            gates[0].set()
            with pytest.raises(VlmUnavailable):
                await first
            await eventually(lambda: clock.sleepers != [])
            clock.advance(1)
            await eventually(lambda: asker.client.stats().breaker is BreakerState.CLOSED)
            gates[1].set()
            with pytest.raises(VlmUnavailable):
                await second
            assert asker.client.stats().breaker is BreakerState.CLOSED

    run(scenario())


class Late:
    """A failure that comes when the test says so."""

    def __init__(self, gate: asyncio.Event) -> None:
        self._gate = gate

    async def perform(self, exchange: object, body: bytes) -> bool:
        await self._gate.wait()
        return False


def test_a_busy_server_that_names_its_time_is_not_taken_for_a_dead_one() -> None:
    async def scenario() -> None:
        busy = 20

        def script(asked: Asked) -> Act:
            return Fail(503, retry_after="0") if asked.number < busy else Answer("text")

        async with FakeVlm(script) as vlm, asking(vlm.url, retries=2, failures_to_open=5, max_concurrency=10) as asker:
            answers = await asyncio.gather(*(asker.ask() for _ in range(10)))
            assert [answer.content for answer in answers] == ["text"] * 10
            assert asker.client.stats().breaker is BreakerState.CLOSED

    run(scenario())


def test_a_wrong_key_shows_in_the_breaker_and_never_in_words() -> None:
    async def scenario() -> None:
        async with (
            FakeVlm(in_turn(Answer("text")), api_key="right") as vlm,
            asking(vlm.url, api_key="secret-but-wrong", failures_to_open=2) as asker,
        ):
            for _ in range(2):
                with pytest.raises(VlmUnavailable, match="VLM_API_KEY") as raised:
                    await asker.ask()
                assert "secret" not in repr(raised.value)
            assert asker.client.stats().breaker is not BreakerState.CLOSED
            assert vlm.asked == []

    run(scenario())


def test_closing_the_client_ends_its_probe_and_its_connections() -> None:
    async def scenario() -> None:
        before = len(asyncio.all_tasks())
        async with FakeVlm(in_turn(Fail(500), Stall())) as vlm:
            async with asking(vlm.url, retries=0, failures_to_open=1) as asker:
                with pytest.raises(VlmUnavailable):
                    await asker.ask()
                await until_asked(vlm, 2)
                assert asker.client.stats().breaker is BreakerState.HALF_OPEN
            await eventually(lambda: vlm.open_connections == 0)
        await eventually(lambda: len(asyncio.all_tasks()) == before)

    run(scenario())


def test_the_server_is_available_while_it_says_so_and_the_breaker_does_not_know_better() -> None:
    async def scenario() -> None:
        clock = ManualClock()
        async with FakeVlm(in_turn(Fail(500), Answer("text")), api_key="key") as vlm:
            async with asking(vlm.url, clock, api_key="key", retries=0, failures_to_open=1) as asker:
                assert await asker.client.available()
                vlm.health = Fail(503)
                assert not await asker.client.available()
                # A gateway has no health page, but a list of models.
                vlm.health = Fail(404)
                assert await asker.client.available()
                vlm.models = Fail(404)
                assert not await asker.client.available()
                vlm.health = Answer("")
                with pytest.raises(VlmUnavailable):
                    await asker.ask()
                assert not await asker.client.available()
                await clock.until_slept(1)
                clock.advance(1)
                await eventually(lambda: asker.client.stats().breaker is BreakerState.CLOSED)
                assert await asker.client.available()
            async with asking(vlm.openai_url, retries=0) as stranger:
                vlm.health = Reset()
                assert not await stranger.client.available()

    run(scenario())


@pytest.mark.parametrize(
    ("url", "health", "models"),
    [
        ("http://h:1/v1/markdown", "http://h:1/health", "http://h:1/v1/models"),
        ("https://gate/ocr/v1/chat/completions?a=b", "https://gate/ocr/health", "https://gate/ocr/v1/models"),
        ("http://h/v1/", "http://h/health", "http://h/v1/models"),
    ],
)
def test_health_lies_beside_v1_and_models_below_it(url: str, health: str, models: str) -> None:
    assert status_urls(url) == (health, models)
