"""`python -m scripts.setup LOCK`: the environment as the lock file says, and what it needs of the system.

That is `.venv` and Tesseract's language data, a browser and a database server for requirements_dev.txt; `.venv-paddle` and OpenGL for
requirements_paddle.txt.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scripts.setup import chromium, environment, opengl, postgres, tesseract
from scripts.setup.exclusive import only_one
from scripts.setup.progress import SetupError, say

PROJECT = Path(__file__).parents[2]
PADDLE_LOCK = "requirements_paddle.txt"
DEVELOPMENT_LOCK = "requirements_dev.txt"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.setup", description=__doc__)
    parser.add_argument("lock", type=Path, help="requirements_vllm.txt, requirements_dev.txt or requirements_paddle.txt")
    arguments = parser.parse_args()
    try:
        with only_one(PROJECT / ".tools" / "setup.lock"):
            if arguments.lock.name == PADDLE_LOCK:
                opengl.prepare(environment.prepare(PROJECT, PROJECT / arguments.lock, ".venv-paddle"))
            else:
                environment.prepare(PROJECT, PROJECT / arguments.lock)
                tesseract.prepare(os.environ)
            if arguments.lock.name == DEVELOPMENT_LOCK:
                chromium.prepare()
                postgres.prepare()
    except SetupError as error:
        say(f"Setup failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; the next run sets up what is missing.")
        return 130
    return 0


sys.exit(main())
