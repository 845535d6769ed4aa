"""The form's text fields become DocumentOptions. Every refusal names its field and says what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from ocr_service.domain.documents import DocumentOptions, OutputKind, PageOptions, TextLayerMode, VlmPolicy
from ocr_service.domain.errors import InvalidRequest

FIELDS = ("pages", "dpi", "lang", "text_layer", "outputs", "password", "use_vlm", "vlm_policy", "include_headers_footers")
MIN_DPI, MAX_DPI = 72, 600
MAX_PASSWORD_CHARS = 127  # PDF 2.0 §7.6.4.3.3: longer passwords are cut there

_PAGE_RANGE = re.compile(r"([1-9][0-9]{0,6})(?:-([1-9][0-9]{0,6}))?", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class OptionDefaults:
    """What holds when a request does not say, and what this deployment allows."""

    dpi: int
    lang: str
    max_pages: int
    vlm_enabled: bool
    vlm_policy: VlmPolicy = VlmPolicy.AUTO


def parse_options(fields: Iterable[tuple[str, str]], defaults: OptionDefaults) -> tuple[DocumentOptions, str | None]:
    """The options and the password of a form. An empty field counts as not given. Raises InvalidRequest."""
    values, outputs = _collect(fields)
    kinds = frozenset(_choice("outputs", name, OutputKind) for name in outputs)
    page = PageOptions(
        dpi=_dpi(values["dpi"]) if "dpi" in values else defaults.dpi,
        lang=_lang(values["lang"]) if "lang" in values else defaults.lang,
        text_layer=_choice("text_layer", values.get("text_layer", TextLayerMode.AUTO), TextLayerMode),
        vlm_policy=_vlm_policy(values, defaults),
        image=OutputKind.PAGE_IMAGES in kinds,
    )
    options = DocumentOptions(
        page=page,
        pages=parse_pages(values["pages"], defaults.max_pages) if "pages" in values else None,
        outputs=kinds,
        include_running=_boolean("include_headers_footers", values.get("include_headers_footers", "false")),
    )
    return options, _password(values.get("password"))


def _collect(fields: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    """The fields by name, and `outputs` apart, which may be repeated, hold a comma list, or both."""
    values: dict[str, str] = {}
    outputs: list[str] = []
    for name, raw in fields:
        value = raw if name == "password" else raw.strip()
        if not value:
            continue
        if name == "outputs":
            outputs += [item.strip() for item in value.split(",") if item.strip()]
        elif name in values:
            raise InvalidRequest(f"'{name}' may be given only once.", field=name)
        else:
            values[name] = value
    return values, outputs


def parse_pages(text: str, max_pages: int) -> tuple[int, ...]:
    """`1-3,7` → (1, 2, 3, 7), ascending and each once. Raises InvalidRequest."""
    pages: set[int] = set()
    for item in text.split(","):
        match = _PAGE_RANGE.fullmatch(item.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= max_pages:
            raise InvalidRequest(
                f"'pages' must be page numbers and ranges from 1 to {max_pages}, such as 1-3,7.",
                field="pages",
            )
        pages.update(range(first, last + 1))
    return tuple(sorted(pages))


def _dpi(text: str) -> int:
    if not _NUMBER.fullmatch(text) or not MIN_DPI <= int(text) <= MAX_DPI:
        raise InvalidRequest(f"'dpi' must be a whole number from {MIN_DPI} to {MAX_DPI}.", field="dpi")
    return int(text)


def _lang(text: str) -> str:
    code = text.lower()
    if not _LANGUAGE.fullmatch(code):
        raise InvalidRequest("'lang' must be a language code of two or three letters (ISO 639), such as ru or en.", field="lang")
    return code


def _choice(name: str, text: str, kind: type[_Choice]) -> _Choice:
    try:
        return kind(text.lower())
    except ValueError:
        raise InvalidRequest(f"'{name}' must be one of: {', '.join(kind)}.", field=name) from None


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise InvalidRequest(f"'{name}' must be true or false.", field=name)
    return _BOOLEANS[text.lower()]


def _password(text: str | None) -> str | None:
    if text is not None and len(text) > MAX_PASSWORD_CHARS:
        raise InvalidRequest(f"'password' must have at most {MAX_PASSWORD_CHARS} characters.", field="password")
    return text


def _vlm_policy(values: dict[str, str], defaults: OptionDefaults) -> VlmPolicy:
    """`use_vlm` says whether, `vlm_policy` for which blocks; nothing given means what the deployment does."""
    wanted = _boolean("use_vlm", values["use_vlm"]) if "use_vlm" in values else None
    policy = _choice("vlm_policy", values["vlm_policy"], VlmPolicy) if "vlm_policy" in values else None
    if (wanted is True and policy is VlmPolicy.NONE) or (wanted is False and policy is VlmPolicy.ALL):
        raise InvalidRequest("'use_vlm' and 'vlm_policy' contradict each other.", field="vlm_policy")
    if not defaults.vlm_enabled:
        for name, asked in (("use_vlm", wanted is True), ("vlm_policy", policy is VlmPolicy.ALL)):
            if asked:
                raise InvalidRequest(f"'{name}' asks for the VLM, which this deployment has switched off (USE_VLM_API).", field=name)
        return VlmPolicy.NONE
    if wanted is False:
        return VlmPolicy.NONE
    if policy is None and wanted and defaults.vlm_policy is VlmPolicy.NONE:
        return VlmPolicy.AUTO
    return policy or defaults.vlm_policy
