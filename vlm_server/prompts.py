"""What PaddleOCR-VL is asked, word for word, and the chat template that its versions were trained with."""

from __future__ import annotations

from enum import StrEnum

IMAGE_MARK = "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"


class Task(StrEnum):
    """What a region is read as."""

    OCR = "ocr"
    TABLE = "table"
    FORMULA = "formula"
    CHART = "chart"
    SEAL = "seal"


PROMPTS = {
    Task.OCR: "OCR:",
    Task.TABLE: "Table Recognition:",
    Task.FORMULA: "Formula Recognition:",
    Task.CHART: "Chart Recognition:",
    Task.SEAL: "Seal Recognition:",
}


def prompt_for(version: str, task: Task) -> str:
    """The first version was not taught to read seals as such; it reads them as text."""
    return PROMPTS[Task.OCR if version == "v1" and task is Task.SEAL else task]


# Images come before the text whatever their order; a system message stands before the user's; answers end with </s>.
_TEMPLATE = """\
{%- if not add_generation_prompt is defined -%}{%- set add_generation_prompt = true -%}{%- endif -%}
{{- "<|begin_of_sentence|>" -}}
{%- for message in messages -%}
{%- if message["role"] == "user" -%}
{{- "User: " -}}
{%- if message["content"] is string -%}{{- message["content"] -}}
{%- else -%}
{%- for content in message["content"] if content["type"] == "image" -%}{{- "IMAGE_MARK" -}}{%- endfor -%}
{%- for content in message["content"] if content["type"] == "text" -%}{{- content["text"] -}}{%- endfor -%}
{%- endif -%}
{{- "\\n" -}}
{%- else -%}
{%- if message["role"] == "assistant" -%}{{- "ANSWER_MARK" -}}{%- endif -%}
{%- if message["content"] is string -%}{{- message["content"] -}}
{%- else -%}{%- for content in message["content"] if content["type"] == "text" -%}{{- content["text"] -}}{%- endfor -%}{%- endif -%}
{%- if message["role"] == "assistant" -%}{{- "</s>" -}}{%- else -%}{{- "\\n" -}}{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- "ANSWER_MARK" -}}{%- endif -%}
"""


def _template(answer_mark: str) -> str:
    return _TEMPLATE.replace("IMAGE_MARK", IMAGE_MARK).replace("ANSWER_MARK", answer_mark)


# Versions 1.5 and 1.6 were trained with a line end where version 1 has a space; the wrong one quietly costs accuracy.
CHAT_TEMPLATES = {"v1": _template("Assistant: "), "v1.5": _template("Assistant:\\n"), "v1.6": _template("Assistant:\\n")}


def rendered_prompt(version: str, task: Task) -> str:
    """The text that the model of that version was trained to continue, with one image."""
    answer_mark = "Assistant: " if version == "v1" else "Assistant:\n"
    return f"<|begin_of_sentence|>User: {IMAGE_MARK}{prompt_for(version, task)}\n{answer_mark}"
