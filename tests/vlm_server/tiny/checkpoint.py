"""The parts of a PaddleOCR-VL checkpoint that are not weights: tokenizer, config, processor, chat template. From nothing, no download.

A character-level tokenizer with byte fallback (every text round-trips), the table tokens of the real model, and the geometry of a
model of two million parameters. vLLM and transformers know the architecture, so no code travels with the checkpoint.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import PaddleOCRVLConfig, PreTrainedTokenizerFast

from vlm_server.prompts import CHAT_TEMPLATES

IMAGE = "<|IMAGE_PLACEHOLDER|>"
CONTROL_TOKENS = [
    "<unk>", "<s>", "</s>", "<|begin_of_sentence|>", "<|end_of_sentence|>", IMAGE, "<|video_pad|>", "<|IMAGE_START|>", "<|IMAGE_END|>",
]  # fmt: skip
TABLE_TOKENS = ["<fcel>", "<ecel>", "<lcel>", "<ucel>", "<xcel>", "<nl>"]  # text, not control, as in the real model
CYRILLIC = "".join(chr(code) for code in range(0x410, 0x450)) + "Ёё№«»–—"
CELL = 28  # pixels: one token of the image is 2 x 2 patches of 14
MIN_PIXELS, MAX_PIXELS = CELL * CELL * 2, CELL * CELL * 160
CONTEXT = 2048  # tokens


def build_tokenizer() -> Tokenizer:
    characters = set(string.printable) - set("\r\x0b\x0c") | set(CYRILLIC) | {"▁"}
    vocabulary: dict[str, int] = {}
    for token in [*CONTROL_TOKENS, *TABLE_TOKENS, *(f"<0x{byte:02X}>" for byte in range(256)), *sorted(characters)]:
        vocabulary.setdefault(token, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in CONTROL_TOKENS])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in TABLE_TOKENS])
    return tokenizer


def build_config(tokenizer: Tokenizer) -> Any:
    text = {  # head_dim == 2 * sum(mrope_section)
        "vocab_size": -(-tokenizer.get_vocab_size() // 64) * 64, "hidden_size": 192, "intermediate_size": 448, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "max_position_embeddings": CONTEXT,
        "pad_token_id": tokenizer.token_to_id("<unk>"), "bos_token_id": tokenizer.token_to_id("<s>"),
        "eos_token_id": tokenizer.token_to_id("</s>"), "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [8, 12, 12]},
    }  # fmt: skip
    vision = {"hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 112}
    config = PaddleOCRVLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=tokenizer.token_to_id(IMAGE),
        video_token_id=tokenizer.token_to_id("<|video_pad|>"),
        vision_start_token_id=tokenizer.token_to_id("<|IMAGE_START|>"),
        vision_end_token_id=tokenizer.token_to_id("<|IMAGE_END|>"),
        tie_word_embeddings=True,
    )
    config.architectures = ["PaddleOCRVLForConditionalGeneration"]
    return config


def save_side_files(tokenizer: Tokenizer, folder: Path) -> None:
    """Everything that vLLM reads beside `config.json` and the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    template = CHAT_TEMPLATES["v1"]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<unk>",
        cls_token="<|begin_of_sentence|>", sep_token="<|end_of_sentence|>",
        extra_special_tokens={"image_token": IMAGE},  # the processor reads tokenizer.image_token
        model_max_length=CONTEXT, clean_up_tokenization_spaces=False,
    )  # fmt: skip
    fast.chat_template = template
    fast.save_pretrained(folder)
    settings = folder / "tokenizer_config.json"
    written = json.loads(settings.read_text(encoding="utf-8"))
    _write(settings, {**written, "processor_class": "PaddleOCRVLProcessor"})
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    processor = {
        "image_processor_type": "PaddleOCRVLImageProcessor", "processor_class": "PaddleOCRVLProcessor",
        "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "rescale_factor": 1 / 255, "resample": 3,
        "patch_size": 14, "merge_size": 2, "temporal_patch_size": 1,
        "size": {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS},
    }  # fmt: skip
    _write(folder / "preprocessor_config.json", processor)
    end, pad = tokenizer.token_to_id("</s>"), tokenizer.token_to_id("<unk>")
    _write(folder / "generation_config.json", {"eos_token_id": end, "pad_token_id": pad, "do_sample": False})


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
