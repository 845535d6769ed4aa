"""The built image, run with its own entrypoint, user, settings and vLLM, on a read-only root and without a network.

`scripts/image-test` builds it, names it in OCR_TEST_IMAGE, and runs this where no address but this machine's own can be reached.
vLLM serves the tiny checkpoint of tests/vlm_server, which is shown to the container: the image holds everything but PaddleOCR-VL's weights.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from tests.e2e.running import free_port
from tests.fakes.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, rclone_s3
from tests.vlm_server.real import MODEL_NAME, READER, SMALL

PROJECT = Path(__file__).parents[2]
IMAGE = os.environ.get("OCR_TEST_IMAGE")
SCAN = (PROJECT / "tests/data/act_scan.pdf").read_bytes()
COMPOSE = yaml.safe_load((PROJECT / "deploy/compose.yaml").read_text())["services"]["ocr"]
PATIENCE_S = 300

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(IMAGE is None, reason="no image: scripts/image-test builds one and runs this"),
]
BUILDAH = {**os.environ, "BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "overlay"}


def buildah(*arguments: str) -> str:
    return subprocess.run(["buildah", *arguments], env=BUILDAH, check=True, capture_output=True, text=True).stdout.strip()


def image_config() -> dict[str, Any]:
    return dict(json.loads(buildah("inspect", "--type", "image", str(IMAGE)))["Docker"]["config"])


class Container:
    """A container of the image, see `contain` beside this file. It shares the test's network; its processes can be seen from here."""

    def __init__(self, folder: Path) -> None:
        self.config = image_config()
        self.user = self.config["User"]
        self.name = buildah("from", str(IMAGE))
        self.root = Path(buildah("mount", self.name))
        self.output = folder / "output"
        self.output.mkdir()
        os.chown(self.output, *map(int, self.user.split(":")))
        self.log_path = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE_S)

    @property
    def has_vllm(self) -> bool:
        return (self.root / "opt/vllm/bin/vllm").exists()

    def start(self, *arguments: str, **settings: str) -> None:
        """`arguments`: vLLM's, as behind the image's name in `docker run`."""
        environment = [*self.config["Env"], f"OCR_PORT={self.port}", "OCR_HOST=127.0.0.1", "OCR_WORKERS=1"]
        environment += [f"{name}={value}" for name, value in settings.items()]
        command = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", str(Path(__file__).with_name("contain"))]
        command += [str(self.root), self.user, self.config["WorkingDir"], *self._mounts(), "--"]
        command += ["env", "--ignore-environment", *environment, *self.config["Entrypoint"], *arguments]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def _mounts(self) -> list[str]:
        """What compose.yaml makes writable, and nothing else: that it is enough is part of what is tried."""
        places = [entry.partition(":")[0] for entry in COMPOSE["tmpfs"]] + [entry.partition(":")[2] for entry in COMPOSE["volumes"]]
        mounts = [f"tmpfs:{place}" for place in places if place != "/data/output"]
        return [*mounts, f"{self.output}:/data/output", f"{READER}:/test/model:ro"]

    def init(self) -> psutil.Process:
        """Process 1 of the container."""
        assert self.process is not None
        (first,) = psutil.Process(self.process.pid).children()
        return first

    def engine(self) -> psutil.Process:
        return next(process for process in self.init().children(recursive=True) if "EngineCore" in " ".join(process.cmdline()))

    def healthcheck(self) -> int:
        """The status of the image's HEALTHCHECK, run inside."""
        kind, *command = self.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        uid, gid = self.user.split(":")
        inside = ["nsenter", "--target", str(self.init().pid), "--mount", "--pid", "--root", "--setuid", uid, "--setgid", gid]
        return subprocess.run([*inside, *command], env={"OCR_PORT": str(self.port), "PATH": os.environ["PATH"]}, check=False).returncode

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def health(self) -> dict[str, Any]:
        try:
            return dict(self.client.get("/health").json())
        except httpx.TransportError:
            return {}

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self.process is not None
            assert self.process.poll() is None, f"ended before {what}: {self.log()[-5000:]}"
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.health()}; {self.log()[-5000:]}"
            time.sleep(0.2)

    def wait_for_health(self, **wanted: object) -> None:
        self.wait_for(lambda: wanted.items() <= self.health().items(), f"health {wanted}")

    def read(self, **options: str) -> dict[str, Any]:
        return dict(self.client.post("/ocr/pdf", files={"file": ("акт.pdf", SCAN)}, data=options).json())

    def stop(self) -> int:
        self.init().send_signal(signal.SIGTERM)
        assert self.process is not None
        return self.process.wait(120)

    def remove(self) -> None:
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()  # --kill-child: process 1 goes with it, and with that all others
            self.process.wait(60)
        buildah("umount", self.name)
        buildah("rm", self.name)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = Container(tmp_path)
    yield container
    container.remove()


def assert_the_scan_was_read(answer: dict[str, Any]) -> None:
    assert answer["status"] == "complete"
    assert all(word in answer["markdown"].casefold() for word in ("акт", "выполненных", "работ", "подрядчик")), answer["markdown"]


def test_the_image_serves_survives_its_vllm_uploads_and_stops_politely(container: Container, tmp_path: Path) -> None:
    if not container.has_vllm:
        pytest.skip("an image without vLLM (VLLM=none)")
    with rclone_s3(tmp_path / "s3" / "root") as s3_port:
        container.start(
            *SMALL,
            USE_VLM_API="true",
            VLLM_URL=f"http://127.0.0.1:{free_port()}/v1/markdown",
            VLM_MODEL="/test/model",
            VLM_MODEL_NAME=MODEL_NAME,
            VLM_GPU="false",
            # What a tiny model reads is not checked, that it answers is.
            VLM_WARMUP="contract",
            CLOUDRU_S3_ENDPOINT=f"http://127.0.0.1:{s3_port}",
            CLOUDRU_S3_BUCKET=BUCKET,
            CLOUDRU_S3_ACCESS_KEY=ACCESS_KEY,
            CLOUDRU_S3_SECRET_KEY=SECRET_KEY,
        )
        container.wait_for_health(status="healthy", vllm_status="available", s3_storage="configured", models_present=True)
        assert "VLM large picture" in container.log()
        assert "layout and OCR" in container.log()
        assert container.healthcheck() == 0

        answer = container.read(vlm_policy="all")
        assert_the_scan_was_read(answer)
        asked = [block["refinement"]["status"] for page in answer["pages"] for block in page["blocks"]]
        assert {"accepted", "rejected"} & set(asked), "vLLM was to be asked"
        assert "failed" not in asked
        assert answer["s3"]["status"] == "uploaded"
        assert (tmp_path / "s3/root" / BUCKET / answer["document_id"] / "result.json").is_file()

        container.engine().kill()
        container.wait_for_health(status="degraded", vllm_status="unavailable")
        assert_the_scan_was_read(container.read(vlm_policy="all"))
        container.wait_for(lambda: container.log().count("vLLM is ready") == 2, "vLLM to come back")
        container.wait_for_health(status="healthy", vllm_status="available")

        assert container.stop() == 0, container.log()[-5000:]
    for secret in (ACCESS_KEY, SECRET_KEY):
        assert secret not in container.log()


def test_without_a_vlm_it_is_only_the_service(container: Container) -> None:
    container.start()
    container.wait_for_health(status="healthy", vllm_status="disabled", use_vlm_api=False, models_present=True)
    assert container.health()["models_path"] == "/home/paddleocr/.paddlex/official_models"
    assert_the_scan_was_read(container.read())
    assert container.init().name() == "tini"
    assert {str(process.uids().real) for process in container.init().children(recursive=True)} == {container.user.partition(":")[0]}
    assert container.healthcheck() == 0
    assert container.stop() == 0, container.log()[-5000:]


def test_a_job_outlasts_the_container_on_the_volume_of_results(container: Container) -> None:
    container.start(OCR_SHUTDOWN_GRACE_S="0")
    container.wait_for_health(status="healthy")
    job = container.client.post("/ocr/jobs", files={"file": ("акт.pdf", SCAN)}).json()["job_id"]
    assert container.stop() == 0, container.log()[-5000:]
    container.start()
    container.wait_for_health(status="healthy")
    container.wait_for(lambda: container.client.get(f"/ocr/jobs/{job}").json()["state"] == "complete", "the job to be done")
    assert_the_scan_was_read(container.client.get(f"/ocr/documents/{job}").json())
    assert container.stop() == 0, container.log()[-5000:]


def test_nothing_can_be_downloaded_here() -> None:
    """Otherwise the tests above would not show that nothing is."""
    assert Path("/proc/net/route").read_text().splitlines()[1:] == []


def test_the_image_says_who_runs_it_what_it_opens_and_how_it_feels() -> None:
    config = image_config()
    assert config["User"] == "10001:10001"
    assert list(config["ExposedPorts"]) == ["8081/tcp"]
    assert "/health/live" in str(config["Healthcheck"])
    assert config["Labels"]["org.opencontainers.image.title"] == "ocr-service"
    assert not any("SECRET" in entry or "KEY" in entry for entry in config["Env"])
