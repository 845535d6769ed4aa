"""Train the tiny PaddleOCR-VL model that reads: `python -m tests.vlm_server.tiny.train OUT [--minutes 35]`, in the vLLM environment.
`--start FOLDER` goes on from the weights of an earlier checkpoint, with lines of full length from the first step.

An ordinary next-character loss alone learns for hours. Two teachers, thrown away afterwards, shorten that to minutes, because where
each character stands is known when one draws it oneself: every image token must tell which characters stand in it, and one attention
head of two layers must look at the image tokens of the next character. Weights start at 1/sqrt(fan-in); the transformers default of
0.02 does not learn at these widths.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import PaddleOCRVLForConditionalGeneration
from transformers.models.paddleocr_vl.image_processing_pil_paddleocr_vl import smart_resize

from tests.vlm_server.tiny.checkpoint import CELL, MAX_PIXELS, MIN_PIXELS, build_config, build_tokenizer, save_side_files
from tests.vlm_server.tiny.lines import Line, draw, make_text

PATCH = 14
SLOTS = 4  # an image token tells which character has its middle in each quarter of it
POINTING_LAYERS = (1, 2)
IGNORED = -100
BEFORE_IMAGE, AFTER_IMAGE = "<|begin_of_sentence|>User: <|IMAGE_START|>", "<|IMAGE_END|>OCR:\nAssistant: "


class Sample:
    """One line as the model sees it: patches, the grid of image tokens, token ids, and where each character stands."""

    def __init__(self, line: Line, tokenizer: Any, image_token: int) -> None:
        height, width = smart_resize(line.image.height, line.image.width, CELL, MIN_PIXELS, MAX_PIXELS)
        pixels = np.asarray(line.image.resize((width, height), Image.Resampling.BICUBIC), np.float32) / 127.5 - 1
        rows, columns = height // PATCH, width // PATCH
        patches = pixels.reshape(rows, PATCH, columns, PATCH).transpose(0, 2, 1, 3).reshape(-1, 1, PATCH, PATCH)
        self.patches = np.repeat(patches, 3, axis=1)
        self.rows, self.columns = rows // 2, columns // 2
        self.answer = [*tokenizer.encode(line.text, add_special_tokens=False).ids, tokenizer.token_to_id("</s>")]
        self.image_start = len(tokenizer.encode(BEFORE_IMAGE, add_special_tokens=False).ids)
        self.prompt = [
            *tokenizer.encode(BEFORE_IMAGE, add_special_tokens=False).ids,
            *[image_token] * (self.rows * self.columns),
            *tokenizer.encode(AFTER_IMAGE, add_special_tokens=False).ids,
        ]
        slots = [min(int(x * width / line.image.width / CELL * SLOTS), self.columns * SLOTS - 1) for x in line.centres]
        self.cell_of = [slot // SLOTS for slot in slots]
        in_slot = np.zeros(self.columns * SLOTS, np.int64)
        in_slot[slots] = self.answer[:-1]
        self.cells = np.tile(in_slot.reshape(1, self.columns, SLOTS), (self.rows, 1, 1)).reshape(-1, SLOTS)


def batch_of(samples: list[Sample], image_token: int) -> dict[str, torch.Tensor]:
    width = max(len(sample.prompt) + len(sample.answer) for sample in samples)

    def padded(rows: list[list[int]], fill: int) -> torch.Tensor:
        return torch.tensor([row + [fill] * (width - len(row)) for row in rows])

    ids = padded([sample.prompt + sample.answer for sample in samples], 0)
    return {
        "input_ids": ids,
        "attention_mask": padded([[1] * (len(sample.prompt) + len(sample.answer)) for sample in samples], 0),
        "labels": padded([[IGNORED] * len(sample.prompt) + sample.answer for sample in samples], IGNORED),
        "mm_token_type_ids": (ids == image_token).int(),
        "pixel_values": torch.from_numpy(np.concatenate([sample.patches for sample in samples])),
        "image_grid_thw": torch.tensor([[1, sample.rows * 2, sample.columns * 2] for sample in samples]),
    }


def pointing_mask(samples: list[Sample], width: int) -> torch.Tensor:
    """(batch, query, key): which image tokens show the character that the query token has to say next."""
    mask = torch.zeros(len(samples), width, width)
    for index, sample in enumerate(samples):
        for step, column in enumerate(sample.cell_of):
            keys = [sample.image_start + row * sample.columns + column for row in range(sample.rows)]
            mask[index, len(sample.prompt) - 1 + step, keys] = 1
    return mask


class Teachers(torch.nn.Module):  # type: ignore[misc]
    """The two extra losses; they listen to the model through hooks."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        text = model.config.text_config
        self.cells = torch.nn.Linear(text.hidden_size, SLOTS * text.vocab_size)
        self.seen: dict[Any, torch.Tensor] = {}
        model.model.projector.register_forward_hook(lambda _module, _inputs, output: self.seen.update(image=output))
        for layer in POINTING_LAYERS:
            attention = model.model.language_model.layers[layer].self_attn
            attention.register_forward_hook(lambda _module, _inputs, output, layer=layer: self.seen.update({layer: output[1]}))

    def losses(self, samples: list[Sample], width: int) -> tuple[torch.Tensor, torch.Tensor]:
        wanted = torch.from_numpy(np.concatenate([sample.cells for sample in samples])).reshape(-1)
        told = self.cells(self.seen["image"]).reshape(len(wanted), -1)
        cells = torch.nn.functional.cross_entropy(told, wanted)
        mask = pointing_mask(samples, width)
        pointed = mask.sum(-1) > 0
        pointing = torch.stack(
            [-((self.seen[layer][:, 0] * mask).sum(-1)[pointed] + 1e-6).log().mean() for layer in POINTING_LAYERS]
        ).mean()
        return cells, pointing


def load_model(folder: Path) -> Any:
    model = PaddleOCRVLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    model.config.text_config._attn_implementation = "eager"  # the only one that shows its attention
    return model


def build_model(tokenizer: Any) -> Any:
    config = build_config(tokenizer)
    config.text_config._attn_implementation = "eager"
    model = PaddleOCRVLForConditionalGeneration(config).float()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() >= 2:
                embeds = "embed" in name and "patch" not in name
                weight.normal_(0, 0.05 if embeds else weight[0].numel() ** -0.5)
            if name.endswith(("o_proj.weight", "out_proj.weight", "down_proj.weight", "fc2.weight")):
                weight.mul_(0.4)  # what adds onto the residual stream
    return model


def longest_at(done: float) -> int:
    """Characters a line may have, by the share of the time that has passed."""
    return min(24, 8 + int(done * 64))


def decay_at(done: float) -> float:
    """The full learning rate for the first half, then down to a fiftieth along a cosine."""
    return 1.0 if done < 0.5 else 0.02 + 0.49 * (math.cos(math.pi * (done - 0.5) * 2) + 1)


def train(model: Any, tokenizer: Any, arguments: argparse.Namespace) -> None:
    teachers = Teachers(model)
    parameters = [*model.parameters(), *teachers.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=arguments.rate, betas=(0.9, 0.98), weight_decay=0.01)
    rng = random.Random(arguments.seed)
    warm_up = 30 if arguments.start else 100  # steps
    seconds, start, step, shown = arguments.minutes * 60, time.process_time(), 0, np.zeros(3)
    while (done := (time.process_time() - start) / seconds) < 1:
        lines = [draw(make_text(rng, longest_at(1.0 if arguments.start else done)), rng) for _ in range(arguments.batch)]
        samples = [Sample(line, tokenizer, model.config.image_token_id) for line in lines]
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * min(1.0, (step + 1) / warm_up) * decay_at(done)
        batch = batch_of(samples, model.config.image_token_id)
        said = model(**batch, use_cache=False).loss
        cells, pointing = teachers.losses(samples, batch["input_ids"].shape[1])
        optimizer.zero_grad()
        (said + cells * SLOTS + 0.3 * pointing).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        shown += [said.item(), cells.item(), pointing.item()]
        if step % 20 == 0:
            print(f"step {step}, {done:.0%}: says {shown[0] / 20:.3f}, cells {shown[1] / 20:.3f}, points {shown[2] / 20:.3f}", flush=True)
            shown[:] = 0
        if step % 200 == 0:
            save(model, tokenizer, arguments.out)
    save(model, tokenizer, arguments.out)


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    save_side_files(tokenizer, folder)
    model.config.dtype = "float16"
    state = {name: weight.half() for name, weight in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=state)  # writes the hub's names, which vLLM's loader knows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--start", type=Path, help="a checkpoint to go on from")
    parser.add_argument("--minutes", type=float, default=35, help="of CPU time")
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    tokenizer = build_tokenizer()
    model = load_model(arguments.start) if arguments.start else build_model(tokenizer)
    print(f"{sum(weight.numel() for weight in model.parameters()) / 1e6:.2f} million parameters", flush=True)
    train(model, tokenizer, arguments)


if __name__ == "__main__":
    main()
