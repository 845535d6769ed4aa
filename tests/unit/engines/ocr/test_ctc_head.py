from __future__ import annotations

import numpy as np
import pytest

from ocr_service.engines.ocr.ctc_head import CtcHead
from ocr_service.engines.openvino_model import Linear

# Class 0 is the blank, then these, then the space.
CHARACTERS = ("a", "b", "月")
HEAD = CtcHead(Linear(np.eye(5, dtype=np.float32), np.zeros(5, np.float32)), CHARACTERS)


def steps(*logits: tuple[float, ...]) -> np.ndarray:
    return np.array(logits, np.float32)


@pytest.mark.parametrize(
    ("ideograph", "best"),
    [(9.0, [1, 3, 1]), (1.3, [1, 2, 1])],
    ids=["a clear ideograph is read", "a blurred letter that looks a little like one stays a letter"],
)
def test_an_ideograph_is_only_seen_where_it_is_clear(ideograph: float, best: list[int]) -> None:
    sure = (0.0, 9.0, 0.0, 0.0, 0.0)
    found = HEAD.alphabetic_first(steps(sure, (0.0, 0.2, 1.2, ideograph, 0.0), sure))
    assert found.best.tolist() == best


def test_the_whole_dictionary_is_asked_where_it_is_wanted() -> None:
    assert HEAD.whole(steps((0.0, 0.2, 1.2, 1.3, 0.0))).best.tolist() == [3]


def test_a_sure_blank_is_not_looked_at_and_nothing_else_is_lost() -> None:
    line = steps((40.0, 0.0, 0.0, 0.0, 0.0), (9.0, 0.0, 0.0, 12.0, 0.0), (9.0, 0.0, 0.0, 0.0, 0.0), (0.0, 8.0, 0.0, 0.0, 0.0))
    found, whole = HEAD.whole_but_blanks(line), HEAD.whole(line)
    assert found.best.tolist() == whole.best.tolist() == [0, 3, 0, 1]
    assert found.scores == pytest.approx(whole.scores)


def test_a_line_of_sure_blanks_is_blank() -> None:
    found = HEAD.whole_but_blanks(steps((40.0, 0.0, 0.0, 0.0, 0.0)))
    assert (found.best.tolist(), found.scores.tolist()) == ([0], [0.0])
