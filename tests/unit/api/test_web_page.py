"""The files of the web page: what is served, with which headers, and what they are made of."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from ocr_service.api.app import create_app, framed

STATIC = Path(__file__).parents[3] / "ocr_service" / "web" / "static"
OURS = sorted((STATIC / "js").glob("*.js"))


def get(path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(framed(create_app())), base_url="http://test") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline() -> None:
    answer = get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|https?://", answer.text)


def test_every_file_that_a_file_names_is_there() -> None:
    names = {"index.html"}
    for path in [STATIC / "index.html", *OURS, *(STATIC / "css").glob("*.css")]:
        text = path.read_text(encoding="utf-8")
        base = STATIC if path.name == "index.html" else path.parent
        for target in re.findall(r"""(?:src|href)="(web/[^"]+)"|(?:from|import\() ?"(\.[^"]+)\"""", text):
            name = target[0].removeprefix("web/") or str((base / target[1]).resolve().relative_to(STATIC))
            names.add(name)
    assert len(names) > 25
    for name in sorted(names):
        answer = get(f"/web/{name}")
        assert answer.status_code == 200, name
        assert answer.content == (STATIC / name).read_bytes()


@pytest.mark.parametrize("name", ["", "nothing.js", "../__init__.py", "..%2f__init__.py", "js", "js/", "/etc/passwd", "vendored.json"])
def test_nothing_else_is_served(name: str) -> None:
    assert (get(f"/web/{name}")).status_code == 404


def test_a_file_that_has_not_changed_is_not_sent_again() -> None:
    first = get("/web/js/main.js")
    again = get("/web/js/main.js", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (get("/web/js/main.js", **{"If-None-Match": '"another"'})).status_code == 200


def test_vendored_files_are_those_that_were_recorded() -> None:
    record = json.loads((STATIC / "vendor" / "vendored.json").read_text(encoding="utf-8"))
    recorded = {name: digest for package in record["packages"] for name, digest in package["files"].items()}
    found = [path for path in (STATIC / "vendor").rglob("*") if path.is_file() and path.name != "vendored.json"]
    assert recorded == {str(path.relative_to(STATIC / "vendor")): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    assert all(package["version"] and package["licence"] and package["integrity"] for package in record["packages"])


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_scripts_never_parse_html_or_text_as_code(path: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|createContextualFragment|srcdoc"
    assert re.findall(rf"{forbidden}|\beval\(|new Function", path.read_text(encoding="utf-8")) == []


def texts(language: str) -> dict[str, str]:
    source = (STATIC / "js" / f"texts_{language}.js").read_text(encoding="utf-8")
    return {quoted or bare: text for quoted, bare, text in re.findall(r'^  (?:"([\w.]+)"|(\w+)): (.+),$', source, re.MULTILINE)}


def test_both_languages_have_the_same_texts_with_the_same_gaps() -> None:
    english, russian = texts("en"), texts("ru")
    assert len(english) > 150
    assert english.keys() == russian.keys()
    for key, text in english.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", russian[key])), key


def test_every_text_that_is_asked_for_is_there() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*OURS, STATIC / "index.html"] if "texts_" not in path.name)
    asked = set(re.findall(r"""\bt\("([^"]+)\"""", source)) | set(re.findall(r'data-(?:text|label)="([^"]+)"', source))
    asked |= set(re.findall(r'data: \{ (?:text|label): "([^"]+)"', source))
    assert len(asked) > 70
    assert asked - texts("en").keys() == set()


def test_every_reason_of_the_judge_has_its_words() -> None:
    refinement = STATIC.parents[1] / "pipeline" / "refinement"
    source = "\n".join((refinement / name).read_text(encoding="utf-8") for name in ("judge.py", "tables.py"))
    reasons = re.findall(r'rejected\("([^"]+)"', source)
    reasons += re.findall(r'return "([^"]+)"', (refinement / "findings.py").read_text(encoding="utf-8"))
    assert len(reasons) > 10
    assert {"reason." + re.sub("[^a-z]+", "_", reason.lower()) for reason in reasons} - texts("en").keys() == set()
