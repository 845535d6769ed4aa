"""The engine as a page worker uses it, on files, with the real library."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source
from ocr_service.domain.documents import MediaType, PageAnalysis, PageOptions, SourceFile, TextLayerMode
from ocr_service.domain.errors import PageFailed
from ocr_service.domain.geometry import Point
from ocr_service.engines.config import EngineConfig, EngineSetupError
from ocr_service.engines.structure_v3.engine import StructureV3Engine
from tests.paddle.pages import CASES, PARAGRAPH, TABLE, Case
from tests.paddle.stub_models import build

OPTIONS = PageOptions(dpi=144, lang="ru")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> StructureV3Engine:
    models = build(tmp_path_factory.mktemp("official_models"), CASES["report"].script)
    return StructureV3Engine(EngineConfig(models_path=models))


def source(path: Path, data: bytes, media_type: MediaType = MediaType.PDF) -> SourceFile:
    path.write_bytes(data)
    return SourceFile(path, media_type, path.name, hashlib.sha256(data).hexdigest(), len(data))


def scan(case: Case, folder: Path) -> SourceFile:
    """The case's page as a scanner's picture, without any text of its own."""
    done, data = cv2.imencode(".png", cv2.cvtColor(case.rgb(), cv2.COLOR_RGB2BGR))
    assert done
    return source(folder / "scan.png", bytes(data), MediaType.PNG)


def texts(analysis: PageAnalysis) -> list[tuple[LayoutLabel, str]]:
    return [(block.label, block.content) for block in analysis.blocks if block.format is ContentFormat.TEXT]


def cell_texts(block: Block) -> list[list[str]]:
    assert block.table is not None
    return [[cell.text for cell in block.table.cells if cell.row == row] for row in range(block.table.rows)]


def test_a_scan_is_read_with_its_table_and_its_picture(engine: StructureV3Engine, tmp_path: Path) -> None:
    analysis = engine.analyse(scan(CASES["report"], tmp_path), 1, OPTIONS)
    assert not analysis.text_layer.used
    assert texts(analysis) == [
        (LayoutLabel.DOC_TITLE, "A Report on Small Things"),
        (LayoutLabel.TEXT, " ".join(PARAGRAPH)),
        (LayoutLabel.NUMBER, "7"),
    ]
    table, picture = analysis.blocks[2:4]
    assert cell_texts(table) == [["Fruit of this season and what it costs"], *TABLE[1:]]
    assert table.source is Source.TABLE_MODEL
    assert [cut.name for cut in analysis.pictures] == [picture.content] == ["p0001-b04.png"]
    pixels = cv2.imdecode(np.frombuffer(analysis.pictures[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape[:2] == (round(picture.bbox.height), round(picture.bbox.width))
    assert analysis.warnings == ()


def test_the_text_of_a_born_digital_page_is_the_file_s_own(engine: StructureV3Engine, tmp_path: Path) -> None:
    analysis = engine.analyse(source(tmp_path / "report.pdf", CASES["report"].pdf()), 1, OPTIONS)
    assert (analysis.text_layer.used, analysis.text_layer.reason) == (True, "trusted")
    title, text, table, _, number = analysis.blocks
    assert (title.content, text.content, number.content) == ("A Report on Small Things", " ".join(PARAGRAPH), "7")
    assert {block.source for block in (title, text, table, number)} == {Source.TEXT_LAYER}
    assert all(line.confidence is None for line in text.lines)
    assert cell_texts(table) == [["Fruit of this season and what it costs"], *TABLE[1:]]


def test_the_file_s_own_text_is_ignored_as_asked(engine: StructureV3Engine, tmp_path: Path) -> None:
    options = PageOptions(dpi=144, lang="ru", text_layer=TextLayerMode.IGNORE)
    analysis = engine.analyse(source(tmp_path / "report.pdf", CASES["report"].pdf()), 1, options)
    assert not analysis.text_layer.used
    assert analysis.blocks[1].source is Source.OCR
    assert analysis.blocks[1].content == " ".join(PARAGRAPH)


def test_a_scan_that_lies_on_its_side_is_put_upright_and_boxes_find_their_way_back(tmp_path: Path) -> None:
    case = CASES["turned"]
    engine = StructureV3Engine(EngineConfig(models_path=build(tmp_path / "official_models", case.script)))
    analysis = engine.analyse(scan(case, tmp_path), 1, OPTIONS)
    assert analysis.upright.orientation == 270
    assert (analysis.upright.width, analysis.upright.height) == pytest.approx((1190, 1684), abs=1)
    assert texts(analysis)[0] == (LayoutLabel.DOC_TITLE, "A Report on Small Things")
    # The paper was turned clockwise by 90 degrees: the title's middle, near the top, is now near the right edge.
    middle = analysis.upright.to_displayed(analysis.blocks[0].bbox.center)
    assert middle == pytest.approx(Point(1684 - 143, 595), abs=8)


def test_a_crooked_scan_is_deskewed_before_it_is_read(engine: StructureV3Engine, tmp_path: Path) -> None:
    rgb = CASES["report"].rgb()
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -1.5, 1.0)  # clockwise
    crooked = cv2.warpAffine(rgb, matrix, (width, height), borderValue=(255, 255, 255))
    done, data = cv2.imencode(".png", cv2.cvtColor(crooked, cv2.COLOR_RGB2BGR))
    assert done
    analysis = engine.analyse(source(tmp_path / "crooked.png", bytes(data), MediaType.PNG), 1, OPTIONS)
    assert analysis.upright.skew == pytest.approx(-1.5, abs=0.2)
    assert texts(analysis)[1] == (LayoutLabel.TEXT, " ".join(PARAGRAPH))


def test_a_blank_page_has_no_blocks(engine: StructureV3Engine, tmp_path: Path) -> None:
    assert engine.analyse(source(tmp_path / "blank.pdf", CASES["blank"].pdf()), 1, OPTIONS).blocks == ()


@pytest.mark.parametrize(("lang", "reason"), [("en", "PP-OCRv5_server_rec"), ("xx", "no PP-OCRv5 model reads")])
def test_a_language_without_its_model_fails_the_page_and_says_why(
    engine: StructureV3Engine, tmp_path: Path, lang: str, reason: str
) -> None:
    with pytest.raises(PageFailed, match=reason):
        engine.analyse(scan(CASES["blank"], tmp_path), 1, PageOptions(dpi=72, lang=lang))


def test_missing_models_stop_the_start_with_one_line(tmp_path: Path) -> None:
    models = build(tmp_path, CASES["blank"].script)
    (models / "SLANeXt_wired_onnx" / "inference.onnx").write_bytes(b"")
    with pytest.raises(EngineSetupError, match=r"lacks 1 of 11 models .*SLANeXt_wired.*preload_models\.py --profile gpu") as caught:
        StructureV3Engine(EngineConfig(models_path=models))
    assert "\n" not in str(caught.value)


def test_every_language_has_its_own_recogniser(tmp_path: Path) -> None:
    names = ("eslav_PP-OCRv5_mobile_rec", "cyrillic_PP-OCRv5_mobile_rec", "PP-OCRv5_server_rec")
    engine = StructureV3Engine(EngineConfig(models_path=build(tmp_path / "official_models", CASES["blank"].script, names)))
    page = scan(CASES["blank"], tmp_path)
    for lang in ("ru", "bg", "en", "uk"):
        engine.analyse(page, 1, PageOptions(dpi=72, lang=lang))
    # All models again for each: the one used longest ago is given up.
    assert list(engine._pipelines) == ["PP-OCRv5_server_rec", "eslav_PP-OCRv5_mobile_rec"]
