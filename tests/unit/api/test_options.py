"""Form fields become options; every refusal names its field and what is allowed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.api.options import OptionDefaults, parse_options, parse_pages
from ocr_service.domain.documents import DocumentOptions, OutputKind, PageOptions, TextLayerMode, VlmPolicy
from ocr_service.domain.errors import InvalidRequest

DEFAULTS = OptionDefaults(dpi=200, lang="ru", max_pages=2000, vlm_enabled=False)
WITH_VLM = OptionDefaults(dpi=200, lang="ru", max_pages=2000, vlm_enabled=True)


def options(*fields: tuple[str, str], defaults: OptionDefaults = DEFAULTS) -> DocumentOptions:
    return parse_options(fields, defaults)[0]


def refusal(*fields: tuple[str, str], defaults: OptionDefaults = DEFAULTS) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        parse_options(fields, defaults)
    return caught.value


def test_nothing_given_means_the_deployments_defaults() -> None:
    assert parse_options([], DEFAULTS) == (DocumentOptions(), None)


def test_everything_given_arrives() -> None:
    parsed, password = parse_options(
        [
            ("pages", " 7, 1-3 "),
            ("dpi", "300"),
            ("lang", "EN"),
            ("text_layer", "only"),
            ("outputs", "tables, searchable_pdf,page_images"),
            ("password", " с пробелом "),
            ("include_headers_footers", "True"),
        ],
        DEFAULTS,
    )
    assert parsed == DocumentOptions(
        page=PageOptions(300, "en", TextLayerMode.ONLY, image=True),
        pages=(1, 2, 3, 7),
        outputs=frozenset(OutputKind),
        include_running=True,
    )
    assert password == " с пробелом "


def test_an_empty_field_counts_as_not_given() -> None:
    assert parse_options([("pages", ""), ("dpi", " "), ("password", "")], DEFAULTS) == (DocumentOptions(), None)


def test_outputs_may_be_repeated() -> None:
    assert options(("outputs", "tables"), ("outputs", "searchable_pdf,tables")).outputs == {OutputKind.TABLES, OutputKind.SEARCHABLE_PDF}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("dpi", "71", "from 72 to 600"),
        ("dpi", "601", "from 72 to 600"),
        ("dpi", "-1", "from 72 to 600"),
        ("dpi", "2e2", "from 72 to 600"),
        ("dpi", "٣٠٠", "from 72 to 600"),
        ("lang", "russian", "two or three letters"),
        ("lang", "\0", "two or three letters"),
        ("text_layer", "yes", "auto, ignore, only"),
        ("outputs", "docx", "searchable_pdf, tables"),
        ("use_vlm", "maybe", "true or false"),
        ("vlm_policy", "some", "auto, all, none"),
        ("include_headers_footers", "2", "true or false"),
        ("password", "x" * 128, "at most 127"),
        ("pages", "0", "from 1 to 2000"),
        ("pages", "3-1", "from 1 to 2000"),
        ("pages", "1-99999999", "from 1 to 2000"),
        ("pages", "1,,2", "from 1 to 2000"),
        ("pages", "abc", "from 1 to 2000"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_field_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    error = refusal((name, value))
    assert error.field == name
    assert allowed in error.detail


def test_a_field_given_twice_is_refused() -> None:
    assert refusal(("dpi", "100"), ("dpi", "200")).field == "dpi"


def test_a_password_never_shows_in_its_refusal() -> None:
    assert "hush" not in refusal(("password", "hush" * 40)).detail


@pytest.mark.parametrize("field", [("use_vlm", "true"), ("vlm_policy", "all")])
def test_asking_for_a_vlm_that_is_switched_off_is_refused_and_says_so(field: tuple[str, str]) -> None:
    error = refusal(field)
    assert error.field == field[0]
    assert "USE_VLM_API" in error.detail


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], True),
        ([("use_vlm", "false")], False),
        ([("vlm_policy", "none")], False),
        ([("vlm_policy", "auto")], True),
        ([("vlm_policy", "all"), ("use_vlm", "true")], True),
        ([("vlm_policy", "auto"), ("use_vlm", "false")], False),
    ],
)
def test_where_there_is_a_vlm_it_is_used_unless_declined(fields: list[tuple[str, str]], expected: bool) -> None:
    assert options(*fields, defaults=WITH_VLM).use_vlm is expected


def test_contradicting_vlm_fields_are_refused() -> None:
    assert refusal(("use_vlm", "true"), ("vlm_policy", "none"), defaults=WITH_VLM).field == "vlm_policy"


@pytest.mark.parametrize(
    ("fields", "deployment", "expected"),
    [
        ([], VlmPolicy.ALL, VlmPolicy.ALL),
        ([], VlmPolicy.NONE, VlmPolicy.NONE),
        ([("use_vlm", "true")], VlmPolicy.NONE, VlmPolicy.AUTO),
        ([("use_vlm", "true")], VlmPolicy.ALL, VlmPolicy.ALL),
        ([("vlm_policy", "auto")], VlmPolicy.ALL, VlmPolicy.AUTO),
        ([("vlm_policy", "all")], VlmPolicy.NONE, VlmPolicy.ALL),
        ([("use_vlm", "false")], VlmPolicy.ALL, VlmPolicy.NONE),
    ],
)
def test_a_request_may_choose_another_policy_than_the_deployments(
    fields: list[tuple[str, str]], deployment: VlmPolicy, expected: VlmPolicy
) -> None:
    defaults = OptionDefaults(dpi=200, lang="ru", max_pages=2000, vlm_enabled=True, vlm_policy=deployment)
    assert options(*fields, defaults=defaults).page.vlm_policy is expected


@given(st.sets(st.integers(1, 2000), min_size=1, max_size=30))
def test_pages_come_back_ascending_and_once_whatever_their_order(pages: set[int]) -> None:
    text = ",".join(str(page) for page in [*sorted(pages, reverse=True), *pages])
    assert parse_pages(text, 2000) == tuple(sorted(pages))


@given(st.text(max_size=40))
def test_any_text_for_pages_is_parsed_within_the_limit_or_refused(text: str) -> None:
    with suppress(InvalidRequest):
        pages = parse_pages(text, 50)
        assert pages
        assert set(pages) <= set(range(1, 51))
