"""Document text as Markdown that shows exactly that text: nothing in a document can become structure, markup or a link.

Only what would be taken for markup is escaped, so that ordinary text stays readable as it is: file_name_v2, a@b.ru, № 5/2024, «Цена*»,
C:\\Users, 5 < 6, A&B. The rules are CommonMark's with GitHub's tables, strikethrough and maths.
"""

from __future__ import annotations

import re
import unicodedata

from ocr_service.domain.text import printable

_PUNCTUATION = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
# A backslash that would be read as an escape, or as a hard line break.
_BACKSLASH = re.compile(rf"\\(?=[{_PUNCTUATION}]|$)")
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


def escape_inline(text: str) -> str:
    """One line of text, for a place where only inline markup is read: a heading, or the rest of a line."""
    line = " ".join(printable(text).split("\n")).strip()
    line = _BACKSLASH.sub(r"\\\\", line)
    line = line.replace("`", "\\`")
    line = _escape_runs(line)
    line = _LINK.sub(r"]\\", line)
    line = _ENTITY.sub("&amp;", line)
    return _TAG.sub("&lt;", line)


def escape_line(text: str) -> str:
    """One line of text that begins a line of a paragraph."""
    return guard_line_start(escape_inline(text))


def guard_line_start(line: str) -> str:
    """An inline-escaped line with its beginning escaped where it would begin a block."""
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


def _escape_runs(line: str) -> str:
    """Escape runs of `*`, `_`, `~`, `$` that could open markup, where a later run of the same sign could close it."""
    runs = list(_EMPHASIS_RUN.finditer(line))
    last_closer = {run.group()[0]: run.start() for run in runs if _can_close(line, run)}
    parts, position = [], 0
    for run in runs:
        sign = run.group()[0]
        opens = _can_open(line, run) and (last_closer.get(sign, -1) > run.start() or (sign == "$" and len(run.group()) > 1))
        escaped = re.sub(r"(.)", r"\\\1", run.group()) if opens else run.group()
        parts += [line[position : run.start()], escaped]
        position = run.end()
    return "".join([*parts, line[position:]])


def _can_open(line: str, run: re.Match[str]) -> bool:
    before, after = line[run.start() - 1 : run.start()], line[run.end() : run.end() + 1]
    if not after or after.isspace():
        return False
    if before.isalnum():
        # Inside a word `_` is a letter. "Цена*," has a mark that closes nothing.
        return run.group()[0] != "_" and not unicodedata.category(after).startswith("P")
    return True


def _can_close(line: str, run: re.Match[str]) -> bool:
    before, after = line[run.start() - 1 : run.start()], line[run.end() : run.end() + 1]
    if not before or before.isspace():
        return False
    return not (run.group()[0] == "_" and after.isalnum())
