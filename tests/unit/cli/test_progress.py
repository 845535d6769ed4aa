"""Progress where there is no terminal; `tests/e2e/test_command_line.py` has a real one."""

from __future__ import annotations

import io

from ocr_service.cli import progress


def test_a_log_gets_whole_lines_and_no_control_characters() -> None:
    out = io.StringIO()
    with progress.shown(2, quiet=False, out=out) as shown:
        track = shown.document("a.pdf")
        track.total(2)
        track.page()
        track.page()
        shown.done(track, "✓ a.pdf")
        shown.say("other")
    assert out.getvalue() == "✓ a.pdf\nother\n"


def test_a_long_document_is_told_of_now_and_then() -> None:
    out = io.StringIO()
    shown = progress.Lines(out, every_s=0)
    track = shown.document("a.pdf")
    track.waits(2)
    track.page()
    track.total(3)
    track.page()
    track.restart()
    track.page()
    told = ["#2 in the queue", "1 pages", "2 of 3 pages", "1 of 3 pages"]
    assert out.getvalue().splitlines() == [f"a.pdf: {words}" for words in told]


def test_quiet_is_quiet() -> None:
    out = io.StringIO()
    with progress.shown(2, quiet=True, out=out) as shown:
        track = shown.document("a.pdf")
        track.page()
        shown.done(track, "✓ a.pdf")
    assert out.getvalue() == ""
