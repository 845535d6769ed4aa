"""The READMEs against the code: settings, fields, error codes; and the two languages against each other."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from ocr_service.api import errors as http_errors
from ocr_service.api.options import FIELDS
from ocr_service.api.problems import status_of
from ocr_service.domain import errors
from ocr_service.jobs.webhooks import signature
from ocr_service.settings import Settings

PROJECT = Path(__file__).parents[2]
ENGLISH = (PROJECT / "README.md").read_text(encoding="utf-8")
RUSSIAN = (PROJECT / "README.ru.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("readme", [ENGLISH, RUSSIAN], ids=["en", "ru"])

CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def rows(readme: str, first_cell: str) -> Iterator[list[str]]:
    """The cells of the table rows whose first cell looks so."""
    for line in CODE_BLOCK.sub("", readme).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| ") else [""]
        if re.fullmatch(first_cell, cells[0]):
            yield cells


def default_of(value: object) -> str:
    """As it is written into the environment; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def settings_rows() -> list[list[str]]:
    fields: dict[str, Any] = Settings.model_fields
    assert all(field.default is not PydanticUndefined and field.description for field in fields.values())
    return [[f"`{name.upper()}`", default_of(field.default), field.description] for name, field in fields.items()]


def test_the_settings_table_is_the_class() -> None:
    assert list(rows(ENGLISH, r"`(OCR_|CLOUDRU_)?[A-Z0-9_]+`")) == settings_rows()


def test_the_russian_settings_table_has_the_same_names_and_defaults() -> None:
    table = list(rows(RUSSIAN, r"`(OCR_|CLOUDRU_)?[A-Z0-9_]+`"))
    assert [row[:2] for row in table] == [row[:2] for row in settings_rows()]
    assert all(re.search("[а-я]", row[2]) for row in table)


@BOTH
def test_every_form_field_is_described(readme: str) -> None:
    described = {name for cells in rows(readme, r"`[a-z_]+`(, `[a-z_]+`)*") for name in re.findall(r"`([a-z_]+)`", cells[0])}
    assert described == {"file", *FIELDS}


def problems() -> Iterator[tuple[str, str]]:
    """(status, code) of everything that is answered as a problem."""
    for value in [*vars(errors).values(), *vars(http_errors).values()]:
        if isinstance(value, type) and issubclass(value, errors.ServiceError) and "code" in vars(value):
            status = status_of(value.__new__(value))
            if status is not HTTPStatus.INTERNAL_SERVER_ERROR:
                yield str(status.value), value.code


@BOTH
def test_every_error_code_is_listed_with_its_status(readme: str) -> None:
    listed = {(cells[0], code) for cells in rows(readme, r"\d{3}") for code in re.findall(r"`(\w+)`", cells[1])}
    assert listed == set(problems())


@BOTH
def test_every_code_of_a_failed_page_is_mentioned(readme: str) -> None:
    failures: list[type[errors.PageFailed]] = [errors.PageFailed, *errors.PageFailed.__subclasses__()]
    assert [kind.code for kind in failures if f"`{kind.code}`" not in readme] == []


def test_both_languages_have_the_same_structure() -> None:
    def outline(readme: str) -> list[int]:
        return [len(hashes) for hashes in re.findall(r"^(#+) ", CODE_BLOCK.sub("", readme), re.MULTILINE)]

    def table_sizes(readme: str) -> list[int]:
        return [len(table.splitlines()) for table in re.findall(r"(?:^\| .*\n)+", CODE_BLOCK.sub("", readme), re.MULTILINE)]

    assert outline(RUSSIAN) == outline(ENGLISH)
    assert table_sizes(RUSSIAN) == table_sizes(ENGLISH)


def test_both_languages_show_the_same_examples() -> None:
    assert CODE_BLOCK.findall(RUSSIAN) == CODE_BLOCK.findall(ENGLISH)


def test_the_json_examples_are_json() -> None:
    examples = [body for language, body in CODE_BLOCK.findall(ENGLISH) if language == "json"]
    assert len(examples) == 5
    for example in examples:
        documents = [example] if example.startswith("{\n") else example.splitlines()
        assert [isinstance(json.loads(document), dict) for document in documents] == [True] * len(documents)


def test_the_webhooks_receiver_knows_a_genuine_call() -> None:
    for text in (ENGLISH, (PROJECT / "docs" / "jobs.md").read_text(encoding="utf-8")):
        [receiver] = [body for language, body in CODE_BLOCK.findall(text) if language == "python" and "def is_genuine" in body]
        function = receiver[receiver.index("def is_genuine") :].partition("\n\n\n")[0]
        names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "time": time, "SECRET": b"secret"}
        exec(function, names)
        now, body = int(time.time()), b'{"event": "job.finished"}'
        for moment, secret, content, genuine in [
            (now, b"secret", body, True),
            (now, b"other", body, False),
            (now, b"secret", body + b" ", False),
            (now - 3600, b"secret", body, False),
        ]:
            sent = f"t={moment},v1={signature(secret, moment, body)}"
            assert names["is_genuine"](sent, content) is genuine


@BOTH
def test_links_lead_to_files_that_exist(readme: str) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in target]
    assert targets
    assert [target for target in targets if not (PROJECT / target).exists()] == []
