"""`result.json`."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.documents import DocumentOptions, DocumentResult, DocumentStatus, MediaType, OutputKind, PageOptions, SourceFile
from ocr_service.outputs.document_json import encode_summary, write_result_json
from ocr_service.outputs.page_json import encode_page
from tests.unit.outputs.blocks import block, failed_page, page

_RESULT = DocumentResult(
    document_id="abc",
    source=SourceFile(Path("/tmp/upload"), MediaType.PDF, "Договор \ud800№ 5.pdf", "0" * 64, 1234, password="тайна"),
    options=DocumentOptions(PageOptions(dpi=300), pages=(1, 3), outputs=frozenset({OutputKind.TABLES, OutputKind.SEARCHABLE_PDF})),
    status=DocumentStatus.PARTIAL,
    page_count=9,
    pages=(1, 3),
    failed_pages=(3,),
    engine="embedded",
    outputs={"json": "result.json", "table_p0001-t1": "tables/p0001-t1.csv"},
    timings={"total": 1.23456},
    warnings=("repaired",),
    created_at=datetime(2024, 4, 3, 15, 0, 0, 5, tzinfo=timezone(timedelta(hours=3))),
)
_SUMMARY = {
    "document_id": "abc",
    "filename": "Договор \ufffd№ 5.pdf",
    "sha256": "0" * 64,
    "media_type": "application/pdf",
    "size_bytes": 1234,
    "status": "partial",
    "page_count": 9,
    "failed_pages": [3],
    "created_at": "2024-04-03T12:00:00Z",
    "engine": "embedded",
    "options": {
        "pages": [1, 3],
        "dpi": 300,
        "lang": "ru",
        "text_layer": "auto",
        "outputs": ["searchable_pdf", "tables"],
        "use_vlm": False,
        "vlm_policy": "none",
        "include_running": False,
    },
    "outputs": {"json": "result.json", "table_p0001-t1": "tables/p0001-t1.csv"},
    "urls": {"json": "/ocr/documents/abc/files/result.json", "table_p0001-t1": "/ocr/documents/abc/files/tables/p0001-t1.csv"},
    "s3": None,
    "timings": {"total": 1.235},
    "warnings": ["repaired"],
}


def test_the_summary_has_exactly_these_keys_and_never_the_password() -> None:
    assert json.loads(encode_summary(_RESULT)) == _SUMMARY
    assert "тайна" not in encode_summary(_RESULT).decode()


def test_the_document_is_the_summary_with_the_pages_as_they_are_on_disk_and_the_markdown(tmp_path: Path) -> None:
    pages = [encode_page(page(1, block("Раз."))), encode_page(failed_page(3))]
    for name, data in zip(("1", "3"), pages, strict=True):
        (tmp_path / name).write_bytes(data)
    markdown = 'Раз "два"\n\\*\t\u2028три\n'
    (tmp_path / "document.md").write_text(markdown, encoding="utf-8", newline="\n")
    target = tmp_path / "result.json"
    write_result_json(_RESULT, [tmp_path / "1", tmp_path / "3"], tmp_path / "document.md", target)
    assert json.loads(target.read_bytes()) == {**_SUMMARY, "pages": [json.loads(data) for data in pages], "markdown": markdown}
    assert all(data in target.read_bytes() for data in pages)


def test_a_document_without_pages_is_valid_json(tmp_path: Path) -> None:
    (tmp_path / "document.md").write_bytes(b"")
    write_result_json(_RESULT, [], tmp_path / "document.md", tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_bytes())["pages"] == []


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50), st.integers(0, 70_000))
def test_markdown_of_any_length_and_letters_is_escaped_right(tmp_path_factory: object, text: str, padding: int) -> None:
    folder = tmp_path_factory.mktemp("json")  # type: ignore[attr-defined]
    markdown = "ы" * padding + text
    (folder / "document.md").write_text(markdown, encoding="utf-8", newline="")
    write_result_json(_RESULT, [], folder / "document.md", folder / "result.json")
    assert json.loads((folder / "result.json").read_bytes())["markdown"] == markdown
