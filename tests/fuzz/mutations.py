"""Broken PDFs from sound ones: on bytes, on objects and inside of streams. The same seed and corpus give the same file."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Sequence

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]

_NUMBER = re.compile(rb"(?<=[\s\[/])-?\d{1,12}(?=[\s\]/>])")
_NAME = re.compile(rb"/[A-Za-z][A-Za-z0-9]{1,20}")
_REFERENCE = re.compile(rb"\b\d{1,5} 0 R\b")
_KEYWORD = re.compile(rb"\b(?:endobj|obj|endstream|stream|xref|trailer|startxref|%%EOF)")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_EXTREMES = (
    b"0",
    b"-1",
    b"1",
    b"65536",
    b"2147483647",
    b"-2147483648",
    b"4294967296",
    b"9223372036854775808",
    b"999999999999",
    b"0.0000001",
)
_FILTERS = (
    b"/LZWDecode",
    b"/ASCII85Decode",
    b"/RunLengthDecode",
    b"/DCTDecode",
    b"/JPXDecode",
    b"/JBIG2Decode",
    b"/CCITTFaxDecode",
    b"/Crypt",
)
_BOMB = zlib.compress(bytes(30 * 1024 * 1024), 9)


def mutated(seed: int, corpus: Sequence[bytes]) -> bytes:
    """A file of the corpus with one to six things broken."""
    chance = random.Random(seed)
    data = chance.choice(corpus)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        data = chance.choice(_MUTATIONS)(chance, data, corpus)
    # Else it is refused by its first bytes, before any parser sees it.
    return data if b"%PDF-" in data[:1024] else b"%PDF-1.7\n" + data


def _flip(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 4, 32, 256))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    begin = chance.randrange(len(data))
    return data[:begin] + data[begin + chance.choice((1, 16, 1024, len(data))) :] or data


def _repeat(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    begin = chance.randrange(len(data))
    piece = data[begin : begin + chance.choice((4, 64, 4096))]
    return data[:begin] + piece * chance.choice((2, 50)) + data[begin:]


def _splice(chance: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    other = chance.choice(corpus)
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def _replace_some(chance: random.Random, data: bytes, pattern: re.Pattern[bytes], replacements: Sequence[bytes]) -> bytes:
    places = [match.span() for match in pattern.finditer(data)]
    for begin, end in sorted(chance.sample(places, min(len(places), chance.choice((1, 3, 20)))), reverse=True):
        data = data[:begin] + chance.choice(replacements) + data[end:]
    return data


def _numbers(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    return _replace_some(chance, data, _NUMBER, _EXTREMES)


def _names(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    return _replace_some(chance, data, _NAME, _NAME.findall(data)[:500] or [b"/Type"])


def _references(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    """Among them pages that are their own parents, and streams that are their own length."""
    return _replace_some(chance, data, _REFERENCE, [*_REFERENCE.findall(data)[:500], b"null", b"99999 0 R"])


def _keywords(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    return _replace_some(chance, data, _KEYWORD, [b"", b"obj", b"endobj", b"stream", b"xref"])


def _filters(chance: random.Random, data: bytes, _corpus: Sequence[bytes]) -> bytes:
    return _replace_some(chance, data, re.compile(rb"/FlateDecode|/DCTDecode|/CCITTFaxDecode"), _FILTERS)


def _stream(chance: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    """What is inside of a compressed stream is changed and compressed again, or is a bomb."""
    streams = [match.span(1) for match in _STREAM.finditer(data)]
    if not streams:
        return data
    begin, end = chance.choice(streams)
    if chance.random() < 0.1:
        return data[:begin] + _BOMB + data[end:]
    try:
        content = zlib.decompressobj().decompress(data[begin:end], 4 * 1024 * 1024)
    except zlib.error:
        content = b""
    if not content:
        return data[:begin] + _flip(chance, data[begin:end] or b"\0", corpus) + data[end:]
    change = chance.choice((_flip, _cut, _repeat, _numbers, _names))
    return data[:begin] + zlib.compress(change(chance, content, corpus)) + data[end:]


_MUTATIONS: tuple[Mutation, ...] = (
    _flip, _cut, _repeat, _splice, _numbers, _names, _references, _keywords, _filters, _stream, _stream, _stream,
)  # fmt: skip
