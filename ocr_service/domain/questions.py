"""Which blocks the VLM is asked about. A rule of the domain: the page worker cuts the crops by it, the pipeline asks by it.

`auto` asks where the VLM can know more than the engine does:

- a formula, whoever read it: neither OCR nor a text layer has its structure;
- a table that was read by OCR; the cells of a trusted text layer are exact, and so is their grid, drawn in the same file;
- text that OCR is unsure of, or whose letters are not those of the language.

`all` asks about every block that was read by OCR, running heads included, and in addition about tables of a trusted text layer, charts and
seals. Text of a trusted layer is never asked about: it is the file's own and can only be lost. Pictures have nothing to compare an answer
with. `none` asks nothing.
"""

from __future__ import annotations

import unicodedata

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.documents import VlmPolicy
from ocr_service.domain.vlm import VlmTask

# Measured on the evaluation set: of the lines below it one in seven is misread, of those above it one in fifty.
WEAK_CONFIDENCE = 0.9
_STRANGE_SHARE = 0.15
_CYRILLIC_LANGUAGES = {"ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "tt", "ba", "cv", "os"}
_USUAL = {"Lu", "Ll", "Lt", "Lo", "Lm", "Nd", "Mn", "Pd", "Ps", "Pe", "Pi", "Pf"}
_USUAL_MARKS = set(".,:;!?/%&@#*+=<>'\"№§°$€₽~_×÷±≤≥…²³·•")

_TASKS = {
    LayoutLabel.TABLE: VlmTask.TABLE,
    LayoutLabel.FORMULA: VlmTask.FORMULA,
    LayoutLabel.CHART: VlmTask.CHART,
    LayoutLabel.SEAL: VlmTask.SEAL,
}


def question_about(block: Block, policy: VlmPolicy, lang: str) -> VlmTask | None:
    """What the VLM is asked about the block, None for nothing. `lang`: ISO 639-1, the language the page is read in."""
    task = _TASKS.get(block.label, VlmTask.OCR)
    if policy is VlmPolicy.NONE or block.label is LayoutLabel.IMAGE:
        return None
    if policy is VlmPolicy.ALL:
        exact_text = block.source is Source.TEXT_LAYER and task is VlmTask.OCR
        return None if exact_text else task
    asked = task is VlmTask.FORMULA or (
        block.source is not Source.TEXT_LAYER and (task is VlmTask.TABLE or _is_weak_text(block, task, lang))
    )
    return task if asked else None


def _is_weak_text(block: Block, task: VlmTask, lang: str) -> bool:
    if task is not VlmTask.OCR or block.label.is_running:
        return False
    unsure = block.confidence is not None and block.confidence < WEAK_CONFIDENCE
    return unsure or _strange_share(block.content, lang) > _STRANGE_SHARE


def _strange_share(text: str, lang: str) -> float:
    """Share of characters that a page in this language hardly has: odd marks, and the letters of words in two alphabets."""
    strange = total = 0
    for word in text.split():
        total += len(word)
        odd = sum(unicodedata.category(char) not in _USUAL and char not in _USUAL_MARKS for char in word)
        strange += len(word) if lang in _CYRILLIC_LANGUAGES and _mixes_alphabets(word) else odd
    return strange / total if total else 0.0


def _mixes_alphabets(word: str) -> bool:
    """Latin and Cyrillic letters side by side; a hyphen parts words, as in «PDF-файл»."""
    return any(
        any("a" <= char <= "z" for char in part) and any("\u0400" <= char <= "\u052f" for char in part)
        for part in word.casefold().replace("/", "-").split("-")
    )
