"""Fair turns between documents."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.pipeline.turns import HEAD_START, Room, Turn, Turns
from tests.fakes.scenario import run

PLENTY = {Room.WRITING: 1000, Room.REFINING: 1000}


def is_granted(turn: Turn) -> bool:
    return turn._granted.done()


async def serve(turns: Turns, waiting: dict[str, Turn], holding: list[tuple[str, Turn]], order: list[str]) -> None:
    """One worker's finished page: free its slot, see who is granted, and let that document wait for its next page."""
    _, done = holding.pop(0)
    done.close()
    for document, turn in list(waiting.items()):
        if is_granted(turn):
            order.append(document)
            holding.append((document, turn))
            waiting[document] = turns.enter(document, Room.WRITING)


def test_documents_take_turns_page_by_page() -> None:
    async def scenario() -> None:
        turns = Turns(1, PLENTY)
        holding = [("x", turns.enter("x", Room.WRITING))]
        waiting = {name: turns.enter(name, Room.WRITING) for name in "abc"}
        order: list[str] = []
        for _ in range(9):
            await serve(turns, waiting, holding, order)
        assert order == list("abcabcabc")

    run(scenario())


def test_a_new_document_goes_before_one_that_was_served_already() -> None:
    async def scenario() -> None:
        turns = Turns(1, PLENTY)
        first = turns.enter("long", Room.WRITING)
        second = turns.enter("long", Room.WRITING)
        newcomer = turns.enter("short", Room.WRITING)
        assert is_granted(first)
        first.close()
        assert is_granted(newcomer)
        assert not is_granted(second)

    run(scenario())


def test_one_document_alone_gets_all_slots() -> None:
    async def scenario() -> None:
        turns = Turns(3, PLENTY)
        assert all(is_granted(turns.enter("a", Room.WRITING)) for _ in range(3))
        assert turns.in_flight == 3
        assert not is_granted(turns.enter("a", Room.WRITING))
        assert turns.waiting == 1

    run(scenario())


def test_a_stream_of_new_documents_does_not_stop_an_old_one_for_good() -> None:
    async def scenario() -> None:
        turns = Turns(1, PLENTY)
        turns.enter("old", Room.WRITING).close()
        running = turns.enter("first", Room.WRITING)
        old = turns.enter("old", Room.WRITING)
        newcomers = 0
        while not is_granted(old):
            newcomer = turns.enter(f"new {newcomers}", Room.WRITING)
            running.close()
            running = newcomer
            newcomers += 1
            assert newcomers <= HEAD_START + 1
        assert newcomers > 1

    run(scenario())


def test_a_page_without_a_room_lets_others_pass_and_comes_when_there_is_one() -> None:
    async def scenario() -> None:
        turns = Turns(2, {Room.WRITING: 1, Room.REFINING: 1})
        refining = turns.enter("vlm", Room.REFINING)
        refining.free_slot()
        crowded_out = turns.enter("vlm", Room.REFINING)
        assert not is_granted(crowded_out)
        assert is_granted(turns.enter("plain", Room.WRITING))
        assert is_granted(turns.enter(None))
        refining.close()
        assert turns.in_flight == 2
        assert not is_granted(crowded_out)

    run(scenario())


def test_whoever_leaves_the_line_or_closes_twice_changes_nothing_for_the_others() -> None:
    async def scenario() -> None:
        turns = Turns(1, PLENTY)
        held = turns.enter("a", Room.WRITING)
        with turns.enter("b", Room.WRITING):
            assert turns.waiting == 1
        assert turns.waiting == 0
        held.free_slot()
        held.close()
        held.close()
        assert turns.in_flight == 0
        assert is_granted(turns.enter("c", Room.WRITING))
        assert not is_granted(turns.enter("c", Room.WRITING))

    run(scenario())


def test_a_waiter_that_is_cancelled_just_as_it_is_granted_gives_its_turn_back() -> None:
    async def scenario() -> None:
        turns = Turns(1, PLENTY)
        held = turns.enter("a", Room.WRITING)

        async def wait() -> None:
            with turns.enter("b", Room.WRITING) as turn:
                await turn.granted()

        waiter = asyncio.create_task(wait())
        await asyncio.sleep(0)
        held.close()
        waiter.cancel()
        await asyncio.wait({waiter})
        assert turns.in_flight == 0

    run(scenario())


def test_documents_that_are_over_are_forgotten() -> None:
    async def scenario() -> None:
        turns = Turns(1, PLENTY)
        for number in range(10):
            turns.enter(number, Room.WRITING).close()
            turns.enter(None).close()
            turns.forget(number)
        assert not turns._last_served

    run(scenario())


@given(
    slots=st.integers(1, 4),
    rooms=st.integers(1, 4),
    documents=st.lists(st.tuples(st.integers(1, 8), st.sampled_from(list(Room))), min_size=1, max_size=8),
    lengths=st.lists(st.integers(0, 3), min_size=1, max_size=8),
)
def test_every_page_gets_its_turn_no_limit_is_exceeded_and_nothing_leaks(
    slots: int, rooms: int, documents: list[tuple[int, Room]], lengths: list[int]
) -> None:
    async def scenario() -> None:
        turns = Turns(slots, dict.fromkeys(Room, rooms))
        in_room: Counter[Room] = Counter()
        served: dict[int, int] = defaultdict(int)
        length = itertools.cycle(lengths)

        async def page(document: int, room: Room, turn: Turn) -> None:
            assert turns.in_flight <= slots
            in_room[room] += 1
            assert in_room[room] <= rooms
            served[document] += 1
            for _ in range(next(length)):
                await asyncio.sleep(0)
            turn.free_slot()
            await asyncio.sleep(0)
            in_room[room] -= 1
            turn.close()

        async def document(number: int, pages: int, room: Room) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(pages):
                    turn = turns.enter(number, room)
                    await turn.granted()
                    group.create_task(page(number, room, turn))

        await asyncio.gather(*(document(number, pages, room) for number, (pages, room) in enumerate(documents)))
        assert served == {number: pages for number, (pages, _) in enumerate(documents)}
        assert (turns.in_flight, turns.waiting) == (0, 0)

    run(scenario(), limit_s=10)
