"""Text as it is read, line by line, becomes text as it is meant: lines joined, word breaks closed, unprintable characters gone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

SOFT_HYPHEN = "\u00ad"
# "-" and U+2010, U+2011. Dashes (– —) are punctuation and never break a word.
_HYPHENS = "-\u2010\u2011"
# Kept whole after a hyphen whatever the language rules say: «кто-нибудь», «какой-либо», «всё-таки».
_PARTICLES = {"либо", "нибудь", "таки"}
# Han, Kana, Bopomofo, their punctuation and full-width forms. Hangul is not here: Korean has spaces between words.
_CJK = re.compile(
    r"[\u2e80-\u2fdf\u3000-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
_CJK_PUNCTUATION = re.compile(r"[\u3000-\u303f\ufe30-\ufe4f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")
# Of an address, a path or a file's name; a slash between Russian words parts two of them («стабильный/не-», «стабильный»).
_IN_ADDRESS = re.compile(r"[@\\_.\d]|//|[A-Za-z]/|/[A-Za-z]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def printable(text: str) -> str:
    """The text without control characters (tab and line ends stay); half surrogate pairs become U+FFFD, so that it can be encoded."""
    return _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", text))


def join_lines(lines: Sequence[str]) -> str:
    """The lines of one paragraph as one line.

    - A soft hyphen at a line's end is a word break: both go. Soft hyphens elsewhere go too.
    - A hyphen at a line's end after a letter, before a small letter: the word is closed and the hyphen goes ("орга-", "низация" →
      "организация"). Whether a compound was broken at its own hyphen cannot be known, so "бизнес-", "план" becomes "бизнесплан";
      where it can be known the hyphen stays: before one letter or after one letter ("e-", "mail"), after digits ("2024-", "го"),
      after capitals ("SMS-", "рассылка"), in addresses and file names, before «нибудь», «либо», «таки», in «из-за», «из-под».
    - A hyphen before anything else ("Санкт-", "Петербург"; "12-", "34") stays, without a space.
    - Chinese and Japanese lines are joined without a space; so is what ends with a slash after a letter or digit ("и/", "или").
    - Everything else: one space.
    """
    joined = ""
    for line in lines:
        stripped = line.strip()
        if not stripped:
            continue
        joined = _join(joined, stripped) if joined else stripped
    return joined.replace(SOFT_HYPHEN, "")


def _join(left: str, right: str) -> str:
    if left[-1] == SOFT_HYPHEN:
        return left[:-1] + right
    if left[-1] in _HYPHENS and len(left) > 1 and left[-2].isalnum():
        return (left[:-1] if _is_word_break(left, right) else left) + right
    if left[-1] == "/" and len(left) > 1 and left[-2].isalnum():
        return left + right
    if _joins_without_space(left[-1], right[0]):
        return left + right
    return f"{left} {right}"


def _is_word_break(left: str, right: str) -> bool:
    """Whether the hyphen at the end of `left` was put there only because the line was full."""
    token = left.split()[-1][:-1]
    before = re.split(rf"[{_HYPHENS}/]", token)[-1].strip("«»\"'()[]„“”")
    after = _leading_word(right)
    return (
        right[0].islower()
        and before.isalpha()
        and len(before) > 1
        and len(after) > 1
        and not before.isupper()
        and not _IN_ADDRESS.search(token)
        and after.lower() not in _PARTICLES
        and not (before.lower() == "из" and after.lower() in {"за", "под"})
    )


def _leading_word(text: str) -> str:
    match = re.match(r"[^\W\d_]+", text)
    return match.group() if match else ""


def _joins_without_space(left: str, right: str) -> bool:
    if _CJK_PUNCTUATION.match(left) or _CJK_PUNCTUATION.match(right):
        return True
    return bool(_CJK.match(left) and _CJK.match(right))


def is_cjk(character: str) -> bool:
    """Whether the character belongs to a script that is written without spaces (Chinese, Japanese)."""
    return bool(_CJK.match(character))


def normalised(text: str) -> str:
    """For comparing two readings of the same text: compatibility forms, case and white space do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
