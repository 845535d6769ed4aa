"""Which blocks the VLM is asked about."""

from __future__ import annotations

import pytest

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.documents import VlmPolicy
from ocr_service.domain.geometry import BBox
from ocr_service.domain.questions import question_about
from ocr_service.domain.vlm import VlmTask

SURE, UNSURE = 0.97, 0.7


def block(
    label: LayoutLabel = LayoutLabel.TEXT, source: Source = Source.OCR, confidence: float | None = SURE, text: str = "Договор поставки"
) -> Block:
    return Block("b01", label, BBox(0, 0, 100, 20), 0, text, source, confidence=confidence)


def asked(found: Block, policy: VlmPolicy = VlmPolicy.AUTO, lang: str = "ru") -> VlmTask | None:
    return question_about(found, policy, lang)


@pytest.mark.parametrize("label", LayoutLabel)
def test_none_asks_nothing(label: LayoutLabel) -> None:
    assert asked(block(label, confidence=0.1), VlmPolicy.NONE) is None


def test_auto_asks_about_tables_and_formulas_of_scans() -> None:
    assert asked(block(LayoutLabel.TABLE)) is VlmTask.TABLE
    assert asked(block(LayoutLabel.FORMULA)) is VlmTask.FORMULA


def test_auto_leaves_what_a_trusted_text_layer_gives() -> None:
    for label in (LayoutLabel.TEXT, LayoutLabel.TABLE, LayoutLabel.DOC_TITLE):
        assert asked(block(label, Source.TEXT_LAYER, None)) is None
    assert asked(block(LayoutLabel.FORMULA, Source.TEXT_LAYER, None)) is VlmTask.FORMULA


def test_auto_asks_about_text_only_where_ocr_is_unsure() -> None:
    assert asked(block()) is None
    assert asked(block(confidence=UNSURE)) is VlmTask.OCR
    assert asked(block(LayoutLabel.HEADER, confidence=UNSURE)) is None


def test_auto_asks_about_letters_that_the_language_does_not_have() -> None:
    assert asked(block(text="Дoгoвop пocтaвки тoвapa")) is VlmTask.OCR
    assert asked(block(text="¬ƒ†¥ «∆˚» договора")) is VlmTask.OCR
    assert asked(block(text='PDF-файл на 15,6" IPS, 10 % скидка')) is None
    assert asked(block(text="Дoгoвop"), lang="en") is None


def test_auto_leaves_charts_seals_and_pictures() -> None:
    for label in (LayoutLabel.CHART, LayoutLabel.SEAL, LayoutLabel.IMAGE):
        assert asked(block(label, confidence=UNSURE)) is None


def test_all_asks_about_everything_but_pictures_and_the_files_own_text() -> None:
    assert asked(block(), VlmPolicy.ALL) is VlmTask.OCR
    assert asked(block(LayoutLabel.FOOTER), VlmPolicy.ALL) is VlmTask.OCR
    assert asked(block(LayoutLabel.CHART), VlmPolicy.ALL) is VlmTask.CHART
    assert asked(block(LayoutLabel.SEAL), VlmPolicy.ALL) is VlmTask.SEAL
    assert asked(block(LayoutLabel.TABLE, Source.TEXT_LAYER, None), VlmPolicy.ALL) is VlmTask.TABLE
    assert asked(block(source=Source.TEXT_LAYER, confidence=None), VlmPolicy.ALL) is None
    assert asked(block(LayoutLabel.IMAGE), VlmPolicy.ALL) is None
