"""A VLM server without a model: real HTTP, right answers, and the time that a GPU would take for them.

The model of a GPU: it runs `slots` requests at the same time, the others wait in turn. A request occupies its slot for `prefill_s` (its
picture and prompt) and then for its tokens at `tokens_per_s`: decoding is bound by memory, so up to that many requests a step takes as long
as one does, and the capacity of the server is that of its slots. A token is three letters; markup of a table is a token a cell and a row. A
request whose client leaves frees its slot. Nothing is computed meanwhile, so the cores are left to who is measured.
"""

from __future__ import annotations

import asyncio
import io
import re
import time
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from typing_extensions import override

from tests.fakes.vlm_acts import Act, Answer, Exchange, Fail
from tests.fakes.vlm_server import Asked

_LETTERS_A_TOKEN = 3
_THUMBNAIL = (24, 24)
_SAME_ASPECT = 0.15
_ALIKE = 24.0  # of 255, as the mean over a thumbnail
_TAGS = re.compile(r"<[^>]*>")
_CELLS = re.compile(r"<(?:td|th|tr)\b")


def tokens(text: str) -> int:
    """How many tokens a model of the PaddleOCR-VL kind needs for the text, by rule of thumb."""
    return 1 + len(_TAGS.sub("", text)) // _LETTERS_A_TOKEN + len(_CELLS.findall(text))


@dataclass(frozen=True, slots=True)
class Speed:
    """`slots`: requests that run at the same time; each generates `tokens_per_s` after `prefill_s` seconds."""

    slots: int
    tokens_per_s: float
    prefill_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """One request on the GPU: when it came, got its slot and left it, in seconds of the monotonic clock."""

    came: float
    began: float
    ended: float
    tokens: int


@dataclass(slots=True)
class Gpu:
    """What serves the requests, and what it did."""

    speed: Speed
    runs: list[Run] = field(default_factory=list)
    _free: asyncio.Semaphore | None = None

    async def generate(self, count: int) -> None:
        """Take a slot for as long as so many tokens take. Belongs to one event loop."""
        came = time.monotonic()
        self._free = self._free or asyncio.Semaphore(self.speed.slots)
        async with self._free:
            began = time.monotonic()
            try:
                await asyncio.sleep(self.speed.prefill_s + count / self.speed.tokens_per_s)
            finally:
                self.runs.append(Run(came, began, time.monotonic(), count))

    def used(self) -> float:
        """Share of the slots' time that was used between the first request and the last answer, 0–1."""
        return self._used_until(max((run.ended for run in self.runs), default=0.0))

    def used_while_asked(self) -> float:
        """The same until the last request got its slot: without the last answers, beside which slots are empty for want of questions."""
        return self._used_until(max((run.began for run in self.runs), default=0.0))

    def _used_until(self, end: float) -> float:
        first = min((run.came for run in self.runs), default=end)
        if end <= first:
            return 0.0
        return sum(max(0.0, min(run.ended, end) - run.began) for run in self.runs) / (self.speed.slots * (end - first))


@dataclass(frozen=True, slots=True)
class _Generated(Answer):
    """An answer after the time that it takes."""

    gpu: Gpu | None = None

    @override
    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        assert self.gpu is not None
        await self.gpu.generate(self.completion_tokens)
        # Not super(): a dataclass with slots is another class than the one that this method was written in.
        return await Answer.perform(self, exchange, body)


@dataclass(frozen=True, slots=True)
class Crop:
    """A picture that was asked about, and its place in the row of first looks."""

    name: str
    image: bytes


class Listener:
    """A script for the fake server that learns which pictures are sent: every first look is answered with a name, which nobody
    believes, and every second look is refused, so that the name stays in the block's `refinement.answer`. One question at a time.
    """

    def __init__(self) -> None:
        self.crops: list[Crop] = []

    def __call__(self, asked: Asked) -> Act:
        is_second = float(asked.body["temperature"]) > 0
        if not is_second:
            name = f"picture {len({crop.name for crop in self.crops})}"
            self.crops.append(Crop(name, asked.image))
            return Answer(name)
        self.crops.append(Crop(self.crops[-1].name, asked.image))
        return Fail(400)


class Reader:
    """A script for the fake server that knows what is written on every picture, also after it was cut out and encoded anew."""

    def __init__(self, gpu: Gpu, known: list[tuple[bytes, str]]) -> None:
        self._gpu = gpu
        self._known = [(*_seen(image), text) for image, text in known]
        self.unknown = 0

    def __call__(self, asked: Asked) -> Act:
        aspect, small = _seen(asked.image)
        unlike, text = min(
            ((float(np.abs(other - small).mean()), text) for shape, other, text in self._known if abs(shape / aspect - 1) < _SAME_ASPECT),
            default=(255.0, ""),
        )
        if unlike > _ALIKE:
            self.unknown += 1
            return Answer("")
        return _Generated(text, completion_tokens=tokens(text), gpu=self._gpu)


def _seen(image: bytes) -> tuple[float, np.ndarray]:
    """Width by height, and a thumbnail."""
    with Image.open(io.BytesIO(image)) as picture:
        grey = picture.convert("L")
        return picture.width / picture.height, np.asarray(grey.resize(_THUMBNAIL, Image.Resampling.BOX), np.float32)
