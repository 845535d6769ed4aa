"""Loads an ONNX model into OpenVINO for one thread.

One single-threaded worker a core beats one process with many threads on models this small (docs/performance.md), and padding is
the waste: models keep dynamic shapes and are fed one picture at its own size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import openvino
import openvino.opset13 as ops
from numpy.typing import NDArray

Model = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear layer that was taken off a model: `weights` features × outputs, `bias` outputs."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def compiled(self) -> Model:
        """From rows × features to rows × outputs."""
        features = ops.parameter([-1, len(self.weights)], np.float32)
        outputs = ops.add(
            ops.matmul(features, ops.constant(self.weights), transpose_a=False, transpose_b=False), ops.constant(self.bias[None])
        )
        return _compiled(openvino.Model([outputs], [features]), exact=True)


@cache
def _core() -> openvino.Core:
    return openvino.Core()


def load_model(path: Path) -> Model:
    """A function from the model's one input to its first output. Raises FileNotFoundError, RuntimeError (not a model)."""
    return _compiled(_read(path), exact=False)


class ExactSession:
    """A model with the methods of `onnxruntime.InferenceSession` that PyMuPDF's layout calls: half its time, the same figures.

    What `run` returns is overwritten by the next run.
    """

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError, RuntimeError (not a model)."""
        self._session = _session(_read(path), exact=True)

    def get_inputs(self) -> list[Port]:
        return _ports(self._session.model_inputs)

    def get_outputs(self) -> list[Port]:
        return _ports(self._session.model_outputs)

    def run(self, names: Sequence[str], feeds: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """The outputs of these names."""
        self._session.infer(dict(feeds))
        return [np.asarray(self._session.get_tensor(name).data) for name in names]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output; sides of its shape that are free are given as -1."""

    name: str
    shape: list[int]


def _ports(ports: Sequence[openvino.ConstOutput]) -> list[Port]:
    return [Port(port.get_any_name(), [int(str(side)) if side.is_static else -1 for side in port.get_partial_shape()]) for port in ports]


def load_without_classifier(path: Path) -> tuple[Model, Linear] | None:
    """A model that ends in a linear layer and a softmax, cut before that layer: its features (rows × features), and the layer.

    None if it ends in another way. Raises as `load_model` does.
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
    return _compiled(features, exact=False), Linear(weights, bias.reshape(-1))


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


def _compiled(model: openvino.Model, *, exact: bool) -> Model:
    request = _session(model, exact=exact)

    def run(tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        # Without a copy: nobody changes the tensor while it is looked at.
        request.infer([np.ascontiguousarray(tensor)], share_inputs=True)
        return np.asarray(request.get_output_tensor(0).data)

    return run


def _session(model: openvino.Model, *, exact: bool) -> openvino.InferRequest:
    # Pinning is OpenVINO's default, and every process pins its one thread to the same core: the workers would share it, the others idle.
    one_thread = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False, "PERFORMANCE_HINT": "LATENCY"}
    # OpenVINO's own choice is BF16 where the CPU has it, which is twice as fast and right to three digits.
    precision = {"INFERENCE_PRECISION_HINT": "f32"} if exact else {}
    return _core().compile_model(model, "CPU", one_thread | precision).create_infer_request()
