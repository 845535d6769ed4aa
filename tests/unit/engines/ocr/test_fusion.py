from __future__ import annotations

import numpy as np
import pytest
from typing_extensions import override

from ocr_service.engines.ocr.fusion import FusedReader
from ocr_service.engines.ocr.glance import is_foreign, is_numeric
from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.paddle_reader import PaddleReader, Reading
from ocr_service.engines.ocr.reading import ReadWord
from ocr_service.engines.ocr.recognition import ReadChar

WIDTH, HEIGHT = 800, 40


def blank(width: int = WIDTH) -> LinePicture:
    """The fakes do not look at pixels, only at how wide a picture is."""
    return LinePicture(np.full((HEIGHT, width), 255, np.uint8), 0.0, 0.0)


def reading(text: str, *, score: float = 0.97, complete: bool = True) -> Reading:
    chars = tuple(ReadChar(char, score, (place + 0.5) / max(1, len(text))) for place, char in enumerate(text))
    return Reading(chars, complete)


class Knows:
    """A line reader that always reads the same words, evenly over the line."""

    name = "knows"

    def __init__(self, text: str, confidence: float = 0.95) -> None:
        self._text = text
        self._confidence = confidence

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
        words = self._text.split()
        step = line.width / max(1, len(words))
        return tuple(ReadWord(word, self._confidence, place * step, (place + 0.9) * step) for place, word in enumerate(words))


class Universal(PaddleReader):
    """PP-OCRv6's part: one reading for the whole line, one for any part of it."""

    def __init__(self, whole: Reading, part: Reading | None = None) -> None:
        self.name = "universal"
        self._whole = whole
        self._part = part or Reading((), complete=False)

    @override
    def look(self, line: LinePicture) -> Reading:
        return self._whole if line.width == WIDTH else self._part


def read(mixed: str, whole: Reading, part: Reading | None = None, *, cyrillic: str = "", confidence: float = 0.95) -> str:
    fused = FusedReader(Knows(mixed, confidence), Knows(cyrillic), Universal(whole, part))
    return " ".join(word.text for word in fused.for_page([]).read(blank()))


@pytest.mark.parametrize("text", ["140 250,00", "15.03.2024", "12%", "(7)", "-3,5"])
def test_digits_that_cover_all_the_ink_are_numeric(text: str) -> None:
    assert is_numeric(reading(text))


def test_digits_are_not_numeric_with_letters_or_doubt_or_ink_left_over() -> None:
    assert not is_numeric(reading("12 кг"))
    assert not is_numeric(reading("--"))
    assert not is_numeric(reading("12", score=0.5))
    assert not is_numeric(reading("12", complete=False))


def test_latin_is_foreign_only_where_it_cannot_be_cyrillic_in_disguise() -> None:
    assert is_foreign(reading("The supplier delivers the goods"))
    assert is_foreign(reading("关于设备验收"))
    assert not is_foreign(reading("COCHA BECHA"))
    assert not is_foreign(reading("IIPOTOKOJI No 7/3"))
    assert not is_foreign(reading("AKT npuemku"))
    assert is_foreign(reading("SCHNEIDER ELECTRIC"))
    assert not is_foreign(reading("The goods", complete=False))
    assert not is_foreign(reading("The goods", score=0.7))


def test_sure_russian_words_are_kept_as_they_are() -> None:
    wrong = reading("Noctabka tobapa")
    assert read("Поставка товара", wrong, wrong) == "Поставка товара"


def test_a_number_that_the_universal_reader_is_sure_of_replaces_a_misread_one() -> None:
    assert read("сумма 14О25О,00", reading("x", complete=False), reading("140250,00")) == "сумма 140250,00"


def test_sure_cyrillic_letters_are_not_taken_for_digits() -> None:
    assert read("за", reading("3a"), reading("3")) == "за"


def test_latin_that_nobody_confirms_is_read_again_in_cyrillic() -> None:
    assert read("платёж HAC", reading("x", complete=False), cyrillic="НДС") == "платёж НДС"


def test_latin_that_the_universal_reader_confirms_stays_latin() -> None:
    assert read("фирма Richter", reading("x", complete=False), reading("Richter"), cyrillic="Кспгег") == "фирма Richter"


@pytest.mark.parametrize("sign", ["No", "N", "Nº"])
def test_a_numero_sign_is_one_however_it_was_read(sign: str) -> None:
    assert read(f"договор {sign}17", reading("x", complete=False), cyrillic="") == "договор №17"


def test_a_short_line_of_digits_needs_one_look_only() -> None:
    class MustNotBeAsked(Knows):
        @override
        def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
            raise AssertionError("the slow reader was asked for a number")

    class Number(PaddleReader):
        def __init__(self) -> None:
            self.name = "number"

        @override
        def look(self, line: LinePicture) -> Reading:
            return reading("359 440,00")

    slow = MustNotBeAsked("")
    words = FusedReader(slow, slow, Number()).for_page([]).read(blank(HEIGHT * 4))
    assert [word.text for word in words] == ["359", "440,00"]


def inked(*words: tuple[int, int]) -> LinePicture:
    """A line with ink in these columns."""
    pixels = np.full((HEIGHT, HEIGHT * 8), 255, np.uint8)
    for first, end in words:
        pixels[8:32, first:end] = 0
    return LinePicture(pixels, 0.0, 0.0)


class Glancing(PaddleReader):
    """The universal reader, which notes how wide the pictures are that it looks at."""

    def __init__(self, whole: Reading, part: Reading) -> None:
        self.name = "glancing"
        self.widths: list[int] = []
        self._whole, self._part = whole, part

    @override
    def look(self, line: LinePicture) -> Reading:
        self.widths.append(line.width)
        return self._whole if line.width == HEIGHT * 8 else self._part


def test_a_short_line_is_looked_at_no_further_when_its_first_word_is_cyrillic() -> None:
    universal = Glancing(reading("x", complete=False), reading("Bocem", complete=False))
    words = FusedReader(Knows("Всего оплачено"), Knows(""), universal).for_page([]).read(inked((4, 100), (120, 310)))
    assert [word.text for word in words] == ["Всего", "оплачено"]
    assert universal.widths == [pytest.approx(110, abs=10)]


def test_a_short_line_is_looked_at_as_a_whole_when_its_first_word_may_be_a_number() -> None:
    universal = Glancing(reading("359 440,00"), reading("359"))
    words = FusedReader(Knows("З59 44О,ОО"), Knows(""), universal).for_page([]).read(inked((4, 100), (120, 310)))
    assert [word.text for word in words] == ["359", "440,00"]


@pytest.mark.parametrize("words", [[(4, 310)], [(4, 30), (38, 310)], [(4, 270), (285, 310)], []])
def test_a_short_line_without_a_first_word_of_use_is_looked_at_once(words: list[tuple[int, int]]) -> None:
    """One word, a marker with one word, nearly one word, none at all."""
    universal = Glancing(reading("12"), reading("never"))
    FusedReader(Knows("12"), Knows(""), universal).for_page([]).read(inked(*words))
    assert universal.widths == [HEIGHT * 8]


@pytest.mark.parametrize("sign", ["№", "—", "%"])
def test_signs_that_tesseract_knows_are_not_looked_at_where_it_is_sure(sign: str) -> None:
    wrong = reading("1")
    assert read(f"договор {sign} номер", reading("x", complete=False), wrong) == f"договор {sign} номер"
    assert read(f"договор {sign} номер", reading("x", complete=False), wrong, confidence=0.85) == "договор 1 номер"


def test_a_cyrillic_word_with_digits_is_not_looked_at_where_tesseract_is_sure() -> None:
    wrong = reading("2024")
    assert read("по ГОСТ-2023’", wrong, wrong) == "по ГОСТ-2023"
    assert read("ГОСТ-2023’", wrong, reading("Gost-2024"), confidence=0.7) == "Gost-2024"


def test_a_blank_that_the_universal_reader_loses_is_kept() -> None:
    assert read("100, 500x600", reading("x", complete=False), reading("100,500×600")) == "100,500×600 100,500×600"


def test_on_a_foreign_page_the_universal_reader_goes_first() -> None:
    english = reading("The supplier delivers the goods")
    fused = FusedReader(Knows("Тпе зирр"), Knows(""), Universal(english))
    reader = fused.for_page([blank()] * 3)
    assert [word.text for word in reader.read(blank())] == ["The", "supplier", "delivers", "the", "goods"]


@pytest.mark.parametrize("text", ["Поставщик", "Документ № 304 / 2024"])
def test_on_a_foreign_page_a_russian_line_is_still_read_in_russian(text: str) -> None:
    class OneRussianLine(PaddleReader):
        def __init__(self) -> None:
            self.name = "universal"

        @override
        def look(self, line: LinePicture) -> Reading:
            if line.width == WIDTH:
                return reading("The supplier delivers the goods")
            return reading("Toctab", complete=False)

    fused = FusedReader(Knows(text), Knows(""), OneRussianLine())
    reader = fused.for_page([blank()] * 3)
    assert " ".join(word.text for word in reader.read(blank(600))) == text


def test_a_company_is_no_number_though_its_letters_are_zeroes() -> None:
    assert read("ООО «Чайка»", reading("x", complete=False), reading("000")) == "ООО «Чайка»"
    assert read("договор с OOO", reading("x", complete=False), reading("000"), confidence=0.75, cyrillic="ООО") == "договор с ООО"


def test_a_letter_by_itself_that_is_seen_as_a_three_is_one() -> None:
    assert read("высота З м", reading("x", complete=False), reading("3")) == "высота 3 м"


def test_a_word_that_the_universal_reader_cannot_fill_is_not_latin() -> None:
    gaps = reading("O", complete=False)
    fused = FusedReader(Knows("OTKJIOHHTb", 0.89), Knows("отклонить", 0.6), Universal(gaps, gaps))
    assert [word.text for word in fused.for_page([]).read(blank())] == ["отклонить"]


def test_signs_beside_a_word_do_not_keep_it_from_being_read_in_cyrillic() -> None:
    assert read("Cu.", reading("x", complete=False), reading("C4."), cyrillic="Сч. |", confidence=0.7) == "Сч."


def test_latin_behind_a_hyphen_that_two_readers_see_stays_latin() -> None:
    whole, part = reading("x", complete=False), reading("BBTHr(A)-FRLS", score=0.6)
    assert read("кабель BBIur(A)-FRLS", whole, part, cyrillic="ВВГнг(А)-ЕВЕ", confidence=0.7) == "кабель ВВГнг(А)-FRLS"


@pytest.mark.parametrize(("confidence", "text"), [(0.46, "Ratio"), (0.95, "Вано")])
def test_letters_that_only_latin_has_outweigh_a_poor_cyrillic_reading_and_no_other(confidence: float, text: str) -> None:
    assert read("Вано", reading("x", complete=False), reading("Ratio"), confidence=confidence) == text


def test_an_abbreviation_of_letters_that_both_alphabets_have_is_looked_at() -> None:
    assert read("масло АР!", reading("x", complete=False), reading("API"), confidence=0.93) == "масло API"
    assert read("полис РЕСО", reading("x", complete=False), reading("PECO"), confidence=0.93) == "полис РЕСО"


def test_a_numero_sign_is_not_taken_for_letters() -> None:
    assert read("№", reading("Nt"), reading("Nt")) == "№"


def test_on_a_foreign_page_the_surer_number_counts() -> None:
    class Blurred(PaddleReader):
        def __init__(self) -> None:
            self.name = "universal"

        @override
        def look(self, line: LinePicture) -> Reading:
            return reading("The supplier delivers the goods") if line.width == WIDTH else reading("位月", score=0.4)

    fused = FusedReader(Knows("(2.8)", 0.7), Knows(""), Blurred())
    assert [word.text for word in fused.for_page([blank()] * 3).read(blank(600))] == ["(2.8)"]


def test_a_numeral_is_told_from_two_letters() -> None:
    assert read("ТехноПарк хх»", reading("x", complete=False), reading("XXI»", score=0.86), confidence=0.57) == "ТехноПарк XXI»"


def test_a_numeral_does_not_make_the_word_beside_it_latin() -> None:
    assert read("светильники Ha II этаже", reading("x", complete=False), confidence=0.95) == "светильники На II этаже"


def test_figures_and_a_dollar_behind_a_hyphen_are_latin_where_they_are_seen_so() -> None:
    whole, part = reading("x", complete=False), reading("bblhr(A)-Ls", score=0.6)
    assert read("кабель ВВГнг(А)-1,$", whole, part, confidence=0.7) == "кабель ВВГнг(А)-LS"


def test_the_end_of_a_line_to_sign_on_is_no_part_of_a_name() -> None:
    assert read("_Борщёв подписал", reading("x", complete=False), confidence=0.9) == "Борщёв подписал"


@pytest.mark.parametrize(("misread", "right"), [("мм?;", "мм²;"), ("кв.м?", "кв.м?"), ("км?", "км²")])
def test_a_square_behind_a_unit_is_no_question(misread: str, right: str) -> None:
    assert read(f"площадь {misread}", reading("x", complete=False), confidence=0.9) == f"площадь {right}"


def test_a_day_in_quotes_keeps_both() -> None:
    assert read("от «14» января", reading("x", complete=False), confidence=0.96) == "от «14» января"
    assert read("от «14 дней", reading("x", complete=False), confidence=0.7) == "от 14 дней"


def test_a_slash_by_itself_is_no_one_however_unsure_it_was_read() -> None:
    assert read("договор / номер", reading("x", complete=False), reading("1"), confidence=0.85) == "договор / номер"


def test_a_slash_between_numbers_is_no_one() -> None:
    class TakesSlashesForOnes(PaddleReader):
        def __init__(self) -> None:
            self.name = "universal"

        @override
        def look(self, line: LinePicture) -> Reading:
            return reading("304 1 2024" if line.width > WIDTH / 2 else "x", complete=line.width > WIDTH / 2)

    words = FusedReader(Knows("304 / 2024", 0.75), Knows(""), TakesSlashesForOnes()).for_page([]).read(blank())
    assert [word.text for word in words] == ["304", "/", "2024"]


def test_a_page_of_nonsense_gets_a_bounded_number_of_second_looks() -> None:
    class Counts(Universal):
        looks = 0

        @override
        def look(self, line: LinePicture) -> Reading:
            self.looks += 1
            return super().look(line)

    nonsense = " ".join(["b’b"] * 20)
    universal = Counts(reading("?", complete=False))
    page = FusedReader(Knows(nonsense, 0.4), Knows(""), universal).for_page([])
    lines = [page.read(blank()) for _ in range(100)]
    assert universal.looks < 100 + 201
    assert [word.text for word in lines[-1]] == nonsense.split()


@pytest.mark.parametrize(("mixed", "seen", "text"), [("©", "•", "•"), ("С", "□", "☐"), ("Е", "°C.", "°C."), ("lak", "H.X.", "Н.Х.")])
def test_what_tesseract_has_no_sign_for_is_read_as_the_universal_reader_sees_it(mixed: str, seen: str, text: str) -> None:
    assert read(mixed, reading(seen), reading(seen), confidence=0.6) == text


def test_a_letter_is_no_bullet_because_it_may_be_one() -> None:
    assert read("О", reading("•", score=0.8), reading("•", score=0.8), confidence=0.6) == "О"


def test_an_initial_behind_a_name_is_no_figure() -> None:
    assert read("Хачатрян Г. Э., руб.", reading("3.,"), reading("3.,"), confidence=0.75) == "Хачатрян Г. Э., руб."
    assert read("В. Контроль", reading("3."), reading("3."), confidence=0.75).startswith("3.")


@pytest.mark.parametrize(("letter", "text"), [("X", "X"), ("O.", "О.")])
def test_a_single_letter_that_two_readers_see_is_not_read_again(letter: str, text: str) -> None:
    assert read(letter, reading(letter, score=0.75), reading(letter, score=0.75), cyrillic="Е", confidence=0.8) == text


def test_a_number_without_a_blank_in_it_is_one_though_tesseract_cuts_it() -> None:
    class Cut(Knows):
        @override
        def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
            return (ReadWord("202", 0.9, 10, 70), ReadWord("3", 0.9, 72, 90))

    picture = blank()
    picture.pixels[8:32, 10:90:4] = 0
    whole = reading("2023")
    fused = FusedReader(Cut(""), Knows(""), Universal(whole, whole))
    assert [word.text for word in fused.for_page([]).read(picture)] == ["2023"]


def test_a_letter_by_itself_that_looks_like_a_cyrillic_one_is_read_in_cyrillic() -> None:
    assert read("B,", reading("b,"), reading("b,"), cyrillic="Б,", confidence=0.9) == "Б,"
    assert read("L", reading("L"), reading("L"), cyrillic="Ь", confidence=0.9) == "L"


def test_the_beginning_of_a_line_to_write_on_is_no_point() -> None:
    assert read("OT.", reading("OT"), reading("OT"), cyrillic="от.", confidence=0.9) == "от"
    assert read("OT.", reading("OT."), reading("OT."), cyrillic="от.", confidence=0.9) == "от."


def test_on_a_foreign_page_abbreviations_do_not_outvote_russian_words() -> None:
    english = Universal(reading("The Seller sells and the Buyer buys"))
    fused = FusedReader(Knows("г. Калининград, 03 октября 2024 г."), Knows(""), english)
    page = fused.for_page([blank()])
    english._whole = reading(". , 2024 .", complete=False)
    assert " ".join(word.text for word in page.read(blank())) == "г. Калининград, 03 октября 2024 г."


class Disturbed:
    """Reads words poorly while the picture has ink at its upper edge."""

    name = "disturbed"

    def __init__(self, poorly: str, well: str, gain: float) -> None:
        self._poorly, self._well = Knows(poorly, 0.5), Knows(well, 0.5 + gain)

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
        return (self._poorly if (line.pixels[0] < 100).any() else self._well).read(line)


@pytest.mark.parametrize(("width", "gain", "text"), [(800, 0.4, "Договор составлен"), (800, 0.03, "Догот вор"), (200, 0.4, "Догот вор")])
def test_a_long_line_is_read_without_its_neighbours_where_that_is_clearly_surer(width: int, gain: float, text: str) -> None:
    pixels = np.full((HEIGHT, width), 255, np.uint8)
    pixels[15:30, 50:60] = 0
    pixels[:5, 100:110] = 0
    fused = FusedReader(Disturbed("Догот вор", "Договор составлен", gain), Knows(""), Universal(reading("?", complete=False)))
    words = fused.for_page([]).read(LinePicture(pixels, 0.0, 0.0))
    assert " ".join(word.text for word in words) == text
