"""Text, seals and formulas out of a model's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import ContentFormat
from ocr_service.domain.vlm import FinishReason, VlmAnswer, VlmTask
from ocr_service.vlm.answers.read import read_answer
from ocr_service.vlm.reply import Reply


def read(text: str, task: VlmTask) -> VlmAnswer:
    return read_answer(task, Reply(text, FinishReason.STOP, 7, 8, "model"))


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("Привет", "Привет"),
        ("  a \n\n\n\n b\r\nc ", "a\n\nb\nc"),
        # PaddleX drops both dollars of the price.
        (r"It costs $5, or \(x\) for $6", "It costs $5, or $x$ for $6"),
        (r"Here \[ a + b \] ends", "Here $$a + b$$ ends"),
        ("$5 and US$$ stay", "$5 and US$$ stay"),
        (r"a \\[2pt] b", r"a \\[2pt] b"),
        ("C:\\temp\\new", "C:\\temp\\new"),
        ("a\x00b\x1b[1m", "ab[1m"),
        ("half a pair \ud800", "half a pair \ufffd"),
        ("```markdown\ntext\n```", "text"),
        ("a < b, <b>c</b>, i < 10", "a < b, <b>c</b>, i < 10"),
    ],
)
@pytest.mark.parametrize("task", [VlmTask.OCR, VlmTask.SEAL])
def test_text_is_kept_and_formulas_in_it_get_dollars(task: VlmTask, said: str, content: str) -> None:
    answer = read(said, task)
    assert (answer.content, answer.format, answer.defect) == (content, ContentFormat.TEXT, "")
    assert (answer.raw, answer.prompt_tokens, answer.completion_tokens, answer.model) == (said, 7, 8, "model")


@pytest.mark.parametrize(
    ("said", "defect"),
    [
        ("", "empty"),
        ("```\n\n```", "empty"),
        (r"a \(x", "unbalanced formula"),
        (r"a x\)", "unbalanced formula"),
        (r"a \(x\]", "unbalanced formula"),
        (r"\(a \(b\)\)", "unbalanced formula"),
        ("<fcel>A<nl>", "a table, which was not asked for"),
        ("<table><tr><td>A</td></tr></table>", "a table, which was not asked for"),
        ("A<|LOC_1|><|LOC_2|>", "markup of another task"),
        ("a" * 60_000, "too long"),
    ],
)
def test_text_that_cannot_be_used_says_why(said: str, defect: str) -> None:
    assert read(said, VlmTask.OCR).defect == defect


@pytest.mark.parametrize(
    ("said", "latex"),
    [
        (r"\[ x^2 \]", "x^2"),
        (r"\( x^2 \)", "x^2"),
        ("$$ x^2 $$", "x^2"),
        ("$x^2$", "x^2"),
        ("x^2", "x^2"),
        (r"\[a\]" + "\n" + r"\[b\]", r"a \\ b"),
        (r"\[ a \] (1)", "a (1)"),
        ("$5", r"\$5"),
        (r"\$5", r"\$5"),
        (r"\[ \text{price } \$5 \]", r"\text{price } \$5"),
        (r"\[ \begin{array}{cc} 1 & 2 \\[2pt] 3 & 4 \end{array} \]", r"\begin{array}{cc} 1 & 2 \\[2pt] 3 & 4 \end{array}"),
        (r"\[ \left\{ x \right. \leftarrow \]", r"\left\{ x \right. \leftarrow"),
        (r"\text{$x$ and } y", r"\text{$x$ and } y"),
    ],
)
def test_a_formula_loses_its_delimiters_and_nothing_else(said: str, latex: str) -> None:
    answer = read(said, VlmTask.FORMULA)
    assert (answer.content, answer.format, answer.defect) == (latex, ContentFormat.LATEX, "")


@pytest.mark.parametrize(
    "said",
    ["{x", "x}", r"\frac{1}{2", r"\left( x", r"x \right)", r"{\left( x } \right)", r"\begin{a} x", r"\begin{a} x \end{b}", r"\[ x", "$a$b$",
     r"\text{$x}$"],
)  # fmt: skip
def test_an_unbalanced_formula_says_so(said: str) -> None:
    assert read(said, VlmTask.FORMULA).defect == "unbalanced formula"


@pytest.mark.parametrize("said", ["", r"\[ \]", "$$$$", "<fcel>A<nl>"])
def test_no_formula_says_so(said: str) -> None:
    assert read(said, VlmTask.FORMULA).defect in {"empty", "a table, which was not asked for"}


LATEX = st.lists(
    st.sampled_from(["\\", "(", ")", "[", "]", "$", "$$", "{", "}", "\\left", "\\right", "\\begin{a}", "\\end{a}", "x", " ", "\n", "```"])
).map("".join)


@given(st.one_of(st.text(), LATEX), st.sampled_from(VlmTask))
def test_whatever_a_model_says_reading_it_does_not_fail_and_keeps_it(said: str, task: VlmTask) -> None:
    answer = read(said, task)
    assert answer.raw == said
    assert answer.defect or answer.content
    answer.content.encode()


@given(st.text(alphabet="abc $5.,\n", min_size=1))
def test_a_text_without_formulas_keeps_every_sign(said: str) -> None:
    answer = read(said, VlmTask.OCR)
    assert "".join(answer.content.split()) == "".join(said.split())
