"""API keys as they are configured."""

from __future__ import annotations

import hashlib

import pytest

from ocr_service.api.keys import ApiKeys, lines_of

ANNA, BORIS = "a" * 16, "b/~+=-_.0123456789"


def test_a_key_is_known_by_its_name_whether_it_was_given_or_its_hash() -> None:
    keys = ApiKeys.parse([f"anna:{ANNA}", f" boris:sha256:{hashlib.sha256(BORIS.encode()).hexdigest()} ", ""])
    assert (keys.name_of(ANNA.encode()), keys.name_of(BORIS.encode()), keys.name_of(b"c" * 16)) == ("anna", "boris", None)


def test_a_hash_opens_nothing() -> None:
    digest = hashlib.sha256(ANNA.encode()).hexdigest()
    keys = ApiKeys.parse([f"anna:sha256:{digest}"])
    assert keys.name_of(digest.encode()) is None
    assert keys.name_of(f"sha256:{digest}".encode()) is None


def test_a_name_may_have_two_keys_while_they_are_exchanged() -> None:
    keys = ApiKeys.parse([f"anna:{ANNA}", f"anna:{BORIS}"])
    assert keys.name_of(ANNA.encode()) == keys.name_of(BORIS.encode()) == "anna"


@pytest.mark.parametrize(
    "entries",
    [[ANNA], ["anna:hush-hush"], ["anna:"], [f":{ANNA}"], [f"an na:{ANNA}"], [f"anna:{ANNA} {ANNA}"], [f"anna:{ANNA}ы"],
     ["anna:sha256:0123"], ["anna:sha256:" + "G" * 64], [f"anna:{ANNA}", f"boris:{ANNA}"]],
)  # fmt: skip
def test_what_is_no_key_is_refused_without_being_shown(entries: list[str]) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the text is looked at
        ApiKeys.parse(entries)
    assert ANNA not in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_keys_do_not_show_in_a_repr() -> None:
    keys = ApiKeys.parse([f"anna:{ANNA}"])
    assert repr(keys) == "ApiKeys()"


def test_a_file_may_have_comments_and_empty_lines() -> None:
    assert ApiKeys.parse(lines_of(f"# ours\nanna:{ANNA}\r\n\n  # theirs\nboris:{BORIS}\n")).name_of(BORIS.encode()) == "boris"
