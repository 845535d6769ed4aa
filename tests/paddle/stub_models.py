"""Model packages for PP-StructureV3 without its weights.

Text detection and recognition are real (PP-OCRv6 small from the `rapidocr` wheel, under the names of the models that the engine asks
for); all other models are ONNX graphs of a few KB with the inputs, outputs and `inference.yml` of the real exports, which answer with
scripted boxes. A scripted layout box counts only where the page has ink, so that a blank page has no boxes. The unmodified library loads
and runs all of them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import rapidocr
import yaml
from onnx import TensorProto, checker, helper, numpy_helper, save_model

from tests.paddle.script import Box, Script

FLOAT, INT32 = TensorProto.FLOAT, TensorProto.INT32
_WHEEL = Path(rapidocr.__file__).parent / "models"
_SPANS = [f' {way}span="{count}"' for way in ("col", "row") for count in range(2, 21)]
_STRUCTURE = ["<thead>", "</thead>", "<tbody>", "</tbody>", "<tr>", "</tr>", "<td>", "<td", ">", "</td>", *_SPANS]
_MEAN_STD = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
_DECODE = {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}}


def build(root: Path, script: Script, recognisers: tuple[str, ...] = ("eslav_PP-OCRv5_mobile_rec",)) -> Path:
    """Write all packages as `<root>/<model>_onnx/` and return `root`."""
    _detector(root / "PP-DocLayout_plus-L_onnx", 800, list(script.labels), script.layout, need_ink=True)
    _detector(root / "PP-DocBlockLayout_onnx", 640, ["Region"], script.regions, need_ink=True)
    cells: tuple[Box, ...] = tuple(("cell", script.cell_score - 0.001 * index, *box) for index, box in enumerate(script.cells()))
    for kind in ("wired", "wireless"):
        _detector(root / f"RT-DETR-L_{kind}_table_cell_det_onnx", 640, ["cell"], cells, need_ink=False)
    short = [{"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}]
    exact = [{"ResizeImage": {"size": [160, 80]}}]
    _classifier(root / "PP-LCNet_x1_0_doc_ori_onnx", (224, 224), ["0", "90", "180", "270"], script.orientation, short, topk=1)
    _classifier(root / "PP-LCNet_x1_0_textline_ori_onnx", (80, 160), ["0_degree", "180_degree"], "0_degree", exact, topk=1)
    _classifier(root / "PP-LCNet_x1_0_table_cls_onnx", (224, 224), list(script.table_kinds), script.table_kind, short, topk=5)
    _table_structure(root / "SLANeXt_wired_onnx", 512, script)
    _table_structure(root / "SLANet_plus_onnx", 488, script)
    _real_detection(root / "PP-OCRv5_server_det_onnx")
    for name in recognisers:
        _real_recognition(root / f"{name}_onnx")
    return root


class _Graph:
    """A few lines of sugar over onnx.helper."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def const(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def __call__(self, operator: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        out = out or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [out], **attributes))
        return out

    def batch(self, tensor: str) -> str:
        """The batch size of a tensor as an int64 tensor of shape [1]."""
        return self("Slice", self("Shape", tensor), self.const([0], np.int64), self.const([1], np.int64))

    def tile(self, tensor: str, value: Any, out: str) -> None:
        """A constant [1, …] repeated to [N, …]."""
        rest = self.const(value.shape[1:], np.int64)
        self("Expand", self.const(value), self("Concat", self.batch(tensor), rest, axis=0), out=out)

    def save(self, folder: Path, inputs: list[Any], outputs: list[Any], config: dict[str, Any]) -> None:
        tensors = [[helper.make_tensor_value_info(*spec) for spec in specs] for specs in (inputs, outputs)]
        graph = helper.make_graph(self._nodes, "stub", *tensors, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="stub")
        model.ir_version = 8  # a newer one is refused by older ONNX Runtimes
        checker.check_model(model)
        folder.mkdir(parents=True)
        save_model(model, str(folder / "inference.onnx"))
        _describe(folder, config)


def _describe(folder: Path, config: dict[str, Any]) -> None:
    named = {"Global": {"model_name": folder.name.removesuffix("_onnx")}, **config}
    # The dictionary of a recogniser has 18,000 entries: seconds without libyaml.
    (folder / "inference.yml").write_text(yaml.dump(named, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False), "utf-8")


def _detector(folder: Path, size: int, labels: list[str], boxes: tuple[Box, ...], *, need_ink: bool) -> None:
    """RT-DETR: im_shape, image, scale_factor → [N·K, 6] (class, score, x0, y0, x1, y1 in source pixels), [N] rows per image."""
    graph, count = _Graph(), len(boxes)
    classes = np.array([[[labels.index(box[0])] for box in boxes]])
    score = np.array([[[box[1]] for box in boxes]])
    fractions = np.array([[list(box[2:]) for box in boxes]])
    # The source's size as the real post-processing finds it; [N, 2] is (height, width).
    height_width = graph("Floor", graph("Add", graph("Div", "im_shape", "scale_factor"), graph.const(0.5)))
    corners = graph("Gather", height_width, graph.const([1, 0, 1, 0], np.int64), axis=1)
    pixels = graph("Mul", graph.const(fractions), graph("Unsqueeze", corners, graph.const([1], np.int64)))

    def shape(width: int) -> str:
        return graph("Concat", graph.batch("image"), graph.const([count, width], np.int64), axis=0)

    scores = graph("Expand", graph.const(score), shape(1))
    if need_ink:
        scores = graph("Mul", scores, graph("Cast", _has_ink(graph, boxes, size), to=FLOAT))
    rows = graph("Concat", graph("Expand", graph.const(classes), shape(1)), scores, pixels, axis=2)
    graph("Reshape", rows, graph.const([-1, 6], np.int64), out="fetch_name_0")
    graph("Expand", graph.const([count], np.int32), graph.batch("image"), out="fetch_name_1")
    graph.save(
        folder,
        [("im_shape", FLOAT, ["N", 2]), ("image", FLOAT, ["N", 3, size, size]), ("scale_factor", FLOAT, ["N", 2])],
        [("fetch_name_0", FLOAT, ["M", 6]), ("fetch_name_1", INT32, ["N"])],
        {
            "mode": "paddle",
            "metric": "COCO",
            "use_dynamic_shape": False,
            "arch": "DETR",
            "min_subgraph_size": 3,
            "draw_threshold": 0.5,
            "Preprocess": [  # spelt so here, "PreProcess" in all others
                {"type": "Resize", "target_size": [size, size], "keep_ratio": False, "interp": 2},
                {"type": "NormalizeImage", "mean": [0.0] * 3, "std": [1.0] * 3, "norm_type": "none"},
                {"type": "Permute"},
            ],
            "label_list": labels,
        },
    )


def _has_ink(graph: _Graph, boxes: tuple[Box, ...], size: int) -> str:
    """[N, K, 1]: whether anything inside each box is dark."""
    gray = graph("ReduceMin", "image", axes=[1], keepdims=0)
    darkest = []
    for _, _, x0, y0, x1, y1 in boxes:
        first, last = ([int(y0 * size), int(x0 * size)], [int(y1 * size) + 1, int(x1 * size) + 1])
        part = graph("Slice", gray, graph.const(first, np.int64), graph.const(last, np.int64), graph.const([1, 2], np.int64))
        darkest.append(graph("ReduceMin", part, axes=[1, 2], keepdims=1))
    return graph("Less", graph("Concat", *darkest, axis=1), graph.const(0.6))


def _classifier(folder: Path, shape: tuple[int, int], labels: list[str], answer: str, resize: list[Any], *, topk: int) -> None:
    """PP-LCNet: x [N, 3, H, W] → probabilities [N, C]."""
    graph = _Graph()
    probabilities = np.full((1, len(labels)), 0.02)
    probabilities[0, labels.index(answer)] = 1 - 0.02 * (len(labels) - 1)
    graph.tile("x", probabilities, "fetch_name_0")
    normalise = {"NormalizeImage": {"channel_num": 3, **_MEAN_STD, "scale": 1.0 / 255, "order": ""}}
    graph.save(
        folder,
        [("x", FLOAT, ["N", 3, *shape])],
        [("fetch_name_0", FLOAT, ["N", len(labels)])],
        {
            "PreProcess": {"transform_ops": [*resize, normalise, {"ToCHWImage": None}]},
            "PostProcess": {"Topk": {"topk": topk, "label_list": labels}},
        },
    )


def _table_structure(folder: Path, size: int, script: Script) -> None:
    """SLANet: x [N, 3, S, S] → quadrangles [N, L, 8] (fractions of the crop's longer side), token probabilities [N, L, 50]."""
    # As PaddleX builds it from the configured dictionary: "<td>" leaves, "<td></td>" joins at the end, sos and eos around.
    vocabulary = ["sos", *(token for token in _STRUCTURE if token != "<td>"), "<td></td>", "eos"]
    tokens = [token for spans in script.table for token in ["<tr>", *(part for span in spans for part in _cell_tokens(span)), "</tr>"]]
    tokens = ["<tbody>", *tokens, "</tbody>", "eos"]
    probabilities = np.full((1, len(tokens), len(vocabulary)), 0.001)
    quadrangles = np.zeros((1, len(tokens), 8))
    across, down = min(1.0, script.aspect), min(1.0, 1 / script.aspect)
    boxes = iter(script.cells())
    for index, token in enumerate(tokens):
        probabilities[0, index, vocabulary.index(token)] = 0.95
        if token in {"<td></td>", "<td"}:
            x0, y0, x1, y1 = next(boxes)
            corners = [x0 * across, y0 * down, x1 * across, y0 * down, x1 * across, y1 * down, x0 * across, y1 * down]
            quadrangles[0, index] = corners
    graph = _Graph()
    graph.tile("x", quadrangles, "fetch_name_0")  # the order matters: boxes first, then the structure
    graph.tile("x", probabilities, "fetch_name_1")
    merge = {"merge_no_span_structure": True}
    encode = {"learn_empty_box": False, "loc_reg_num": 8, "max_text_length": 500, "replace_empty_cell_token": False, **merge}
    graph.save(
        folder,
        [("x", FLOAT, ["N", 3, size, size])],
        [("fetch_name_0", FLOAT, ["N", len(tokens), 8]), ("fetch_name_1", FLOAT, ["N", len(tokens), len(vocabulary)])],
        {
            "PreProcess": {
                "transform_ops": [  # PaddleX reads the merge flag from position 1 and runs the rest in this order
                    _DECODE,
                    {"TableLabelEncode": encode},
                    {"TableBoxEncode": {"in_box_format": "xyxyxyxy", "out_box_format": "xyxyxyxy"}},
                    {"ResizeTableImage": {"max_len": size, **({"resize_bboxes": True} if size == 512 else {})}},
                    {"NormalizeImage": {**_MEAN_STD, "scale": "1./255.", "order": "hwc"}},
                    {"PaddingTableImage": {"size": [size, size]}},
                    {"ToCHWImage": None},
                    {"KeepKeys": {"keep_keys": ["image", "structure", "bboxes", "bbox_masks", "length", "shape"]}},
                ]
            },
            "PostProcess": {"name": "TableLabelDecode", **merge, "character_dict": list(_STRUCTURE)},
        },
    )


def _cell_tokens(span: int) -> list[str]:
    return ["<td></td>"] if span == 1 else ["<td", f' colspan="{span}"', ">", "</td>"]


def _real_detection(folder: Path) -> None:
    steps = [
        _DECODE,
        {"DetResizeForTest": {"limit_side_len": 736, "limit_type": "min"}},
        {"NormalizeImage": {**_MEAN_STD, "scale": 1 / 255, "order": "hwc"}},
        {"ToCHWImage": None},
    ]
    decoding = {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": 0.6, "max_candidates": 1000, "unclip_ratio": 1.5}
    _real(folder, _WHEEL / "PP-OCRv6_det_small.onnx", steps, decoding)


def _real_recognition(folder: Path) -> None:
    weights = _WHEEL / "PP-OCRv6_rec_small.onnx"
    session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    characters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    steps = [_DECODE, {"RecResizeImg": {"image_shape": [3, 48, 320]}}]
    _real(folder, weights, steps, {"name": "CTCLabelDecode", "character_dict": characters})


def _real(folder: Path, weights: Path, steps: list[Any], decoding: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(weights, folder / "inference.onnx")
    _describe(folder, {"PreProcess": {"transform_ops": steps}, "PostProcess": decoding})
