"""The right alphabet for an answer: a VLM writes Latin letters for Cyrillic ones that look the same, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ocr_service.engines.correction.script import is_cyrillic, is_latin, mend_twins
from ocr_service.pipeline.refinement.folding import is_mixed, to_one_alphabet

_WORD = re.compile(r"[^\W\d_]+")


def mended(answer: str, evidence: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """The answer with each word in its right alphabet; nothing else changes, neither length nor looks.

    A word that the evidence has too, letter for letter to the eye, is written as there, unless there it mixes alphabets. `elsewhere`: what
    stands around it, in other cells; it counts for words that the evidence itself does not have. Other words of a mainly Cyrillic
    text are mended by themselves.
    """
    near, far = list(evidence), list(elsewhere)
    known = _spellings(far) | _spellings(near)
    letters = "".join(near + far)
    mend = sum(map(is_cyrillic, letters)) > sum(map(is_latin, letters))
    return "\n".join(_line(line, known, mend=mend) for line in answer.split("\n"))


def _spellings(texts: Iterable[str]) -> dict[str, list[str]]:
    """How each word is written, by its looks; spellings in two alphabets last."""
    found: dict[str, list[str]] = {}
    for text in texts:
        for word in _WORD.findall(text):
            found.setdefault(to_one_alphabet(word), []).append(word)
    return {key: sorted(dict.fromkeys(words), key=is_mixed) for key, words in found.items()}


def _line(line: str, known: Mapping[str, Sequence[str]], *, mend: bool) -> str:
    found: list[str] = _WORD.findall(line)
    alone = iter(mend_twins(found) if mend else found)

    def right(match: re.Match[str]) -> str:
        word: str = match.group()
        by_itself = next(alone)
        spellings = known.get(to_one_alphabet(word), ())
        if not spellings:
            return by_itself
        if word in spellings or (is_mixed(spellings[0]) and not is_mixed(word)):
            return word
        return spellings[0]

    return _WORD.sub(right, line)
