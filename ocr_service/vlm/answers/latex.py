"""A formula as LaTeX without its delimiters, and whether it is balanced."""

from __future__ import annotations

import re

from ocr_service.vlm.answers.maths import parts

_DOLLARS = re.compile(r"\$((?:[^$\\]|\\.)*)\$", re.DOTALL)
# Escaped signs first, so that `\{` and `\\` are no braces and no begin of a command.
_TOKEN = re.compile(r"\\(?P<pair>left|right)(?![A-Za-z])|\\(?P<kind>begin|end)\s*\{(?P<name>[^{}]*)\}|\\[A-Za-z]+|\\.|[{}$]", re.DOTALL)
_CLOSES = {"}": "{", "right": "left"}


def bare(text: str) -> str | None:
    """The formula without the delimiters around it; None if one has no partner.

    Several formulas become lines of one; words between them, such as a number in brackets, stay where they are. A lone `$` is a currency
    sign: `\\$`.
    """
    found = parts(text, dollars=True)
    if found is None:
        return None
    formulas = [part.text.strip() for part in found if part.delimiter]
    if formulas:
        has_words = any(part.text.strip() for part in found if not part.delimiter)
        if has_words:
            return " ".join(" ".join(part.text for part in found).split())
        return " \\\\ ".join(formula for formula in formulas if formula)
    text = text.strip()
    whole = _DOLLARS.fullmatch(text)
    if whole:
        return whole[1].strip()
    return re.sub(r"(?<!\\)\$", r"\\$", text) if text.count("$") == 1 else text


def is_balanced(latex: str) -> bool:
    """Whether braces, `\\left` and `\\right`, environments and inner `$` have their partners."""
    stack: list[str] = []
    for match in _TOKEN.finditer(latex):
        opened, closed = _role(match, inside=stack[-1] if stack else "")
        if closed and (not stack or stack.pop() != closed):
            return False
        if opened:
            stack.append(opened)
    return not stack


def _role(match: re.Match[str], inside: str) -> tuple[str, str]:
    """(what it opens, what it closes); neither for anything else."""
    token, kind = match["pair"] or match.group(), match["kind"]
    if kind:
        name = f"begin {match['name'].strip()}"
        return (name, "") if kind == "begin" else ("", name)
    if token == "$":  # noqa: S105  not a password
        return ("", token) if inside == token else (token, "")
    if token in _CLOSES:
        return "", _CLOSES[token]
    return (token, "") if token in _CLOSES.values() else ("", "")
