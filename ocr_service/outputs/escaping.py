"""Document text as Markdown that shows exactly that text: nothing in a document can become structure, markup or a link.

Only what would be taken for markup is escaped, so that ordinary text stays readable as it is: file_name_v2, a@b.ru, № 5/2024, «Цена*»,
C:\\Users, 5 < 6, A&B. The rules are CommonMark's with GitHub's tables, strikethrough and maths.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ocr_service.domain.text import printable

_PUNCTUATION = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
# A backslash that would be read as an escape, or as a hard line break.
_BACKSLASH = re.compile(rf"\\(?=[{_PUNCTUATION}]|$)", re.MULTILINE)
_ENTITY = re.compile(r"&(?=#?\w+;)")
# What begins a tag, a comment, a declaration or an autolink. "5 < 6" does not.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[:])")
_EMPHASIS_RUN = re.compile(r"\*+|_+|~+|\$+")
_LINE_START = re.compile(
    r"""(?P<before>\d{1,9}(?=[.)](?:\s|$)))     # 1. or 1) would be a list
      | (?=\#{1,6}(?:\s|$))                     # heading
      | (?=>)                                   # quotation
      | (?=[-+*](?:\s|$))                       # list
      | (?=(?:\*[ \t]*){3,}$|(?:_[ \t]*){3,}$|(?:-[ \t]*){2,}$|=+[ \t]*$)   # rule, underlined heading
      | (?=~~~)                                 # code
      | (?=\[[^\]]*(?:\]:|$))                   # link definition
      | (?=\[[ xX]\]\s)                         # task
      | (?=[|:]?[ \t]*:?-+:?[ \t]*(?:[|:][-:| \t]*)?$)   # the line below a table's head
    """,
    re.VERBOSE,
)


def escape_paragraph(lines: Sequence[str]) -> list[str]:
    """The lines of one paragraph. They are escaped together, because markup may begin on one line and end on another."""
    return [_guard_line_start(line) for line in _escape("\n".join(lines)).split("\n")]


def escape_line(text: str) -> str:
    """A paragraph of one line."""
    return _guard_line_start(escape_inline(text))


def escape_inline(text: str) -> str:
    """Text for a place where only inline markup is read, such as a heading. Line ends become spaces."""
    return _escape(text.replace("\n", " "))


def _escape(text: str) -> str:
    lines = (line.strip() for line in printable(text).split("\n"))
    escaped = _BACKSLASH.sub(r"\\\\", "\n".join(lines))
    escaped = escaped.replace("`", "\\`")
    escaped = _escape_runs(escaped)
    escaped = _LINK.sub(r"]\\", escaped)
    escaped = _ENTITY.sub("&amp;", escaped)
    return _TAG.sub("&lt;", escaped)


def _guard_line_start(line: str) -> str:
    """An escaped line with its beginning escaped where it would begin a block."""
    match = _LINE_START.match(line)
    if match is None:
        return line
    digits = match.group("before") or ""
    return f"{digits}\\{line[len(digits) :]}"


def escape_heading(text: str) -> str:
    """The text of a `#` heading: numbers as in "1. Предмет" stay as they are, closing #s are kept from vanishing."""
    line = escape_inline(text)
    return re.sub(r"(^|\s)(#+)$", r"\1\\\2", line)


def escape_alt(text: str) -> str:
    """The text between the brackets of a picture."""
    return re.sub(r"[\[\]]", r"\\\g<0>", escape_inline(text.replace("[", " ").replace("]", " ")))


def _escape_runs(text: str) -> str:
    """Escape runs of `*`, `_`, `~`, `$` that could open markup, where a later run of the same sign could close it."""
    runs = list(_EMPHASIS_RUN.finditer(text))
    last_closer = {run.group()[0]: run.start() for run in runs if _can_close(text, run)}
    parts, position = [], 0
    for run in runs:
        sign = run.group()[0]
        opens = _can_open(text, run) and (last_closer.get(sign, -1) > run.start() or (sign == "$" and len(run.group()) > 1))
        escaped = re.sub(r"(.)", r"\\\1", run.group()) if opens else run.group()
        parts += [text[position : run.start()], escaped]
        position = run.end()
    return "".join([*parts, text[position:]])


def _can_open(text: str, run: re.Match[str]) -> bool:
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    if not after or after.isspace():
        return False
    if before.isalnum():
        # Inside a word `_` is a letter. "Цена*," has a mark that closes nothing.
        return run.group()[0] != "_" and not unicodedata.category(after).startswith("P")
    return True


def _can_close(text: str, run: re.Match[str]) -> bool:
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    if not before or before.isspace():
        return False
    return not (run.group()[0] == "_" and after.isalnum())
