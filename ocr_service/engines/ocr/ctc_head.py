"""The last layer of a CTC recogniser, taken off its model.

PP-OCRv6 tells 18,710 characters apart, nine in ten of them Chinese: on a Latin line that layer and its softmax are a fifth of the work. So
a line is first looked at with the alphabetic characters only. Where those leave a gap or are in doubt (a Chinese character is a blank or a
poor letter to them), the whole dictionary looks too, and if it sees a character of its own there, it reads the line. On a Cyrillic line
that is nearly everywhere, so it looks by OpenVINO, which keeps the weights in the order in which it multiplies them; NumPy would rearrange
all nine megabytes for every line.

A line of ideographs needs the whole dictionary from the start, but not where the network is very sure of a blank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.openvino_model import Linear

BLANK = 0
# From here on Unicode has the Chinese, Japanese and Korean scripts, full-width forms and emoji.
_FIRST_IDEOGRAPHIC = 0x2E80
# Steps of 8 pixels at a height of 48; an ideograph covers six, the space between two letters one or two.
_GAP = 3
_DOUBT = 0.9
_CLEARLY = 0.5
# Of PP-OCRv6's logits. On 195,000 steps of Russian, English and Chinese lines, 39,000 of which had a blank above it, no character came
# within 3.5 of such a blank; three in ten steps of a Chinese line have one.
_SURELY_BLANK = 28.0


@dataclass(frozen=True, slots=True)
class Classes:
    """The likeliest class of every step along the line, and its probability (0 for blanks, where nobody asks)."""

    best: NDArray[np.intp]
    scores: NDArray[np.float32]


class CtcHead:
    """`layer`: features → classes; class 0 is the blank, class n the nth character, the last one a space."""

    def __init__(self, layer: Linear, characters: tuple[str, ...]) -> None:
        count = layer.weights.shape[1]
        alphabetic = [n for n, text in enumerate(characters, start=1) if n < count and ord(text[0]) < _FIRST_IDEOGRAPHIC]
        self._few = np.array([BLANK, *alphabetic, *range(len(characters) + 1, count)])
        self._few_logits = Linear(np.ascontiguousarray(layer.weights[:, self._few]), layer.bias[self._few]).compiled()
        self._is_of_few = np.isin(np.arange(count), self._few)
        self._all_logits = layer.compiled()
        self._blank_weights, self._blank_bias = layer.weights[:, BLANK].copy(), float(layer.bias[BLANK])

    def whole(self, features: NDArray[np.float32]) -> Classes:
        """By the whole dictionary. `features`: steps × features."""
        return _classes(self._all_logits(features))

    def whole_but_blanks(self, features: NDArray[np.float32]) -> Classes:
        """By the whole dictionary wherever there may be a character; for PP-OCRv6."""
        told = features @ self._blank_weights + self._blank_bias < _SURELY_BLANK
        best, scores = np.full(len(features), BLANK, np.intp), np.zeros(len(features), np.float32)
        if told.any():
            classes = self.whole(features[told])
            best[told], scores[told] = classes.best, classes.scores
        return Classes(best, scores)

    def alphabetic_first(self, features: NDArray[np.float32]) -> Classes:
        """By the alphabetic characters, unless there is something that only the whole dictionary knows."""
        few = _classes(self._few_logits(features))
        blank = few.best == BLANK
        doubtful = _long_runs(blank) | (~blank & (few.scores < _DOUBT))
        if doubtful.any():
            logits = self._all_logits(features[doubtful])
            strange = logits[~self._is_of_few[logits.argmax(axis=1)]]
            # A blurred letter looks a little like many ideographs; a real one is told clearly.
            if len(strange) and (_classes(strange).scores > _CLEARLY).any():
                return self.whole(features)
        return Classes(self._few[few.best], few.scores)


def _classes(logits: NDArray[np.float32]) -> Classes:
    best = logits.argmax(axis=1)
    scores = np.zeros(len(best), np.float32)
    told = np.flatnonzero(best != BLANK)
    scores[told] = 1.0 / np.exp(logits[told] - logits[told, best[told]][:, None]).sum(axis=1)
    return Classes(best, scores)


def _long_runs(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only the runs of at least `_GAP`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    long = np.zeros(len(flags), bool)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        long[start:end] = end - start >= _GAP
    return long
