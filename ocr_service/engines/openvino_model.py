"""Loads an ONNX model into OpenVINO for one thread.

One single-threaded worker a core beats one process with many threads on models this small (docs/performance.md), and padding is
the waste: models keep dynamic shapes and are fed one picture at its own size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

Model = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


@cache
def _core() -> openvino.Core:
    return openvino.Core()


def load_model(path: Path) -> Model:
    """A function from the model's one input to its first output. Raises FileNotFoundError, RuntimeError (not a model)."""
    return _compiled(_read(path))


def load_without_classifier(path: Path) -> tuple[Model, Layer] | None:
    """A model that ends in a linear layer and a softmax, cut before that layer: its features, and the layer's weights (features × classes)
    and bias. None if it ends in another way. Raises as `load_model` does.
    """
    model = _read(path)
    node = _before(model.get_results()[0], "Softmax")
    total = _before(node, "Add") if node is not None else None
    product = _before(total, "MatMul") if total is not None else None
    if total is None or product is None:
        return None
    bias, weights = (_constant(layer.input_value(1).get_node()) for layer in (total, product))
    if bias is None or weights is None or product.get_attributes()["transpose_b"]:
        return None
    features = openvino.Model([product.input_value(0)], model.get_parameters())
    return _compiled(features), (weights, bias.reshape(-1))


def _before(node: openvino.Node, kind: str) -> openvino.Node | None:
    """The node that feeds this one, past identities, if it is of that kind."""
    node = node.input_value(0).get_node()
    while node.get_type_name() == "Identity":
        node = node.input_value(0).get_node()
    return node if node.get_type_name() == kind else None


def _constant(node: openvino.Node) -> NDArray[np.float32] | None:
    return np.array(node.get_data(), np.float32) if node.get_type_name() == "Constant" else None


def _read(path: Path) -> openvino.Model:
    if not path.is_file():
        raise FileNotFoundError(f"model file {path} is missing")
    return _core().read_model(path)


def _compiled(model: openvino.Model) -> Model:
    # Pinning is OpenVINO's default, and every process pins its one thread to the same core: the workers would share it, the others idle.
    one_thread = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False, "PERFORMANCE_HINT": "LATENCY"}
    compiled = _core().compile_model(model, "CPU", one_thread)
    request = compiled.create_infer_request()

    def run(tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        request.infer([np.ascontiguousarray(tensor)])
        return np.asarray(request.get_output_tensor(0).data)

    return run
