"""Pages a second of the service beside its peers, in one run: rounds of A B C A B C …, so that a slow minute hits all alike."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import corpus, likeness, peers, results, service
from bench.peers import Reading

OURS = "this service"
DPI = 200
RAPIDOCR = "pymupdf4llm + RapidOCR, 2 processes × 1 thread"
RAPIDOCR_DEFAULT = "pymupdf4llm + RapidOCR, 1 process, its own threads"
PADDLEOCR = "PaddleOCR pipeline (lines only), 2 processes × 1 thread"
TESSERACT = "pymupdf4llm + Tesseract, 2 processes × 1 thread"


@dataclass(frozen=True)
class Contender:
    name: str
    read: Callable[[], Reading]


@dataclass(frozen=True)
class Course:
    """One comparison: the first contender is ours; `judge` says how right the texts (by contender) are, as table columns."""

    title: str
    contenders: list[Contender]
    judge: Callable[[dict[str, list[str]]], dict[str, dict[str, float]]]


def ours(running: service.Service, pdf: Path, **form: str) -> Reading:
    """One document over HTTP; its pages are read concurrently by all workers."""
    cpu, began = running.cpu_seconds(), time.perf_counter()
    document = running.post(pdf, {"dpi": str(DPI), **form})
    seconds = time.perf_counter() - began
    if document["failed_pages"]:
        raise SystemExit(f"pages failed in {pdf.name}: {document['failed_pages']}; a speed with failures is worth nothing")
    return Reading(seconds, running.cpu_seconds() - cpu, [page["markdown"] for page in document["pages"]])


def scans(stack: ExitStack, running: service.Service, pdf: Path, lang: str, pages: int) -> list[Contender]:
    """Ours and the three peers that read Latin and Chinese."""
    numbers = range(pages)
    pair = stack.enter_context(peers.running("pymupdf4llm+rapidocr", processes=2, threads=1))
    alone = stack.enter_context(peers.running("pymupdf4llm+rapidocr", processes=1, threads=0))
    paddle = stack.enter_context(peers.running("paddleocr", processes=2, threads=1))
    return [
        Contender(OURS, lambda: ours(running, pdf, lang=lang, include_headers_footers="true")),
        Contender(RAPIDOCR, lambda: pair.read(pdf, numbers, DPI)),
        Contender(RAPIDOCR_DEFAULT, lambda: alone.read(pdf, numbers, DPI)),
        Contender(PADDLEOCR, lambda: paddle.read(pdf, numbers, DPI)),
    ]


def english(stack: ExitStack, running: service.Service, pages: int) -> Course:
    pdf = corpus.cut(corpus.ENGLISH_SCAN, range(pages), "speed_en.pdf")
    contenders = scans(stack, running, pdf, "en", pages)
    # There is no ground truth of this scan: each engine is held against what most of them read.
    voters = (OURS, RAPIDOCR, PADDLEOCR)
    return Course(
        "English scan (300 dpi CCITT G4, read at 200 dpi)",
        contenders,
        lambda texts: likeness.to_vote(texts, [texts[name] for name in voters]),
    )


def chinese(stack: ExitStack, running: service.Service, pages: int) -> Course:
    pages = min(pages, 30)
    pdf = corpus.rendered(corpus.CHINESE_DIGITAL, range(pages), DPI, "speed_zh.pdf")
    reference = corpus.text_layers(corpus.CHINESE_DIGITAL, range(pages))
    return Course(
        "Chinese pages rendered at 200 dpi", scans(stack, running, pdf, "zh", pages), lambda texts: likeness.to_reference(texts, reference)
    )


def russian(stack: ExitStack, running: service.Service, pages: int) -> Course:
    chosen = [item for item in corpus.manifest() if item["lang"] == "ru" and item["id"].endswith(("_200", "_200dpi"))][:pages]
    pdf = corpus.joined([corpus.EVAL / "accuracy" / item["file"] for item in chosen], "speed_ru.pdf")
    pair = stack.enter_context(peers.running("pymupdf4llm+tesseract", processes=2, threads=1))
    contenders = [
        Contender(OURS, lambda: ours(running, pdf, lang="ru")),
        Contender(TESSERACT, lambda: pair.read(pdf, range(len(chosen)), DPI)),
    ]
    truths = [corpus.truth(item) for item in chosen]
    return Course(
        "Russian scans (the 200 dpi pages of the accuracy set)", contenders, lambda texts: likeness.to_truth(texts, truths)
    )


def digital(_stack: ExitStack, running: service.Service, pages: int) -> Course:
    """Our own text-layer path beside our own OCR path: many pages of the first, few of the second, spread over the same document."""
    step = max(1, 120 // pages)
    few = range(0, 120, step)[:pages]
    many = range(120) if pages >= 8 else few
    by_layer = corpus.cut(corpus.RUSSIAN_DIGITAL, many, "speed_digital.pdf")
    by_ocr = corpus.cut(corpus.RUSSIAN_DIGITAL, few, "speed_digital_ocr.pdf")
    contenders = [
        Contender(f"{OURS}, text layer trusted", lambda: ours(running, by_layer, lang="ru")),
        Contender(f"{OURS}, text_layer=ignore", lambda: ours(running, by_ocr, lang="ru", text_layer="ignore")),
    ]
    return Course("Born-digital Russian manual", contenders, lambda _texts: {})


COURSES = {"en": english, "zh": chinese, "ru": russian, "digital": digital}


def run(course: Course, rounds: int) -> Iterator[dict[str, Reading]]:
    """A round that does not count warms everything up."""
    for number in range(rounds + 1):
        readings = {}
        for contender in course.contenders:
            reading = readings[contender.name] = contender.read()
            label = f"round {number}" if number else "warm-up"
            print(f"  {label}: {contender.name}: {len(reading.texts) / reading.seconds:.2f} pages/s", flush=True)
        if number:
            yield readings


def summary(course: Course, rounds: list[dict[str, Reading]]) -> dict[str, Any]:
    """Medians over the rounds; `ours_is_times_as_fast` is the median of the ratios within each round."""
    first = course.contenders[0].name
    judged = course.judge({name: reading.texts for name, reading in rounds[-1].items()})
    rows = []
    for contender in course.contenders:
        own = [each[contender.name] for each in rounds]
        ratios = [_rate(each[first]) / _rate(each[contender.name]) for each in rounds]
        rows.append({
            "contender": contender.name,
            "pages": len(own[0].texts),
            "pages_per_s": round(median(map(_rate, own)), 3),
            "cpu_s_per_page": round(median(reading.cpu_s / len(reading.texts) for reading in own), 2),
            "ours_is_times_as_fast": round(median(ratios), 2),
            "ratios": [round(ratio, 2) for ratio in ratios],
            **judged.get(contender.name, {}),
        })  # fmt: skip
    return {"title": course.title, "rounds": len(rounds), "rows": rows}


def _rate(reading: Reading) -> float:
    return len(reading.texts) / reading.seconds


def table(course: dict[str, Any]) -> str:
    columns = {name: name.replace("_", " ") for name in course["rows"][0] if name != "ratios"}
    return results.markdown_table(list(columns.values()), [[row.get(name) for name in columns] for row in course["rows"]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=12, help="pages of each course (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: %(default)s)")
    parser.add_argument("--courses", default=",".join(COURSES), help="which (default: %(default)s)")
    service.add_arguments(parser)
    arguments = parser.parse_args()
    corpus.require()
    summaries, details = {}, {}
    with service.running(arguments) as running:
        engine = running.engine()
        for name in arguments.courses.split(","):
            with ExitStack() as stack:
                course = COURSES[name](stack, running, arguments.pages)
                print(course.title, flush=True)
                rounds = list(run(course, arguments.rounds))
                summaries[name] = summary(course, rounds)
                details[name] = [{who: asdict(reading) for who, reading in each.items()} for each in rounds]
            print(table(summaries[name]), flush=True)
            # After every course: a failure in a later one must not cost an hour's measurements.
            results.write("speed", {"engine": engine, "workers": arguments.workers, "courses": summaries}, {"readings": details})


if __name__ == "__main__":
    main()
