"""Runs the bats tests of start_vllm.sh, then breaks the script on purpose, in one place at a time, and expects them to notice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PROJECT = Path(__file__).parents[2]
TESTS = Path(__file__).with_name("start_vllm.bats")
SCRIPT = (PROJECT / "start_vllm.sh").read_text()

# What is broken: the place in the script, what stands there instead, and the test that has to notice.
MUTATIONS = {
    "vLLM is stopped before the service": (
        "  stop_app || status=$?\n  stop_vlm\n",
        "  stop_vlm\n  stop_app || status=$?\n",
        "the service is stopped first, while vLLM can still answer",
    ),
    "SIGTERM is not listened to": ("trap 'stop_signal=TERM' TERM", "trap '' TERM", "a signal ends the wait for vLLM"),
    "SIGINT is not listened to": ("trap 'stop_signal=INT' INT", "trap '' INT", "a SIGINT stops it like a SIGTERM"),
    "SIGTERM is said once": ("looks++ % 10 == 0", "looks++ == 0", "a SIGTERM that vLLM loses is said again"),
    "vLLM's workers are forgotten": ('kill -KILL -- "-$vlm_pid"', 'kill -KILL "$vlm_pid"', "a deaf vLLM is killed with its workers"),
    "a dead vLLM is not noticed": ('if ! alive "$vlm_pid"', "if false", "vLLM comes back while the service goes on"),
    "the service is ended with vLLM": (
        '    vlm_failed "ended with status $status"',
        '    stop_all; vlm_failed "ended with status $status"',
        "vLLM comes back while the service goes on",
    ),
    "no pause before a restart": (
        "elif ((SECONDS >= vlm_start_at))",
        "elif true",
        "a failed vLLM gets a pause before it is started again, and a signal ends the pause",
    ),
    "the pauses stay the same": ("VLM_RESTART_PAUSE_S << (vlm_failures - 1)", "VLM_RESTART_PAUSE_S", "the pauses grow"),
    "it never gives up": ("vlm_failures >= VLM_MAX_FAILURES", "0", "repeated failures end with 70, exits with status 0 too"),
    "giving up looks like success": ('exit "$VLM_FAILED"', "exit 0", "repeated failures end with 70, exits with status 0 too"),
    "old failures are never forgotten": ("then vlm_failures=0; fi", "then :; fi", "failures are forgotten once vLLM has proved itself"),
    "the service does not wait for vLLM": (
        "while [[ $vlm_state != ready ]]",
        "while [[ $vlm_state == down ]]",
        "a vLLM that is never ready is started again",
    ),
    "a signal does not end the warm-up": (
        '  wait "$warmup_pid" || status=$?\n  leave_if_asked\n',
        '  while alive "$warmup_pid"; do pause 0.1; done\n',
        "a signal ends the warm-up",
    ),
    "a failed warm-up is overlooked": (
        'if ((status != 0)); then\n    log "The warm-up',
        'if false; then\n    log "The warm-up',
        "a failed warm-up ends with 71 and starts no service",
    ),
    "the service's status is swallowed": (
        '  wait "$app_pid" || status=$?\n  app_pid=""\n  log',
        '  wait "$app_pid" || true\n  app_pid=""\n  log',
        "the status of the service is the container's",
    ),
    "a deaf service is waited for": (
        '    kill -KILL "$app_pid" 2>/dev/null || true\n  fi\n',
        "  fi\n",
        "a service that does not end is killed",
    ),
    "vLLM gets the keys of S3": (
        "OCR_* | CLOUDRU_* |",
        "OCR_* |",
        "each process gets the settings that are its own, and no secret is logged",
    ),
}


def run_bats(script: Path, *arguments: str, patience_s: int) -> subprocess.CompletedProcess[str]:
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "SCRIPT": str(script), "PATIENCE_S": str(patience_s)}
    return subprocess.run(
        [tools / "bats", "--tap", *arguments, TESTS], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_the_script_keeps_its_promises() -> None:
    ran = run_bats(PROJECT / "start_vllm.sh", patience_s=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("broken", MUTATIONS)
def test_a_broken_script_is_noticed(tmp_path: Path, broken: str) -> None:
    right, wrong, test = MUTATIONS[broken]
    assert SCRIPT.count(right) == 1
    script = tmp_path / "start_vllm.sh"
    script.write_text(SCRIPT.replace(right, wrong))
    script.chmod(0o755)
    ran = run_bats(script, "--filter", f"^{re.escape(test)}$", patience_s=5)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"not ok 1 {test}" in ran.stdout
