"""Names of results: all different, whatever the order, and the same in the next run."""

from __future__ import annotations

from pathlib import Path, PurePath

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.cli.inputs import Source
from ocr_service.cli.names import choose


def sources(*paths: str) -> list[Source]:
    return [Source(Path(path), PurePath(Path(path).name)) for path in paths]


def names(*paths: str) -> list[str]:
    return [str(name) for name in choose(sources(*paths), lambda _name, _source: False)]


def test_the_ending_goes() -> None:
    assert names("/a/scan.pdf", "/a/report.v2.png") == ["scan", "report.v2"]


def test_two_that_differ_in_their_endings_or_case_keep_them() -> None:
    assert names("/a/scan.pdf", "/a/SCAN.png", "/a/b.pdf") == ["scan.pdf", "SCAN.png", "b"]


def test_two_of_the_same_name_get_something_of_their_paths() -> None:
    first, second = names("/a/scan.pdf", "/b/scan.pdf")
    assert first.startswith("scan.pdf~")
    assert second.startswith("scan.pdf~")
    assert first != second


def test_a_folder_of_documents_is_not_taken_for_a_documents_pictures() -> None:
    documents = [Source(Path("/in") / name, PurePath(name)) for name in ("a.pdf", "a.files/b.pdf")]
    assert [str(name) for name in choose(documents, lambda _name, _source: False)] == ["a.pdf", "a.files/b"]


def test_a_name_that_another_documents_result_has_is_left_to_it() -> None:
    [name] = choose(sources("/a/scan.pdf"), lambda name, _source: str(name) == "scan")
    assert str(name) == "scan.pdf"


@given(st.lists(st.sampled_from(["a", "b", "a.pdf", "A", "a~b"]).flatmap(lambda stem: st.sampled_from([f"/{folder}/{stem}{end}"
       for folder in "xy" for end in (".pdf", ".PDF", ".png", "")])), unique=True, max_size=12), st.randoms())  # fmt: skip
def test_names_never_clash_and_do_not_depend_on_the_order(paths: list[str], random: object) -> None:
    chosen = dict(zip(paths, names(*paths), strict=True))
    assert len({name.casefold() for name in chosen.values()}) == len(paths)
    shuffled = list(paths)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert dict(zip(shuffled, names(*shuffled), strict=True)) == chosen
