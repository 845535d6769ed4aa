from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import override

from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.paddle_reader import PaddleReader, words_of
from ocr_service.engines.ocr.readers import WHEEL_MODELS, wheel_recognizer
from ocr_service.engines.ocr.recognition import ReadChar, TextRecognizer
from ocr_service.engines.openvino_model import load_without_classifier
from tests.unit.engines.drawn import draw


@pytest.fixture(scope="module")
def recognizer() -> TextRecognizer:
    return wheel_recognizer()


@pytest.fixture(scope="module")
def reader(recognizer: TextRecognizer) -> PaddleReader:
    return PaddleReader(recognizer, "PP-OCRv6 small")


@pytest.mark.parametrize("text", ["The supplier delivers the goods", "140 250,00", "ISO 9001", "Helmut Richter GmbH"])
def test_latin_and_digits_are_read_exactly(reader: PaddleReader, text: str) -> None:
    assert " ".join(word.text for word in reader.read(draw(text).line)) == text


def test_chinese_is_read_exactly(reader: PaddleReader) -> None:
    assert reader.look(draw("关于设备验收的通知", font="china-s", size=14).line).text == "关于设备验收的通知"


@pytest.mark.parametrize("text", ["one two three", "Quantity 340 boxes and 1 250 metres of very long cable on a drum"])
def test_words_are_found_where_they_stand(reader: PaddleReader, text: str) -> None:
    drawn = draw(text)
    words = reader.read(drawn.line)
    assert [word.text for word in words] == text.split()
    for word in words:
        x0, x1 = drawn.words[word.text]
        assert (word.x0, word.x1) == pytest.approx((x0, x1), abs=0.45 * drawn.line.height)


def test_characters_come_in_order_and_within_the_line(recognizer: TextRecognizer) -> None:
    page = draw("Lorem ipsum dolor 12345").page
    places = [char.at for char in recognizer(page)]
    assert places == sorted(places)
    assert all(0 < place <= 1 for place in places)


def test_a_reading_of_cyrillic_without_its_letters_is_not_sure_of_itself(reader: PaddleReader) -> None:
    """The dictionary has no Cyrillic letter: whatever comes back must not pass for a whole line."""
    looks = [reader.look(draw(text).line) for text in ("Поставщик обязуется передать товар", "Жидкий щит для зимы", "Подпись и дата")]
    assert not any(look.complete and look.weakest > 0.8 for look in looks)


def test_a_line_without_ink_has_no_words(reader: PaddleReader) -> None:
    assert reader.read(LinePicture(np.full((30, 200), 250, np.uint8), 0, 0)) == ()


def test_a_picture_too_small_to_hold_a_letter_has_no_characters(recognizer: TextRecognizer) -> None:
    assert recognizer(np.zeros((1, 50), np.uint8)) == ()


def test_ink_beyond_the_characters_makes_a_reading_incomplete(recognizer: TextRecognizer) -> None:
    class Forgetful(TextRecognizer):
        def __init__(self) -> None:
            pass

        @override
        def __call__(self, line: NDArray[np.uint8], *, ideographic: bool = False, margin: float = 0.0) -> tuple[ReadChar, ...]:
            return tuple(char for char in recognizer(line, ideographic=ideographic, margin=margin) if char.at < 0.5)

    drawn = draw("the first half, the second half")
    assert PaddleReader(recognizer, "all").look(drawn.line).complete
    assert not PaddleReader(Forgetful(), "half").look(drawn.line).complete


def test_words_are_parted_at_spaces_and_keep_their_confidence(reader: PaddleReader) -> None:
    look = reader.look(draw("alpha beta").line)
    first, second = words_of(look, 100, 20)
    assert (first.text, second.text) == ("alpha", "beta")
    assert 0.8 < first.confidence <= 1
    assert first.x1 <= second.x0 + 20


def test_the_models_of_the_wheel_are_there() -> None:
    assert (WHEEL_MODELS / "PP-OCRv6_rec_small.onnx").is_file()


@pytest.mark.parametrize(
    "text", ["Invoice No. 2024-117 of 3 March", "€ 1 250,00 ± 5 %", "关于设备验收的通知", "The word 水 means water", "合同编号 AB-17"]
)
def test_looking_with_the_alphabet_first_reads_what_the_whole_dictionary_reads(recognizer: TextRecognizer, text: str) -> None:
    line = draw(text, font="china-s", size=14).line.pixels
    first, whole = recognizer(line), recognizer(line, ideographic=True)
    assert [char.text for char in first] == [char.text for char in whole]
    assert [char.at for char in first] == [char.at for char in whole]
    assert all(one.score == pytest.approx(other.score, abs=0.05) for one, other in zip(first, whole, strict=True))


@pytest.mark.parametrize("text", ["关于设备验收的通知", "合同编号 AB-17", "请选择 Graphical install 菜单", "共 1100 份，合计 12,500 元"])
def test_ideographs_squeezed_are_read_as_at_full_width(recognizer: TextRecognizer, text: str) -> None:
    """Narrow letters and digits that follow each other twice are the first to be lost."""
    line = draw(text, font="china-s", size=11).line.pixels
    squeezed = recognizer(line, ideographic=True, margin=0.08)
    assert "".join(char.text for char in squeezed) == "".join(char.text for char in recognizer(line, ideographic=True))


def test_a_model_that_ends_otherwise_is_run_to_its_end() -> None:
    assert load_without_classifier(WHEEL_MODELS / "PP-OCRv6_det_small.onnx") is None
