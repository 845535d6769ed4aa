"""The right alphabet for an answer: a VLM writes Latin letters for Cyrillic ones that look the same, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ocr_service.engines.script import is_cyrillic, is_latin, mend_twins
from ocr_service.pipeline.refinement.folding import is_mixed, to_one_alphabet

_WORD = re.compile(r"[^\W\d_]+")


def mended(answer: str, evidence: Iterable[str]) -> str:
    """The answer with each word in its right alphabet; nothing else changes, neither length nor looks.

    A word that the evidence has too, letter for letter to the eye, is written as there, unless there it mixes alphabets. Other words of
    a mainly Cyrillic text are mended by themselves.
    """
    known: dict[str, str] = {}
    cyrillic = latin = 0
    for text in evidence:
        cyrillic += sum(map(is_cyrillic, text))
        latin += sum(map(is_latin, text))
        for word in _WORD.findall(text):
            key = to_one_alphabet(word)
            if key not in known or is_mixed(known[key]):
                known[key] = word
    return "\n".join(_line(line, known, mend=cyrillic > latin) for line in answer.split("\n"))


def _line(line: str, known: dict[str, str], *, mend: bool) -> str:
    found = _WORD.findall(line)
    alone = iter(mend_twins(found) if mend else found)

    def right(match: re.Match[str]) -> str:
        word, by_itself = match.group(), next(alone)
        there = known.get(to_one_alphabet(word))
        if there is None or (is_mixed(there) and not is_mixed(word)):
            return word if there is not None else by_itself
        return there

    return _WORD.sub(right, line)
