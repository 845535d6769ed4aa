"""Kept pages on disk: what comes back, what goes first, and that nothing that goes wrong is anybody's trouble."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source, TableCell, TableGrid, TextLine
from ocr_service.domain.documents import MediaType, PageAnalysis, Picture, TextLayerVerdict
from ocr_service.domain.geometry import BBox, Upright
from ocr_service.storage.page_cache import PageCache
from tests.fakes.scenario import run

MEBIBYTE = 1024 * 1024
DAY_S = 86400


def key(number: int) -> str:
    return f"{number:064x}"


def page(number: int = 3, size: int = 10) -> PageAnalysis:
    box = BBox(0, 0, 10, 10)
    grid = TableGrid(1, 1, (TableCell(0, 0, "Итого", bbox=box),))
    blocks = (
        Block("b01", LayoutLabel.TEXT, box, 0, "p0003-b02.png, сказал он", Source.OCR, confidence=0.5, lines=(TextLine(box, "да", 0.5),)),
        Block("b02", LayoutLabel.IMAGE, box, 1, f"p{number:04d}-b02.png", Source.OCR, format=ContentFormat.IMAGE),
        Block("b03", LayoutLabel.TABLE, box, 2, "", Source.TABLE_MODEL, format=ContentFormat.HTML, table=grid),
    )
    pictures = (
        Picture(f"p{number:04d}-b02.png", MediaType.PNG, os.urandom(size)),
        Picture(f"p{number:04d}.jpg", MediaType.JPEG, b"whole"),
    )
    verdict = TextLayerVerdict(used=False, reason="no text")
    return PageAnalysis(number, 200, Upright(100, 200, 90, 0.5), verdict, blocks, pictures, timings={"ocr": 3.0}, cache_key=key(1))


def cache(folder: Path, limit_bytes: int = MEBIBYTE, **changes: int) -> PageCache:
    return PageCache(folder, limit_bytes, 30.0, **{"least_free_bytes": 0, **changes})


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / ".page-cache").glob("*/*")}


def test_a_page_comes_back_as_it_was_under_its_new_number(tmp_path: Path) -> None:
    async def scenario() -> None:
        was = page(3)
        await cache(tmp_path).keep(key(1), was)
        found = await cache(tmp_path).load(key(1), 12)
        assert found is not None
        assert (found.page, found.cached, found.cache_key, found.timings, found.image) == (12, True, "", {}, "p0012.jpg")
        assert [picture.name for picture in found.pictures] == ["p0012-b02.png", "p0012.jpg"]
        assert [picture.data for picture in found.pictures] == [picture.data for picture in was.pictures]
        # Only a picture's own name is a name: the same words in a text are text.
        assert [block.content for block in found.blocks] == ["p0003-b02.png, сказал он", "p0012-b02.png", ""]
        assert (found.upright, found.blocks[0].lines, found.blocks[2].table) == (was.upright, was.blocks[0].lines, was.blocks[2].table)

    run(scenario())


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        pages = cache(tmp_path)
        assert await pages.load(key(1), 1) is None
        assert pages.stats().failures == 0

    run(scenario())


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:40] + b"\0" + data[41:], lambda _: b""])
def test_a_damaged_page_is_never_an_answer_and_goes(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    async def scenario() -> None:
        pages = cache(tmp_path)
        await pages.keep(key(1), page())
        path = pages.folder / "00" / key(1)
        path.write_bytes(damage(path.read_bytes()))
        assert await pages.load(key(1), 1) is None
        assert (pages.stats().failures, files(tmp_path)) == (1, set())

    run(scenario())


def test_what_was_needed_longest_ago_makes_room(tmp_path: Path) -> None:
    async def scenario() -> None:
        pages = cache(tmp_path, 1000 * 1024)
        for number in range(9):
            await pages.keep(key(number), page(size=100 * 1024))
            before = time.time() - 1000 + number
            os.utime(pages.folder / "00" / key(number), (before, before))
        await pages.load(key(0), 1)
        await pages.keep(key(9), page(size=100 * 1024))
        await pages.sweep()
        assert files(tmp_path) == {key(number) for number in (0, 3, 4, 5, 6, 7, 8, 9)}
        assert pages.stats().removed == 2
        assert 800 * 1024 < pages.stats().size_bytes < 900 * 1024

    run(scenario())


def test_what_another_replica_keeps_counts_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        one, other = cache(tmp_path, 1000 * 1024), cache(tmp_path, 1000 * 1024)
        for number in range(7):
            await other.keep(key(number), page(size=100 * 1024))
        for number in range(7, 14):
            await one.keep(key(number), page(size=100 * 1024))
        assert sum(path.stat().st_size for path in one.folder.glob("*/*")) <= 1000 * 1024

    run(scenario())


def test_a_page_that_is_not_needed_for_long_goes_and_so_does_what_a_killed_process_left(tmp_path: Path) -> None:
    async def scenario() -> None:
        pages = cache(tmp_path)
        await pages.keep(key(1), page())
        await pages.keep(key(2), page())
        (pages.folder / "00" / ".left.tmp").touch()
        (pages.folder / "00" / ".new.tmp").touch()
        long_ago = time.time() - 31 * DAY_S
        for name in (key(1), ".left.tmp"):
            os.utime(pages.folder / "00" / name, (long_ago, long_ago))
        await pages.sweep()
        assert files(tmp_path) == {key(2), ".new.tmp"}

    run(scenario())


def test_a_disk_that_is_nearly_full_is_left_to_the_results(tmp_path: Path) -> None:
    async def scenario() -> None:
        await cache(tmp_path).keep(key(1), page())
        pages = cache(tmp_path, least_free_bytes=2**62)
        await pages.keep(key(2), page())
        assert files(tmp_path) == set()

    run(scenario())


def test_a_folder_that_cannot_be_made_costs_nothing_but_the_cache(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / ".page-cache").write_text("in the way")
        pages = cache(tmp_path)
        await pages.keep(key(1), page())
        assert await pages.load(key(1), 1) is None
        await pages.sweep()
        assert pages.stats().failures >= 2

    run(scenario())
