from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ocr_service.engines.ocr import tessdata
from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.tesseract import TesseractReader
from tests.unit.engines.drawn import draw


@pytest.fixture(scope="module")
def reader() -> Iterator[TesseractReader]:
    folder = tessdata.find(None, "ru")
    reader = TesseractReader(folder, tessdata.language_string(folder, "ru"))
    yield reader
    reader.close()


@pytest.mark.parametrize(
    "text", ["Поставщик обязуется передать товар", "Гарантийный срок составляет двадцать месяцев", "The supplier delivers the goods"]
)
@pytest.mark.parametrize("font", ["tiro", "helv"])
def test_russian_and_english_lines_are_read(reader: TesseractReader, text: str, font: str) -> None:
    assert " ".join(word.text for word in reader.read(draw(text, font=font).line)) == text


@pytest.mark.parametrize("size", [7, 11, 24])
def test_letters_of_any_size_are_read(reader: TesseractReader, size: float) -> None:
    words = reader.read(draw("Стоимость товара", size=size).line)
    assert [word.text for word in words] == ["Стоимость", "товара"]


def test_words_are_found_where_they_stand(reader: TesseractReader) -> None:
    drawn = draw("Заказчик принял выполненные работы")
    for word in reader.read(drawn.line):
        assert (word.x0, word.x1) == pytest.approx(drawn.words[word.text], abs=0.2 * drawn.line.height)


def test_confidence_is_between_0_and_1_and_falls_with_the_quality(reader: TesseractReader) -> None:
    drawn = draw("Заказчик принял выполненные работы")
    noise = np.random.default_rng(1).normal(0, 60, drawn.page.shape)
    spoilt = LinePicture(np.clip(drawn.page * 0.4 + 120 + noise, 0, 255).astype(np.uint8), 0, 0)
    sure, unsure = (min((word.confidence for word in reader.read(line)), default=0) for line in (drawn.line, spoilt))
    assert 0 <= unsure < sure <= 1


def test_one_line_does_not_change_how_the_next_is_read(reader: TesseractReader) -> None:
    line = draw("Цена 12 500 рублей").line
    before = reader.read(line)
    for text in ("совсем другие слова", "1234567890", "ЗАГЛАВНЫЕ БУКВЫ"):
        reader.read(draw(text).line)
    assert reader.read(line) == before


@pytest.mark.parametrize("size", [(2, 2), (40, 3), (3, 400), (40, 400)])
def test_paper_without_text_has_no_words(reader: TesseractReader, size: tuple[int, int]) -> None:
    assert reader.read(LinePicture(np.full(size, 240, np.uint8), 0, 0)) == ()
