"""Where Tesseract's language data lies, and which of it reads a language.

Tesseract takes all its languages from one folder, so the folder is chosen by language. Standard library only: `scripts/setup`
asks this module before the service's packages are installed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ocr_service.engines.config import EngineSetupError

LOGGER = logging.getLogger(__name__)

PROJECT_FOLDER = Path(__file__).parents[3] / ".tools" / "tessdata"
"""Where `scripts/setup` unpacks language data when it may not install it."""

_SYSTEM_FOLDERS = (
    "usr/share/tesseract-ocr/*/tessdata",
    "usr/share/tesseract-ocr/tessdata",
    "usr/share/tessdata",
    "usr/local/share/tessdata",
)
"""Debian and Ubuntu (one folder a Tesseract version), other distributions, and builds from source."""

# Office papers of these countries mix the state language with Russian; a page is read with all names of its entry at once.
# English comes last everywhere: names of companies and units are written in Latin letters.
_LANGUAGES: dict[str, tuple[str, ...]] = {
    "ru": ("rus", "eng"),
    "be": ("bel", "rus", "eng"),
    "kk": ("kaz", "rus", "eng"),
    "ky": ("kir", "rus", "eng"),
    "tg": ("tgk", "rus", "eng"),
    "tt": ("tat", "rus", "eng"),
    "uz": ("uzb_cyrl", "uzb", "rus", "eng"),
    "uk": ("ukr", "eng"),
    "bg": ("bul", "eng"),
    "mk": ("mkd", "eng"),
    "mn": ("mon", "eng"),
    "sr": ("srp", "srp_latn", "eng"),
    "en": ("eng",),
    "ar": ("ara", "eng"),
    "cs": ("ces", "eng"),
    "de": ("deu", "eng"),
    "el": ("ell", "eng"),
    "es": ("spa", "eng"),
    "et": ("est", "eng"),
    "fa": ("fas", "eng"),
    "fi": ("fin", "eng"),
    "fr": ("fra", "eng"),
    "he": ("heb", "eng"),
    "hi": ("hin", "eng"),
    "hy": ("hye", "eng"),
    "it": ("ita", "eng"),
    "ja": ("jpn", "eng"),
    "ka": ("kat", "eng"),
    "ko": ("kor", "eng"),
    "lt": ("lit", "eng"),
    "lv": ("lav", "eng"),
    "pl": ("pol", "eng"),
    "pt": ("por", "eng"),
    "ro": ("ron", "eng"),
    "th": ("tha", "eng"),
    "tr": ("tur", "eng"),
    "vi": ("vie", "eng"),
    "zh": ("chi_sim", "eng"),
}


def languages(lang: str) -> tuple[str, ...]:
    """Tesseract's names for an ISO 639-1 language, the indispensable one first; three letters are Tesseract's own name already.

    Raises EngineSetupError for a two-letter code that is not known.
    """
    if lang in _LANGUAGES:
        return _LANGUAGES[lang]
    if len(lang) == 3:
        return (lang,) if lang == "eng" else (lang, "eng")
    raise EngineSetupError(
        f"No Tesseract language is known for {lang!r}; known: {', '.join(sorted(_LANGUAGES))}, or a three-letter name of Tesseract"
    )


def packages(names: Sequence[str]) -> list[str]:
    """The Debian and Ubuntu packages that hold these Tesseract languages."""
    return ["tesseract-ocr-" + name.replace("_", "-") for name in names]


def candidates(configured: Path | None, root: Path = Path("/")) -> list[Path]:
    """The folders that may hold language data, the preferred first; the newest Tesseract version before older ones."""
    found = [configured] if configured else []
    found.append(PROJECT_FOLDER)
    for pattern in _SYSTEM_FOLDERS:
        found.extend(sorted(root.glob(pattern), key=_version, reverse=True))
    return [folder for folder in found if folder.is_dir()]


def find(configured: Path | None, lang: str) -> Path:
    """The folder with the data that reads `lang`: one that has all of it, else one that has at least the language itself.

    `configured` is looked into first. Raises EngineSetupError that says what to install.
    """
    if configured and not any(configured.glob("*.traineddata")):
        raise EngineSetupError(f"OCR_TESSDATA names {configured}, which holds no *.traineddata file")
    wanted = languages(lang)
    folders = candidates(configured)
    for needed in (wanted, wanted[:1]):
        for folder in folders:
            if not missing(folder, needed):
                return folder
    looked = ", ".join(map(str, folders)) or "no folder of Tesseract data exists"
    raise EngineSetupError(
        f"Tesseract's data for {lang!r} is missing ({wanted[0]}.traineddata; looked into: {looked}). Install {' '.join(packages(wanted))}"
        " (Debian, Ubuntu), or put the *.traineddata files into a folder and name it in OCR_TESSDATA"
    )


def missing(folder: Path, names: Sequence[str]) -> list[str]:
    """Those of the Tesseract languages that the folder does not hold."""
    return [name for name in names if not (folder / f"{name}.traineddata").is_file()]


def language_string(folder: Path, lang: str) -> str:
    """What Tesseract is asked for, e.g. `rus+eng`: the names of `lang` that the folder holds, with a warning about the others."""
    wanted = languages(lang)
    absent = missing(folder, wanted)
    if absent:
        LOGGER.warning("%s lacks %s: install %s", folder, ", ".join(absent), " ".join(packages(absent)))
    return "+".join(name for name in wanted if name not in absent)


def _version(folder: Path) -> tuple[int, ...]:
    """`/usr/share/tesseract-ocr/4.00/tessdata` → (4, 0)."""
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdecimal())
