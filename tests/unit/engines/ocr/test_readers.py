from __future__ import annotations

import shutil
from pathlib import Path

import onnxruntime
import pytest
import yaml

from ocr_service.engines.config import EngineConfig, EngineSetupError
from ocr_service.engines.ocr.fusion import FusedReader
from ocr_service.engines.ocr.readers import WHEEL_MODELS, Readers, eslav_folder, preloaded_recognizer
from tests.unit.engines.drawn import draw

WHEEL_RECOGNISER = WHEEL_MODELS / "PP-OCRv6_rec_small.onnx"


def dictionary() -> list[str]:
    """The characters that the wheel's recogniser knows."""
    session = onnxruntime.InferenceSession(WHEEL_RECOGNISER, providers=["CPUExecutionProvider"])
    characters: list[str] = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    return characters


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models as PaddleX leaves it, in which the East Slavic recogniser is the wheel's one under another name."""
    models = tmp_path_factory.mktemp("official_models")
    folder = models / "eslav_PP-OCRv5_mobile_rec_onnx"
    folder.mkdir()
    shutil.copy(WHEEL_RECOGNISER, folder / "inference.onnx")
    described = {"Global": {"model_name": folder.name}, "PostProcess": {"name": "CTCLabelDecode", "character_dict": dictionary()}}
    (folder / "inference.yml").write_text(yaml.safe_dump(described, allow_unicode=True), encoding="utf-8")
    return models


@pytest.fixture(scope="module")
def readers() -> Readers:
    return Readers(EngineConfig(Path("/nonexistent")))


@pytest.mark.parametrize("lang", ["en", "de", "zh", "ja", "pl"])
def test_latin_and_chinese_need_the_wheels_model_only(readers: Readers, lang: str) -> None:
    assert readers.for_language(lang).name == "PP-OCRv6 small"


def test_russian_is_read_by_tesseract_and_checked_by_the_wheels_model(readers: Readers) -> None:
    reader = readers.for_language("ru")
    assert isinstance(reader, FusedReader)
    assert "PP-OCRv6 small" in reader.name
    assert "rus" in reader.name


def test_a_reader_is_built_once(readers: Readers) -> None:
    assert readers.for_language("ru") is readers.for_language("ru")


@pytest.mark.parametrize("lang", ["ru", "be", "uk"])
def test_a_preloaded_east_slavic_model_is_preferred_to_tesseract(preloaded: Path, lang: str) -> None:
    reader = Readers(EngineConfig(preloaded, tessdata=Path("/nonexistent"))).for_language(lang)
    assert "eslav_PP-OCRv5" in reader.name
    assert "Tesseract" not in reader.name


def test_a_preloaded_model_reads_with_the_dictionary_of_its_package(preloaded: Path) -> None:
    folder = eslav_folder(preloaded)
    assert folder is not None
    line = draw("ISO 9001").line
    chars = preloaded_recognizer(folder)(line.pixels)
    assert "".join(char.text for char in chars) == "ISO 9001"


def test_half_a_package_is_no_package(tmp_path: Path, preloaded: Path) -> None:
    folder = tmp_path / "eslav_PP-OCRv5_mobile_rec"
    folder.mkdir()
    assert eslav_folder(tmp_path) is None
    shutil.copy(preloaded / "eslav_PP-OCRv5_mobile_rec_onnx" / "inference.yml", folder)
    assert eslav_folder(tmp_path) is None
    (folder / "inference.onnx").touch()
    assert eslav_folder(tmp_path) == folder


@pytest.mark.parametrize("content", ["", "PostProcess: {}", "- a list", "{broken", "PostProcess: null"])
def test_a_package_without_a_dictionary_is_refused_with_its_file_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "inference.yml").write_text(content, encoding="utf-8")
    with pytest.raises(EngineSetupError, match=r"inference\.yml is not a PaddleX model description"):
        preloaded_recognizer(tmp_path)


def test_an_unknown_language_is_refused_with_what_is_known(readers: Readers) -> None:
    with pytest.raises(EngineSetupError, match="No Tesseract language is known for 'qq'"):
        readers.for_language("qq")


def test_a_language_whose_data_is_missing_is_refused_with_what_to_install(readers: Readers) -> None:
    with pytest.raises(EngineSetupError, match="tesseract-ocr-kaz"):
        readers.for_language("kk")


def test_damaged_data_is_refused_with_its_folder_named(tmp_path: Path) -> None:
    for name in ("rus", "eng"):
        (tmp_path / f"{name}.traineddata").write_bytes(b"damaged")
    with pytest.raises(EngineSetupError, match="the data is damaged"):
        Readers(EngineConfig(Path("/nonexistent"), tessdata=tmp_path)).for_language("ru")
