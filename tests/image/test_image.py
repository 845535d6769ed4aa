"""The built image, run with its own entrypoint, user and settings. `scripts/image-test` builds it and names it in OCR_TEST_IMAGE.

vLLM is a stand-in (tests/fakes/container_process.py), shown to the container as VLM_COMMAND: what is tried is everything around it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.running import free_port, wait_until
from tests.fakes.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, rclone_s3

PROJECT = Path(__file__).parents[2]
IMAGE = os.environ.get("OCR_TEST_IMAGE")
USER = 10001

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(IMAGE is None, reason="no image: scripts/image-test builds one and runs this"),
]
BUILDAH = {**os.environ, "BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "overlay"}


def buildah(*arguments: str) -> str:
    return subprocess.run(["buildah", *arguments], env=BUILDAH, check=True, capture_output=True, text=True).stdout.strip()


def image_config() -> dict[str, Any]:
    return dict(json.loads(buildah("inspect", "--type", "image", str(IMAGE)))["Docker"]["config"])


class Container:
    """A container of the image; buildah's chroot shares network and processes with this machine, so both can be looked at from here."""

    def __init__(self, folder: Path) -> None:
        self.name = buildah("from", str(IMAGE))
        self.output = folder / "output"
        self.output.mkdir()
        os.chown(self.output, USER, USER)
        folder.chmod(0o755)
        (folder / "orders.json").write_text("{}")
        self.events = self.output / "events"
        self.log_path = folder / "log"
        self.port, self.vlm_port = free_port(), free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120)

    def start(self, **settings: str) -> None:
        environment = {
            "OCR_HOST": "127.0.0.1",
            "OCR_PORT": str(self.port),
            "OCR_WORKERS": "1",
            "USE_VLM_API": "true",
            "VLLM_URL": f"http://127.0.0.1:{self.vlm_port}/v1/markdown",
            "VLM_COMMAND": "/test/vllm",
            "VLM_WARMUP": "contract",
            "EVENTS": "/data/output/events",
            "ORDERS": "/test/orders.json",
            **settings,
        }
        command = ["buildah", "run", "--user", f"{USER}:{USER}"]
        for name, value in environment.items():
            command += ["--env", f"{name}={value}"]
        command += ["--volume", f"{self.output}:/data/output", "--volume", f"{PROJECT}/tests/fakes/container_process.py:/test/vllm:ro"]
        command += ["--volume", f"{self.folder}/orders.json:/test/orders.json:ro", self.name, "--"]
        # The image's own entrypoint; the shell before it only tells whom to signal.
        command += ["/bin/bash", "-c", 'echo $$ >/data/output/pid && exec "$@"', "-", *self.entrypoint()]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(command, env=BUILDAH, stdout=log, stderr=log)

    def entrypoint(self) -> list[str]:
        return list(image_config()["Entrypoint"])

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def health(self) -> dict[str, Any]:
        try:
            return dict(self.client.get("/health").json())
        except httpx.TransportError:
            return {}

    def wait_for_health(self, **wanted: object) -> None:
        deadline = time.monotonic() + 240
        while not wanted.items() <= self.health().items():
            assert self.process is not None
            assert self.process.poll() is None, self.log()[-3000:]
            assert time.monotonic() < deadline, f"waited in vain for {wanted}: {self.health()}; {self.log()[-3000:]}"
            time.sleep(0.2)

    def vlm_pids(self) -> list[int]:
        return [int(line.split()[2]) for line in self.events.read_text().splitlines() if line.startswith("vllm start")]

    def stop(self) -> int:
        os.kill(int((self.output / "pid").read_text()), signal.SIGTERM)
        assert self.process is not None
        return self.process.wait(120)

    def remove(self) -> None:
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            os.kill(int((self.output / "pid").read_text()), signal.SIGKILL)
            self.process.wait(60)
        buildah("rm", self.name)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = Container(tmp_path)
    yield container
    container.remove()


def test_the_image_serves_survives_its_vllm_uploads_and_stops_politely(container: Container, tmp_path: Path) -> None:
    marks = _files_of(container.name)
    with rclone_s3(tmp_path / "s3" / "root") as s3_port:
        container.start(
            CLOUDRU_S3_ENDPOINT=f"http://127.0.0.1:{s3_port}",
            CLOUDRU_S3_BUCKET=BUCKET,
            CLOUDRU_S3_ACCESS_KEY=ACCESS_KEY,
            CLOUDRU_S3_SECRET_KEY=SECRET_KEY,
        )
        container.wait_for_health(status="healthy", vllm_status="available", s3_storage="configured", models_present=True)
        assert container.health()["models_path"] == "/home/paddleocr/.paddlex/official_models"
        scan = (PROJECT / "tests/data/act_scan.pdf").read_bytes()
        answer = container.client.post("/ocr/pdf", files={"file": ("акт.pdf", scan)}, data={"use_vlm": "false"}).json()
        assert answer["status"] == "complete"
        assert all(word in answer["markdown"].casefold() for word in ("акт", "работ"))
        assert answer["s3"]["status"] == "uploaded"
        assert (tmp_path / "s3/root" / BUCKET / answer["document_id"] / "result.json").is_file()

        os.kill(container.vlm_pids()[-1], signal.SIGKILL)
        wait_until(lambda: len(container.vlm_pids()) == 2, f"vLLM to come back: {container.log()[-2000:]}")
        container.wait_for_health(status="healthy", vllm_status="available")

        assert container.stop() == 0, container.log()[-3000:]
    assert "VLM large picture" in container.log()
    assert "layout and OCR" in container.log()
    assert container.events.read_text().splitlines()[-1] == "vllm end"
    for secret in (ACCESS_KEY, SECRET_KEY):
        assert secret not in container.log()
    assert _files_of(container.name) == marks, "something was written outside of the volume, the caches and /tmp"


def _files_of(name: str) -> dict[str, float]:
    """Files of the container's own root, with the times they were changed: a read-only root is enough if they stay as they are."""
    root = Path(buildah("mount", name))
    kept = ("srv", "opt", "home", "etc", "var/lib")
    return {str(path.relative_to(root)): path.lstat().st_mtime for part in kept for path in (root / part).rglob("*") if not path.is_dir()}


def test_without_a_vlm_it_is_only_the_service(container: Container) -> None:
    container.start(USE_VLM_API="")
    container.wait_for_health(status="healthy", vllm_status="disabled", use_vlm_api=False)
    assert not container.events.exists()
    assert container.stop() == 0, container.log()[-3000:]


def test_the_image_says_who_runs_it_what_it_opens_and_how_it_feels() -> None:
    config = image_config()
    assert config["User"] == "10001:10001"
    assert list(config["ExposedPorts"]) == ["8081/tcp"]
    assert "/health/live" in str(config["Healthcheck"])
    assert config["Labels"]["org.opencontainers.image.title"] == "ocr-service"
    assert not any("SECRET" in entry or "KEY" in entry for entry in config["Env"])
