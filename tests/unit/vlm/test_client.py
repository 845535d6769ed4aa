"""The client of the VLM server against a server that behaves, slow or busy though it may be. Real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ocr_service.domain.documents import MediaType
from ocr_service.domain.errors import VlmRefused, VlmUnavailable
from ocr_service.domain.vlm import FinishReason, Sampling, VlmTask
from ocr_service.vlm.breaker import BreakerState
from tests.fakes.scenario import eventually, run
from tests.fakes.vlm_acts import Answer, Fail, Say
from tests.fakes.vlm_server import Asked, FakeVlm, in_turn
from tests.unit.vlm.asking import CROP, PNG, asking, until_asked


@pytest.mark.parametrize("way", ["own", "v1", "v1/", "chat/completions"])
@pytest.mark.parametrize("task", list(VlmTask))
def test_both_ways_give_the_same_answer_to_the_same_crop(way: str, task: VlmTask) -> None:
    async def scenario() -> None:
        said = {VlmTask.TABLE: "<fcel>A<lcel><nl>", VlmTask.CHART: "a|b\n1|2", VlmTask.FORMULA: r"\[x\]"}.get(task, "слово")
        async with FakeVlm(in_turn(Answer(said, prompt_tokens=7, completion_tokens=3)), api_key="key") as vlm:
            url = {"own": vlm.url, "v1": vlm.openai_url}.get(way, f"{vlm.openai_url}/{way.removeprefix('v1/')}")
            async with asking(url, api_key="key") as asker:
                answer = await asker.ask(task, replace(CROP, media_type=MediaType.JPEG))
            assert answer.raw == said
            assert (answer.defect, answer.finish_reason, answer.prompt_tokens, answer.completion_tokens) == ("", FinishReason.STOP, 7, 3)
            assert answer.model == vlm.model
            asked = vlm.asked[0]
            assert (asked.task, asked.image, asked.media_type) == (task.value, PNG, "image/jpeg")
            assert asked.body["temperature"] == 0
            assert asker.listener.asked == [(task.value, "stop", 7, 3)]

    run(scenario())


def test_sampling_reaches_the_server_on_both_ways() -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(Answer("text"))) as vlm:
            for url in (vlm.url, vlm.openai_url):
                async with asking(url) as asker:
                    await asker.ask(sampling=Sampling(0.2, 1.1, 77))
                    await asker.ask()
            own, own_plain, openai, openai_plain = (asked.body for asked in vlm.asked)
            assert (own["temperature"], own["repetition_penalty"], own["max_tokens"]) == (0.2, 1.1, 77)
            assert (openai["temperature"], openai["repetition_penalty"], openai["max_completion_tokens"]) == (0.2, 1.1, 77)
            # Our own server has a limit of its own; a plain one would go on until its context is full.
            assert "max_tokens" not in own_plain
            assert openai_plain["max_completion_tokens"] == 4096
            assert "repetition_penalty" not in own_plain
            assert "repetition_penalty" not in openai_plain
            # vLLM answers these with 400 (tests/vlm_server: real vLLM).
            assert "mm_processor_kwargs" not in {*openai, *openai_plain}

    run(scenario())


@pytest.mark.parametrize(
    ("word", "reason"), [("stop", FinishReason.STOP), ("length", FinishReason.LENGTH), ("repetition", FinishReason.REPETITION)]
)
def test_the_servers_finish_reason_is_passed_on(word: str, reason: FinishReason) -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(Answer("text", word))) as vlm:
            for url in (vlm.url, vlm.openai_url):
                async with asking(url) as asker:
                    assert (await asker.ask()).finish_reason is reason
                    assert asker.listener.outcomes == [reason.value]

    run(scenario())


def test_a_plain_server_that_loops_gives_the_prefix_and_the_reason() -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(Answer("Договор. " + "и так далее, " * 300, "length"))) as vlm, asking(vlm.openai_url) as asker:
            answer = await asker.ask()
            assert answer.finish_reason is FinishReason.REPETITION
            assert answer.content.startswith("Договор. и так далее")
            assert len(answer.content) < 30

    run(scenario())


def test_the_model_is_looked_up_once_and_a_set_name_is_believed() -> None:
    async def scenario() -> None:
        async with FakeVlm(lambda asked: Answer(asked.body["model"]), model="PaddleOCR-VL-1.6-0.9B") as vlm:
            async with asking(vlm.openai_url) as asker:
                assert (await asker.ask()).content == "PaddleOCR-VL-1.6-0.9B"
                vlm.models = Fail(500)
                assert (await asker.ask()).content == "PaddleOCR-VL-1.6-0.9B"
            async with asking(vlm.openai_url, model="mine") as asker:
                assert (await asker.ask()).content == "mine"

    run(scenario())


def test_the_first_version_is_asked_to_read_a_seal_as_text() -> None:
    async def scenario() -> None:
        async with FakeVlm(lambda asked: Answer(asked.task)) as vlm:
            for model, task in [
                ("PaddleOCR-VL-0.9B", "ocr"),
                ("PaddlePaddle/PaddleOCR-VL", "ocr"),
                ("PaddleOCR-VL-1.5-0.9B", "seal"),
                ("PaddleOCR-VL-1.6-0.9B", "seal"),
                ("our-name", "seal"),
            ]:
                async with asking(vlm.openai_url, model=model) as asker:
                    assert (await asker.ask(VlmTask.SEAL)).content == task

    run(scenario())


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_the_server_refuses_is_not_asked_again_and_blames_nobody(status: int) -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(Fail(status))) as vlm, asking(vlm.url, failures_to_open=1) as asker:
            for _ in range(3):
                with pytest.raises(VlmRefused, match=str(status)):
                    await asker.ask()
            assert len(vlm.asked) == 3
            assert asker.client.stats().breaker is BreakerState.CLOSED
            assert asker.listener.outcomes == ["refused"] * 3

    run(scenario())


@pytest.mark.parametrize(("fault", "attempts"), [(Fail(408), 1), (Fail(429), 3), (Fail(429, retry_after="9999"), 1)], ids=repr)
def test_a_server_that_has_no_time_is_asked_again_only_if_it_says_too_many_and_is_never_blamed(fault: Fail, attempts: int) -> None:
    async def scenario() -> None:
        async with FakeVlm(in_turn(fault)) as vlm, asking(vlm.url, retries=2, failures_to_open=1) as asker:
            with pytest.raises(VlmUnavailable, match="no time"):
                await asker.ask()
            assert len(vlm.asked) == attempts
            assert asker.client.stats().breaker is BreakerState.CLOSED

    run(scenario())


def test_the_limit_is_never_exceeded_and_who_waits_longest_goes_next() -> None:
    async def scenario() -> None:
        gates = [asyncio.Event() for _ in range(12)]
        order: list[str] = []

        def script(asked: Asked) -> Answer:
            order.append(asked.image.decode())
            return Answer("text", gate=gates[asked.number])

        async with FakeVlm(script) as vlm, asking(vlm.url, max_concurrency=3) as asker:
            questions = []
            for number in range(12):
                questions.append(asyncio.create_task(asker.ask(crop=replace(CROP, data=str(number).encode()))))
                await asyncio.sleep(0)
            await until_asked(vlm, 3)
            assert (asker.client.stats().in_flight, asker.client.stats().waiting) == (3, 9)
            for number in range(12):
                gates[number].set()
                await until_asked(vlm, min(12, number + 4))
            await asyncio.gather(*questions)
            assert vlm.peak_in_flight == 3
            assert vlm.connections <= 3
            # The first three start together; from then on one goes when one is done.
            assert sorted(order[:3]) == ["0", "1", "2"]
            assert order[3:] == [str(number) for number in range(3, 12)]
            assert (asker.client.stats().in_flight, asker.client.stats().waiting) == (0, 0)

    run(scenario())


def test_a_cancelled_question_is_seen_by_the_server_and_its_place_is_free() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        async with FakeVlm(lambda asked: Answer("text", gate=gate)) as vlm, asking(vlm.url, max_concurrency=2) as asker:
            for round_ in range(10):
                questions = [asyncio.create_task(asker.ask()) for _ in range(4)]
                await until_asked(vlm, 2 * (round_ + 1))
                # First those who wait, so that nobody moves up.
                for question in reversed(questions):
                    question.cancel()
                await asyncio.gather(*questions, return_exceptions=True)
                await eventually(lambda: vlm.in_flight == 0 and vlm.open_connections == 0)
            assert sorted(vlm.disconnects) == list(range(20))
            assert (asker.client.stats().in_flight, asker.client.stats().waiting) == (0, 0)
            assert asker.listener.outcomes == ["cancelled"] * 40
            # Nothing of the pool was lost on the way.
            gate.set()
            await asyncio.gather(*(asker.ask() for _ in range(6)))
            assert vlm.open_connections <= 2

    run(scenario())


def test_who_waits_too_long_for_a_place_goes_without_an_answer() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        async with (
            FakeVlm(lambda asked: Answer("text", gate=gate)) as vlm,
            asking(vlm.url, max_concurrency=1, place_timeout_s=0.05, failures_to_open=1) as asker,
        ):
            first = asyncio.create_task(asker.ask())
            await until_asked(vlm, 1)
            with pytest.raises(VlmUnavailable, match="no time"):
                await asker.ask()
            gate.set()
            assert (await first).content == "text"
            assert len(vlm.asked) == 1
            assert asker.client.stats().breaker is BreakerState.CLOSED

    run(scenario())


def test_an_answer_is_read_whatever_the_server_adds_to_it() -> None:
    async def scenario() -> None:
        body = b'{"markdown":"text","finish_reason":"stop","id":[1,{"a":null}],"usage":null}'
        async with FakeVlm(in_turn(Say(body))) as vlm, asking(vlm.url) as asker:
            assert (await asker.ask()).content == "text"

    run(scenario())


def test_the_models_own_words_are_read_unless_they_run_in_circles() -> None:
    async def scenario() -> None:
        said = Answer("<table><tr><td>A</td></tr></table>", raw="<fcel>A<lcel><nl>")
        looped = Answer("<fcel>A<nl>", "repetition", raw="<fcel>A<nl>" * 100)
        async with FakeVlm(in_turn(said, looped)) as vlm, asking(vlm.url) as asker:
            whole = (await asker.ask(VlmTask.TABLE)).table
            assert whole is not None
            assert whole.columns == 2
            kept = (await asker.ask(VlmTask.TABLE)).table
            assert kept is not None
            assert kept.rows == 1

    run(scenario())
