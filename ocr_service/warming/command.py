"""`warmup_vllm.py`: the VLM server and the engine do their work once; a table of timings, or one line that says what is wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ocr_service.settings import Settings, SettingsError
from ocr_service.warming.page import warm_up_page
from ocr_service.warming.table import WarmupFailed, rendered
from ocr_service.warming.vlm import VlmWarmup

_OWN_ENDPOINT = "/v1/markdown"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 all is well, 1 something is not, 2 wrong settings or arguments."""
    parser = argparse.ArgumentParser(prog="warmup_vllm.py", description="Asks the VLM server every task once and reads one page.")
    parser.add_argument("--checks", choices=("full", "contract"), default="full", help="contract: any answer of the right form will do")
    asked = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        rows = []
        if settings.use_vlm_api and settings.vllm_url.endswith(_OWN_ENDPOINT):
            key = settings.vlm_api_key.get_secret_value() if settings.vlm_api_key is not None else None
            rows += VlmWarmup(settings.vllm_url, strict=asked.checks == "full", api_key=key).run()
        rows.append(warm_up_page(settings))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except WarmupFailed as error:
        sys.stderr.write(f"Warm-up failed: {error}\n")
        return 1
    sys.stderr.write(rendered(rows))
    return 0
