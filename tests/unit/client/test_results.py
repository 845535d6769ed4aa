"""The client's types against what the service says that it sends."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from pydantic import BaseModel

from ocr_service.api import wire
from ocr_service.api.options import FIELDS
from ocr_service.client import Options, jobs, results
from ocr_service.client.options import OUTPUTS, TEXT_LAYER, VLM_POLICY
from ocr_service.domain.documents import OutputKind, TextLayerMode, VlmPolicy

PAIRS = [
    (results.PageError, wire.PageErrorAnswer),
    (results.TextLayer, wire.TextLayer),
    (results.Refinement, wire.RefinementAnswer),
    (results.Cell, wire.Cell),
    (results.Table, wire.Table),
    (results.Line, wire.Line),
    (results.Block, wire.BlockAnswer),
    (results.Page, wire.Page),
    (results.UsedOptions, wire.Options),
    (results.S3Copy, wire.S3Copy),
    (results.Summary, wire.Summary),
    (results.Document, wire.Document),
    (results.Health, wire.Health),
    (results.Ready, wire.Ready),
    (results.Version, wire.Version),
    (jobs.JobFailure, wire.JobErrorAnswer),
    (jobs.JobLinks, wire.JobLinks),
    (jobs.Job, wire.Job),
]


@pytest.mark.parametrize(("mine", "theirs"), PAIRS, ids=lambda kind: kind.__name__)
def test_every_field_of_the_service_is_there(mine: type[msgspec.Struct], theirs: type[BaseModel]) -> None:
    assert {field.name for field in msgspec.structs.fields(mine)} == set(theirs.model_fields)


def test_the_options_are_the_forms_fields() -> None:
    # `use_vlm` is the older way of saying `vlm_policy`.
    assert set(Options.__dataclass_fields__) == set(FIELDS) - {"use_vlm"}
    assert (set(TEXT_LAYER), set(OUTPUTS), set(VLM_POLICY)) == (set(TextLayerMode), set(OutputKind), set(VlmPolicy))


def test_only_what_was_asked_for_is_sent() -> None:
    assert Options().fields() == {}
    assert Options(outputs=("tables", "searchable_pdf"), include_headers_footers=True).fields() == {
        "outputs": "searchable_pdf,tables",
        "include_headers_footers": "true",
    }


def test_fields_of_a_newer_service_are_ignored() -> None:
    answer = b'{"service": "9", "python": "3.14", "engine": "", "libraries": {}, "new": 1}'
    assert msgspec.json.decode(answer, type=results.Version).service == "9"


def test_times_are_times() -> None:
    assert msgspec.json.decode(b'"2026-11-24T12:00:00Z"', type=datetime) == datetime(2026, 11, 24, 12, tzinfo=UTC)
