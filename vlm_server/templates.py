"""Checked at the start: the chat template that the server uses is the one that the served version was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vlm_server.prompts import PROMPTS, Task, rendered_prompt


class WrongTemplate(RuntimeError):
    """The checkpoint's template, or the one given by --chat-template, belongs to another version of the model."""


def version_of(name: str) -> str:
    """The version that a served name or a folder's name tells: "PaddleOCR-VL-1.5-0.9B" → "v1.5"; "v1" where it tells none."""
    return next((version for version in ("v1.5", "v1.6") if f"VL-{version[1:]}" in name), "v1")


def check(args: Any) -> None:
    """`args` are vLLM's own: model, served_model_name, chat_template. Raises WrongTemplate."""
    names = [args.served_model_name] if isinstance(args.served_model_name, str) else list(args.served_model_name or [])
    version = version_of(" ".join([*names, args.model]))
    template = _given(args.chat_template) or _of_checkpoint(args.model)
    if template is None or render(template) != rendered_prompt(version, Task.OCR):
        raise WrongTemplate(f"The chat template does not fit PaddleOCR-VL {version}: name the right one with --chat-template")


def render(template: str) -> str:
    """The prompt for one image, as vLLM would render it."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    content = [{"type": "image"}, {"type": "text", "text": PROMPTS[Task.OCR]}]
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    known = {"cls_token": "<|begin_of_sentence|>", "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
    return str(environment.from_string(template).render(messages=[{"role": "user", "content": content}], **known))


def _given(option: str | Path | None) -> str | None:
    if option is None:
        return None
    return Path(option).read_text(encoding="utf-8") if len(str(option)) < 1024 and Path(option).is_file() else str(option)


def _of_checkpoint(model: str) -> str | None:
    from transformers import AutoTokenizer

    template = AutoTokenizer.from_pretrained(model).chat_template
    return template if isinstance(template, str) else None
