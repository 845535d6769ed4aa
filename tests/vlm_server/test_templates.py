"""Each version of the model is asked in its own words, checked at the start."""

from __future__ import annotations

from argparse import Namespace

import pytest

from vlm_server.prompts import CHAT_TEMPLATES, Task, prompt_for, rendered_prompt
from vlm_server.templates import WrongTemplate, check, render, version_of


@pytest.mark.parametrize("version", ["v1", "v1.5", "v1.6"])
def test_the_template_of_a_version_renders_the_words_it_was_trained_with(version: str) -> None:
    assert render(CHAT_TEMPLATES[version]) == rendered_prompt(version, Task.OCR)


@pytest.mark.parametrize(("version", "words"), [("v1", "OCR:"), ("v1.5", "Seal Recognition:"), ("v1.6", "Seal Recognition:")])
def test_the_first_version_is_asked_to_read_a_seal_as_text(version: str, words: str) -> None:
    assert prompt_for(version, Task.SEAL) == words
    assert prompt_for(version, Task.CHART) == "Chart Recognition:"


@pytest.mark.parametrize(
    ("name", "version"), [("PaddleOCR-VL-0.9B", "v1"), ("PaddleOCR-VL-1.5-0.9B", "v1.5"), ("/models/PaddleOCR-VL-1.6-0.9B", "v1.6")]
)
def test_the_version_is_told_by_the_served_name(name: str, version: str) -> None:
    assert version_of(name) == version


def test_another_versions_template_ends_the_start() -> None:
    arguments = Namespace(model="/models/x", served_model_name=["PaddleOCR-VL-1.5-0.9B"], chat_template=CHAT_TEMPLATES["v1"])

    with pytest.raises(WrongTemplate, match=r"v1\.5"):
        check(arguments)


def test_the_right_template_starts() -> None:
    check(Namespace(model="/models/x", served_model_name="PaddleOCR-VL-1.5-0.9B", chat_template=CHAT_TEMPLATES["v1.5"]))
