"""Which recognisers read which language, built once per language and kept.

PP-OCRv6 small (from the `rapidocr` wheel) reads Chinese, Japanese and the Latin alphabet. For all other scripts it is only the second
reader beside eslav_PP-OCRv5 (East Slavic) if that model was preloaded, else Tesseract.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnxruntime
import rapidocr
import yaml

from ocr_service.engines.config import EngineConfig, EngineSetupError
from ocr_service.engines.ocr import tessdata
from ocr_service.engines.ocr.fusion import FusedReader
from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.paddle_reader import PaddleReader
from ocr_service.engines.ocr.reading import LineReader, PageReader
from ocr_service.engines.ocr.recognition import TextRecognizer
from ocr_service.engines.ocr.tesseract import TesseractReader

WHEEL_MODELS = Path(rapidocr.__file__).parent / "models"
_EAST_SLAVIC = {"ru", "be", "uk"}
_ESLAV = "eslav_PP-OCRv5_mobile_rec"
# Languages of the Latin alphabet; like Chinese and Japanese, the dictionary of PP-OCRv6 knows them.
_UNIVERSAL = {
    *("af", "az", "bs", "ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "id", "is", "it"),
    *("la", "lb", "lt", "lv", "mi", "ms", "mt", "nl", "no", "oc", "pl", "pt", "qu", "rm", "ro", "sk", "sl", "sq", "sv", "sw"),
    *("tl", "tr", "vi"),
}
_IDEOGRAPHIC = {"zh", "ja"}
_UNIVERSAL_NAME = "PP-OCRv6 small"
# Where PP-OCRv6 reads whole lines it costs a sixth less so, and reads as many right. Where it checks the digits of Cyrillic lines it gets
# few of them to see, and on a fax a smaller slash was taken for a one.
_MARGIN = 0.08


class _Plain:
    """A reader that needs no look at the page first."""

    def __init__(self, reader: LineReader) -> None:
        self._reader = reader
        self.name = reader.name

    def for_page(self, sample: Sequence[LinePicture]) -> LineReader:  # noqa: ARG002  the port's signature
        return self._reader


class Readers:
    """The readers of a worker, by language."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        recognizer = wheel_recognizer()
        self.universal = PaddleReader(recognizer, _UNIVERSAL_NAME)
        self._latin = PaddleReader(recognizer, _UNIVERSAL_NAME, margin=_MARGIN)
        self._ideographic = PaddleReader(recognizer, _UNIVERSAL_NAME, ideographic=True, margin=_MARGIN)
        self._by_language: dict[str, PageReader] = {}

    def for_language(self, lang: str) -> PageReader:
        """Raises EngineSetupError that says what to install."""
        if lang not in self._by_language:
            self._by_language[lang] = self._build(lang)
        return self._by_language[lang]

    def _build(self, lang: str) -> PageReader:
        if lang in _IDEOGRAPHIC:
            return _Plain(self._ideographic)
        if lang in _UNIVERSAL:
            return _Plain(self._latin)
        if lang in _EAST_SLAVIC and (model := eslav_folder(self._config.models_path)) is not None:
            eslav = PaddleReader(preloaded_recognizer(model), "eslav_PP-OCRv5 mobile")
            return FusedReader(eslav, eslav, self.universal)
        folder = tessdata.find(self._config.tessdata, lang)
        languages = tessdata.language_string(folder, lang)
        mixed = _tesseract(folder, languages)
        if lang not in _CYRILLIC:
            return _Plain(mixed)
        alone = _tesseract(folder, languages.split("+")[0])
        return FusedReader(mixed, alone, self.universal)


_CYRILLIC = {"ru", "be", "uk", "bg", "mk", "sr", "kk", "ky", "tg", "tt", "mn", "uz"}


def wheel_recognizer() -> TextRecognizer:
    """PP-OCRv6 small with the dictionary that lies in its ONNX file."""
    path = WHEEL_MODELS / "PP-OCRv6_rec_small.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    characters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    return TextRecognizer(path, tuple(characters))


def eslav_folder(models_path: Path) -> Path | None:
    """The preloaded East Slavic recogniser (PaddleX's ONNX package), None if it is not there."""
    for name in (f"{_ESLAV}_onnx", _ESLAV):
        if (models_path / name / "inference.onnx").is_file() and (models_path / name / "inference.yml").is_file():
            return models_path / name
    return None


def preloaded_recognizer(folder: Path) -> TextRecognizer:
    """A recogniser in PaddleX's package layout: `inference.onnx`, and the dictionary in `inference.yml`. Raises EngineSetupError."""
    try:
        described = yaml.safe_load((folder / "inference.yml").read_text("utf-8"))
        characters = tuple(str(char) for char in described["PostProcess"]["character_dict"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise EngineSetupError(f"{folder / 'inference.yml'} is not a PaddleX model description; preload the model again") from error
    return TextRecognizer(folder / "inference.onnx", characters)


def _tesseract(folder: Path, languages: str) -> TesseractReader:
    try:
        return TesseractReader(folder, languages)
    except RuntimeError as error:
        raise EngineSetupError(f"Tesseract cannot load {languages} from {folder}: the data is damaged, install it again") from error
