"""Which answers are believed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel
from ocr_service.domain.vlm import FinishReason, VlmAnswer, VlmTask
from ocr_service.pipeline.refinement.judge import judge
from ocr_service.pipeline.refinement.verdict import DIGITS_DIFFER, LETTERS_DIFFER, Outcome, Verdict
from tests.unit.pipeline.refinement.blocks import said, text_block

SURE, WEAK = 0.97, 0.7
SENTENCE = "Поставщик обязуется передать товар до 15 марта 2024 года, цена 12 500 рублей."


def verdict_on(block: Block, text: str) -> Verdict:
    return judge(block, VlmTask.OCR, said(text))


@pytest.mark.parametrize("confidence", [None, SURE, WEAK, 0.3])
def test_the_same_text_is_believed_however_sure_the_evidence(confidence: float | None) -> None:
    verdict = verdict_on(text_block(SENTENCE, confidence=confidence), SENTENCE)
    assert (verdict.outcome, verdict.content, verdict.agreement, verdict.warnings) == (Outcome.ACCEPTED, SENTENCE, 1.0, ())


@pytest.mark.parametrize(
    "variant",
    [
        SENTENCE.replace(" ", "\n"),
        SENTENCE.replace("12 500", "12\u00a0500"),
        SENTENCE.upper(),
        SENTENCE.replace(",", ""),
        f"  {SENTENCE}\n",
    ],
)
def test_line_ends_blanks_case_and_marks_are_no_contradiction(variant: str) -> None:
    assert verdict_on(text_block(SENTENCE), variant).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("changed", "to"), [("15", "16"), ("12 500", "12 600"), ("2024", "2042"), ("12 500", "1 500"), ("12 500", "12 500 000"), ("15 ", "")]
)
def test_digits_that_contradict_sure_evidence_are_never_believed(changed: str, to: str) -> None:
    verdict = verdict_on(text_block(SENTENCE), SENTENCE.replace(changed, to))
    assert (verdict.outcome, verdict.reason) == (Outcome.REJECTED, "digits contradict the evidence")


def test_digits_that_have_changed_places_contradict() -> None:
    block = text_block("Срок от 10 до 20 рабочих дней с даты подписания.")
    assert verdict_on(block, "Срок от 20 до 10 рабочих дней с даты подписания.").outcome is Outcome.REJECTED


def test_digits_that_unsure_evidence_does_not_have_are_doubtful_and_marked() -> None:
    verdict = verdict_on(text_block(SENTENCE.replace("15", "1S").replace("обязуется", "обязустся"), confidence=WEAK), SENTENCE)
    assert (verdict.outcome, verdict.warnings) == (Outcome.DOUBTFUL, (DIGITS_DIFFER, LETTERS_DIFFER))


def test_digits_are_judged_by_the_line_they_stand_in() -> None:
    lines = ("Договор поставки № 417 от 24.09.2024", "на сумму 98 7б0 рублей ровно")
    block = text_block(*lines, confidences=(SURE, WEAK))
    unsure_line = "\n".join(lines).replace("7б0", "750")
    sure_line = "\n".join(lines).replace("417", "411")
    assert verdict_on(block, unsure_line).outcome is Outcome.DOUBTFUL
    assert verdict_on(block, sure_line).outcome is Outcome.REJECTED


def test_digits_where_unsure_evidence_has_nothing_at_all_are_not_believed() -> None:
    block = text_block("Итого к оплате по договору", confidence=WEAK)
    assert verdict_on(block, "Итого к оплате по договору 45 000").outcome is Outcome.REJECTED


def test_a_letter_that_looks_like_a_digit_is_a_doubt_and_not_a_contradiction() -> None:
    verdict = verdict_on(text_block("Получатель: 000 «Восход-Снаб»"), "Получатель: ООО «Восход-Снаб»")
    assert (verdict.outcome, verdict.warnings) == (Outcome.DOUBTFUL, (DIGITS_DIFFER,))


def test_a_slip_of_ocr_is_corrected_and_marked() -> None:
    verdict = verdict_on(text_block(SENTENCE.replace("товар", "тозар"), confidence=WEAK), SENTENCE)
    assert (verdict.outcome, verdict.content, verdict.warnings) == (Outcome.ACCEPTED, SENTENCE, (LETTERS_DIFFER,))


@pytest.mark.parametrize(("read", "answer"), [("Договор", "Догове"), ("System", "Systen"), (SENTENCE, SENTENCE.replace("товар", "товор"))])
def test_letters_that_sure_evidence_does_not_have_are_doubtful_and_marked(read: str, answer: str) -> None:
    verdict = verdict_on(text_block(read), answer)
    assert (verdict.outcome, verdict.warnings) == (Outcome.DOUBTFUL, (LETTERS_DIFFER,))


@pytest.mark.parametrize("confidence", [SURE, WEAK])
@pytest.mark.parametrize(
    "lie",
    [
        SENTENCE[: len(SENTENCE) // 2],
        SENTENCE + " Покупатель вправе отказаться от договора без объяснения причин.",
        "Заказчик осматривает помещения и подписывает акт вместе с подрядчиком.",
        "цена рублей " * 40,
        (SENTENCE + " ") * 3,
    ],
    ids=["cut off", "added to", "about another crop", "a loop", "said thrice"],
)
def test_text_that_is_not_the_evidences_is_not_believed(lie: str, confidence: float) -> None:
    assert verdict_on(text_block(SENTENCE, confidence=confidence), lie).outcome is Outcome.REJECTED


@pytest.mark.parametrize(("word", "to"), [("не ", ""), ("Поставщик", "Покупатель"), ("подлежит", "не подлежит")])
def test_a_word_more_or_less_or_another_one_contradicts_sure_evidence(word: str, to: str) -> None:
    truth = "Поставщик не возвращает аванс, товар подлежит приёмке."
    assert verdict_on(text_block(truth), truth.replace(word, to, 1)).outcome is Outcome.REJECTED


@pytest.mark.parametrize("place", ["основных не средств, материальных", "основных средств, не материальных"])
def test_a_word_made_up_beside_a_misread_one_is_not_believed(place: str) -> None:
    """In a line that OCR was unsure of; letter by letter, «не» would be a part of the misread word."""
    truth = "Провести внеплановую инвентаризацию основных средств, материальных запасов и имущества."
    block = text_block(truth.replace("средств", "оредсте"), confidence=WEAK)
    assert verdict_on(block, truth).outcome is Outcome.ACCEPTED
    assert verdict_on(block, truth.replace("основных средств, материальных", place)).outcome is Outcome.REJECTED


def test_the_files_own_text_cannot_be_changed_by_a_letter() -> None:
    assert verdict_on(text_block("Подписал Иванов", confidence=None), "Подписал Иванова").outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(SENTENCE, FinishReason.LENGTH), "cut off before its end"),
        (said(SENTENCE, FinishReason.REPETITION), "repeats itself"),
        (said(SENTENCE, defect="unbalanced markup"), "malformed: unbalanced markup"),
        (said(""), "empty"),
        (said(" … — "), "empty"),
        (said("а" * 60_000), "far longer than a region can be"),
        (VlmAnswer(SENTENCE, SENTENCE, ContentFormat.HTML, FinishReason.STOP), "malformed: not text"),
    ],
)
def test_an_answer_that_is_broken_is_not_even_compared(answer: VlmAnswer, reason: str) -> None:
    verdict = judge(text_block(SENTENCE, confidence=WEAK), VlmTask.OCR, answer)
    assert (verdict.outcome, verdict.reason) == (Outcome.REJECTED, reason)


def test_without_evidence_nothing_is_believed() -> None:
    assert verdict_on(text_block(), SENTENCE).reason == "nothing to hold it against"


def test_the_marker_of_a_list_item_is_not_repeated() -> None:
    block = replace(text_block("2.1. Товар передаётся по акту.", label=LayoutLabel.LIST_ITEM), marker="2.1.")
    assert verdict_on(block, "2.1. Товар передаётся по акту.").content == "Товар передаётся по акту."


def test_a_paragraph_that_was_read_line_by_line_is_one_line() -> None:
    block = text_block("Реорганизация обще-", "ства завершена.")
    assert verdict_on(block, "Реорганизация обще-\nства завершена.").content == "Реорганизация общества завершена."


@given(st.text(max_size=300), st.sampled_from(list(VlmTask)), st.sampled_from([None, SURE, WEAK]))
def test_no_text_of_an_answer_breaks_the_judge(text: str, task: VlmTask, confidence: float | None) -> None:
    verdict = judge(text_block(SENTENCE, confidence=confidence), task, said(text))
    assert verdict.agreement is None or 0 <= verdict.agreement <= 1


@given(st.data())
def test_no_change_of_a_digit_is_believed_against_sure_evidence(data: st.DataObject) -> None:
    places = [index for index, char in enumerate(SENTENCE) if char.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([char for char in "0123456789" if char != SENTENCE[place]]))
    lie = SENTENCE[:place] + digit + SENTENCE[place + 1 :]
    assert verdict_on(text_block(SENTENCE), lie).outcome is Outcome.REJECTED


def formula(latex: str, text: str, confidence: float | None) -> Verdict:
    answer = VlmAnswer(latex, latex, ContentFormat.LATEX, FinishReason.STOP)
    return judge(text_block(text, confidence=confidence, label=LayoutLabel.FORMULA), VlmTask.FORMULA, answer)


def test_a_formula_is_believed_when_its_letters_and_digits_are_the_evidences() -> None:
    verdict = formula(r"E = \frac{m v^{2}}{2}", "E = mv2 2", None)
    assert (verdict.outcome, verdict.content) == (Outcome.ACCEPTED, r"E = \frac{m v^{2}}{2}")


def test_a_formula_with_another_number_is_not_believed_if_the_evidence_is_sure() -> None:
    assert formula(r"x = 3y + 17", "x = 3y + 11", SURE).outcome is Outcome.REJECTED
    assert formula(r"x = 3y + 17", "x = 3y + 11", WEAK).outcome is Outcome.DOUBTFUL


def test_a_formula_that_is_another_one_is_not_believed() -> None:
    assert formula(r"\alpha + \beta = \gamma", "Q = cm(t2 − t1)", WEAK).outcome is Outcome.REJECTED


def chart(answer: str) -> Verdict:
    block = text_block("Выручка по годам", "2022", "2023", "120", "135", label=LayoutLabel.CHART)
    return judge(block, VlmTask.CHART, VlmAnswer(answer, answer, ContentFormat.HTML, FinishReason.STOP))


def test_a_charts_numbers_must_be_printed_on_it() -> None:
    assert chart("Выручка по годам 2022 120 2023 135").outcome is Outcome.ACCEPTED
    assert chart("Выручка по годам 2022 120 2023 128").outcome is Outcome.REJECTED
