"""start_vllm.sh with real processes and real signals: order of start and stop, restarts, giving up, and nothing left behind.

The last test breaks the script on purpose, one line at a time, and expects the tests before it to notice.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import free_port, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PROJECT = Path(__file__).parents[2]
STAND_IN = PROJECT / "tests/fakes/container_process.py"


class Container:
    """The script, running, and what its processes tell."""

    def __init__(self, folder: Path, script: str) -> None:
        self.events_file = folder / "events"
        self.orders_file = folder / "orders.json"
        self.events_file.touch()
        self.log_file = folder / "log"
        self._script = folder / "start_vllm.sh"
        self._script.write_text(script)
        self._script.chmod(0o755)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, orders: Any = None, **settings: str) -> None:
        self.order(orders or {})
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.events_file.parent),
            "EVENTS": str(self.events_file),
            "ORDERS": str(self.orders_file),
            "VLM_COMMAND": str(STAND_IN),
            "APP_PYTHON": str(STAND_IN),
            "VLLM_URL": f"http://127.0.0.1:{self.port}/v1/markdown",
            "USE_VLM_API": "true",
            "VLM_GPU": "false",
            "VLM_TICK_S": "0.1",
            "VLM_RESTART_PAUSE_S": "0",
            "VLM_STOP_TIMEOUT_S": "6",
            "APP_STOP_TIMEOUT_S": "6",
            "CLOUDRU_S3_SECRET_KEY": "hush-hush",
            **settings,
        }
        with self.log_file.open("wb") as log:
            # What runs in the background of a script, these tests too, ignores SIGINT, and a shell cannot trap what it began with ignoring.
            command = ["env", "--default-signal=INT", str(self._script), *arguments]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)

    def order(self, orders: dict[str, Any]) -> None:
        part = self.orders_file.with_suffix(".part")
        part.write_text(json.dumps(orders))
        part.replace(self.orders_file)

    def events(self) -> list[str]:
        """Without environments and arguments, pids cut off."""
        told = [line.split() for line in self.events_file.read_text().splitlines()]
        return [" ".join(words[:2]) for words in told if words[1] not in {"env", "args"}]

    def told(self, role: str, what: str) -> Any:
        lines = [line for line in self.events_file.read_text().splitlines() if line.startswith(f"{role} {what} ")]
        return json.loads(lines[0].removeprefix(f"{role} {what} "))

    def pids(self) -> list[int]:
        return [int(line.split()[2]) for line in self.events_file.read_text().splitlines() if line.split()[1] == "start"]

    def pid_of(self, role: str) -> int:
        lines = [line for line in self.events_file.read_text().splitlines() if line.startswith(f"{role} start ")]
        return int(lines[-1].split()[2])

    def log(self) -> str:
        return self.log_file.read_text()

    def wait_for(self, event: str, times: int = 1) -> None:
        wait_until(lambda: self.events().count(event) >= times, f"{event}; events: {self.events()}; log: {self.log()}")

    def wait_for_log(self, text: str) -> None:
        wait_until(lambda: text in self.log(), f"{text!r} in the log: {self.log()}")

    def up(self) -> None:
        self.wait_for("app start")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def status(self) -> int:
        assert self.process is not None
        wait_until(lambda: self.process is None or self.process.poll() is not None, f"its end; log: {self.log()}")
        return self.process.wait()

    def left_over(self) -> list[int]:
        """Processes of this container that still run."""
        return [pid for pid in self.pids() if _runs(pid)]

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


SCRIPT = (PROJECT / "start_vllm.sh").read_text()


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = Container(tmp_path, SCRIPT)
    yield container
    container.kill()


def check_order_of_start_and_stop(container: Container) -> None:
    container.start()
    container.up()
    container.signal(signal.SIGTERM)
    assert container.status() == 0, container.log()
    assert container.events() == [
        "vllm start", "warmup --checks", "app start", "app TERM", "app end", "vllm TERM", "vllm end",
    ]  # fmt: skip
    assert container.left_over() == []


def check_lost_sigterm(container: Container) -> None:
    container.start(orders={"vllm": {"loses_term": 2}})
    container.up()
    container.signal(signal.SIGTERM)
    assert container.status() == 0
    assert container.events()[-4:] == ["vllm TERM", "vllm TERM", "vllm TERM", "vllm end"]


def check_deaf_vllm_and_its_worker_are_killed(container: Container) -> None:
    container.start(orders={"vllm": {"deaf": True, "worker": True}}, VLM_STOP_TIMEOUT_S="1")
    container.up()
    container.signal(signal.SIGTERM)
    assert container.status() == 0
    wait_until(lambda: container.left_over() == [], "vLLM and its worker to be gone")


def check_restart_while_the_service_goes_on(container: Container) -> None:
    container.start()
    container.up()
    os.kill(container.pid_of("vllm"), signal.SIGKILL)
    container.wait_for("vllm start", times=2)
    container.signal(signal.SIGTERM)
    assert container.status() == 0
    assert container.events().count("app start") == 1


def check_giving_up(container: Container) -> None:
    container.start(orders={"vllm": {"exit": 0}}, VLM_MAX_FAILURES="3")
    assert container.status() == 70
    assert container.events() == ["vllm start"] * 3


def check_signal_during_warm_up(container: Container) -> None:
    container.start(orders={"warmup": {"waits": True}})
    container.wait_for("warmup start")
    container.signal(signal.SIGTERM)
    assert container.status() == 0
    assert "app start" not in container.events()
    wait_until(lambda: container.left_over() == [], "the warm-up and vLLM to be gone")


def check_signal_while_vllm_loads(container: Container) -> None:
    container.start(orders={"vllm": {"never_ready": True}})
    container.wait_for("vllm start")
    container.signal(signal.SIGTERM)
    assert container.status() == 0
    assert container.left_over() == []


CHECKS: dict[str, Callable[[Container], None]] = {
    "the service is stopped first and vLLM last": check_order_of_start_and_stop,
    "a SIGTERM that vLLM loses is said again": check_lost_sigterm,
    "a deaf vLLM is killed with its workers": check_deaf_vllm_and_its_worker_are_killed,
    "vLLM comes back while the service goes on": check_restart_while_the_service_goes_on,
    "repeated failures end with 70, also exits with status 0": check_giving_up,
    "a signal ends the warm-up": check_signal_during_warm_up,
    "a signal ends the wait for vLLM": check_signal_while_vllm_loads,
}


@pytest.mark.parametrize("promise", CHECKS)
def test_the_promise_is_kept(container: Container, promise: str) -> None:
    CHECKS[promise](container)


def test_the_service_is_degraded_and_stopped_when_vllm_fails_for_good(container: Container) -> None:
    container.start(VLM_MAX_FAILURES="2")
    container.up()
    container.order({"vllm": {"exit": 1}})
    os.kill(container.pid_of("vllm"), signal.SIGKILL)
    assert container.status() == 70
    assert container.events()[-3:] == ["vllm start", "app TERM", "app end"]


def test_a_vllm_that_is_never_ready_is_started_again(container: Container) -> None:
    container.start(orders={"vllm": {"never_ready": True}}, VLM_START_TIMEOUT_S="1")
    container.wait_for("vllm start")
    container.order({})
    container.up()
    assert "was not ready within 1 s" in container.log()


def test_a_vllm_that_hangs_is_started_again(container: Container) -> None:
    container.start(VLM_HANG_S="1")
    container.up()
    container.order({"vllm": {"sick": True}})
    container.wait_for_log("gave no healthy answer for 1 s")
    container.order({})
    container.wait_for("vllm start", times=2)


def test_failures_are_forgotten_once_it_has_proved_itself(container: Container) -> None:
    container.start(VLM_MAX_FAILURES="2", VLM_PROVEN_S="0")
    container.up()
    for restart in (2, 3, 4):
        os.kill(container.pid_of("vllm"), signal.SIGKILL)
        container.wait_for("vllm start", times=restart)
        wait_until(lambda restart=restart: container.log().count("vLLM is ready") == restart, "vLLM to be ready")  # type: ignore[misc]


def test_a_failed_warm_up_ends_with_its_own_status_and_starts_nothing(container: Container) -> None:
    container.start(orders={"warmup": {"exit": 3}})
    assert container.status() == 71
    assert container.events() == ["vllm start", "warmup --checks", "vllm TERM", "vllm end"]


def test_the_status_of_the_service_is_the_containers(container: Container) -> None:
    container.start(orders={"app": {"exit": 5}})
    assert container.status() == 5
    assert container.events()[-2:] == ["vllm TERM", "vllm end"]


def test_a_service_that_ends_for_no_reason_is_an_error(container: Container) -> None:
    container.start(orders={"app": {"exit": 0}})
    assert container.status() == 72


def test_a_service_that_does_not_end_is_killed(container: Container) -> None:
    container.start(orders={"app": {"deaf": True}}, APP_STOP_TIMEOUT_S="1")
    container.up()
    container.signal(signal.SIGINT)
    assert container.status() == 137
    assert container.left_over() == []


@pytest.mark.parametrize(
    ("settings", "use_vlm"),
    [
        ({"USE_VLM_API": "false"}, "false"),
        ({"USE_VLM_API": ""}, "false"),
        ({"USE_VLM_API": "", "VLLM_URL": "http://vlm.example:8080/v1"}, "true"),
        ({"VLLM_URL": "http://vlm.example:8080/v1"}, "true"),
    ],
)
def test_without_a_vlm_of_its_own_it_is_only_the_service(container: Container, settings: dict[str, str], use_vlm: str) -> None:
    container.start(**settings)
    container.up()
    assert container.events() == ["app start"]
    assert container.told("app", "env")["USE_VLM_API"] == use_vlm
    assert "only the service" in container.log()


def test_with_a_gpu_vllm_is_started_unasked_with_its_share_of_the_memory(container: Container) -> None:
    container.start(USE_VLM_API="", VLM_GPU="true", VLM_GPU_MEMORY="0.4")
    container.up()
    arguments = container.told("vllm", "args")
    assert arguments[arguments.index("--gpu-memory-utilization") + 1] == "0.4"


def test_extra_arguments_come_last_and_the_model_server_listens_inside_only(container: Container) -> None:
    container.start("--dtype", "a b", "--max-model-len=1024")
    container.up()
    arguments = container.told("vllm", "args")
    assert arguments[-3:] == ["--dtype", "a b", "--max-model-len=1024"]
    assert arguments[arguments.index("--host") + 1] == "127.0.0.1"


def test_each_process_gets_the_settings_that_are_its_own(container: Container) -> None:
    container.start()
    container.up()
    assert container.told("vllm", "env") == {
        "USE_VLM_API": "true", "VLM_GPU": "false", "VLM_TICK_S": "0.1", "VLLM_PLUGINS": "ocr_markdown", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    assert container.told("app", "env") == {"USE_VLM_API": "true", "CLOUDRU_S3_SECRET_KEY": "hush-hush"}
    assert "hush-hush" not in container.log()


@pytest.mark.parametrize("setting", ["USE_VLM_API", "VLM_GPU"])
def test_an_impossible_setting_stops_the_start(container: Container, setting: str) -> None:
    container.start(**{setting: "perhaps"})
    assert container.status() == 64
    assert f"{setting} is true" in container.log()


MUTATIONS = {
    "the service is stopped first and vLLM last": ("  stop_app || status=$?\n  stop_vlm\n", "  stop_vlm\n  stop_app || status=$?\n"),
    "a SIGTERM that vLLM loses is said again": ("looks++ % 10 == 0", "looks++ == 0"),
    "a deaf vLLM is killed with its workers": ('kill -KILL -- "-$vlm_pid"', 'kill -KILL "$vlm_pid"'),
    "vLLM comes back while the service goes on": ("if ! alive \"$vlm_pid\"; then\n    # Its", "if false; then\n    # Its"),
    "repeated failures end with 70, also exits with status 0": ('exit "$VLM_FAILED"', 'exit "$status"'),
    "a signal ends the warm-up": (
        '  wait "$warmup_pid" || status=$?\n  leave_if_asked\n',
        '  wait "$warmup_pid"\n',
    ),
    "a signal ends the wait for vLLM": ("trap 'stop_signal=TERM' TERM", "trap '' TERM"),
}  # fmt: skip


@pytest.mark.parametrize("promise", CHECKS)
def test_a_script_that_breaks_the_promise_is_noticed(tmp_path: Path, promise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = MUTATIONS[promise]
    assert SCRIPT.count(right) >= 1
    monkeypatch.setattr("tests.e2e.running.PATIENCE_S", 5.0)
    monkeypatch.setattr(Container, "status", lambda self: self.process.wait(9))
    container = Container(tmp_path, SCRIPT.replace(right, wrong))
    try:
        with pytest.raises((AssertionError, subprocess.TimeoutExpired)):
            CHECKS[promise](container)
    finally:
        container.kill()
