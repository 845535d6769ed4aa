"""What is deployed says the same as the code: ports, probes, users, settings, files; and the list of parts is complete."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ocr_service.settings import Settings

PROJECT = Path(__file__).parents[2]
DOCKERFILE = (PROJECT / "Dockerfile.vllm").read_text()
KUBERNETES = {part["kind"]: part for part in yaml.safe_load_all((PROJECT / "deploy/kubernetes.yaml").read_text())}
COMPOSE = yaml.safe_load((PROJECT / "deploy/compose.yaml").read_text())["services"]["ocr"]
CONTAINER: dict[str, Any] = KUBERNETES["Deployment"]["spec"]["template"]["spec"]["containers"][0]
KNOWN = {name.upper() for name in Settings.model_fields}


def numbers(probe: str) -> tuple[int, ...]:
    keys = ("initialDelaySeconds", "periodSeconds", "failureThreshold", "timeoutSeconds")
    return tuple(CONTAINER[probe][key] for key in keys)


def test_the_probes_are_those_of_the_guide() -> None:
    assert numbers("startupProbe") == (120, 10, 50, 5)
    assert numbers("livenessProbe") == (300, 30, 3, 10)
    assert numbers("readinessProbe") == (180, 10, 3, 5)
    for guide in ("cloudru.md", "cloudru.ru.md"):
        rows = re.findall(
            r"^\| `(/health\S*)` \| (\d+) s? ?\| (\d+) s? ?\| (\d+) \| (\d+) s? ?\|$", (PROJECT / "deploy" / guide).read_text(), re.M
        )
        assert [tuple(map(int, row[1:])) for row in rows] == [numbers("startupProbe"), numbers("livenessProbe"), numbers("readinessProbe")]
        assert [row[0] for row in rows] == [
            CONTAINER[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
        ]


def test_only_the_services_port_leaves_the_container() -> None:
    port = Settings().ocr_port
    assert re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE) == [str(port)]
    assert [entry["containerPort"] for entry in CONTAINER["ports"]] == [port]
    assert COMPOSE["ports"] == [f"{port}:{port}"]


def test_the_image_runs_as_a_number_that_is_not_root_under_an_init() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", last_stage, re.MULTILINE)[-1] == "10001:10001"
    assert 'ENTRYPOINT ["/usr/bin/tini", "--", "/srv/ocr/start_vllm.sh"]' in last_stage
    assert "HEALTHCHECK" in last_stage
    assert KUBERNETES["Deployment"]["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == 10001


def test_the_base_has_a_version_and_nothing_is_fetched_past_the_locks() -> None:
    assert re.search(r"^ARG BASE_IMAGE=\S+:v?\d[\w.]*$", DOCKERFILE, re.MULTILINE)
    assert not re.search(r":latest|ADD http|curl [^\n]*\| *(ba)?sh", DOCKERFILE)


def test_every_file_that_is_copied_exists_and_reaches_the_build() -> None:
    allowed = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
        if "$" not in name and "[" not in name
    ]
    assert copied
    for name in copied:
        assert (PROJECT / name).exists(), name
        assert any(Path(name).match(pattern) or name == pattern or name.startswith(f"{pattern}/") for pattern in allowed), name


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (PROJECT / name).read_text(), re.MULTILINE))


def test_the_gpu_image_installs_each_package_once() -> None:
    """Both locks go into one environment, one after the other, without the first one's onnxruntime."""
    paddle, cuda = locked("requirements_paddle.txt"), locked("requirements_cuda.txt")
    assert "onnxruntime" in paddle
    assert "onnxruntime" not in cuda
    assert "onnxruntime-gpu" in cuda
    assert "onnxruntime-gpu" not in paddle
    assert {name: cuda[name] for name in cuda.keys() & paddle.keys()} == {name: paddle[name] for name in cuda.keys() & paddle.keys()}
    script = (PROJECT / "deploy/image/install-app").read_text()
    (program,) = re.findall(r"^ +awk '(.*)' ", script, re.MULTILINE)
    left = subprocess.run(["awk", program, PROJECT / "requirements_paddle.txt"], check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"^([\w.-]+)==", left, re.MULTILINE)) == paddle.keys() - {"onnxruntime"}


def schema_check(file: Path) -> int:
    tool = Path(sys.executable).parent / "check-jsonschema"
    return subprocess.run([tool, "--builtin-schema", "vendor.compose-spec", file], check=False, capture_output=True).returncode


def test_compose_keeps_to_the_schema_of_compose(tmp_path: Path) -> None:
    compose = PROJECT / "deploy/compose.yaml"
    assert schema_check(compose) == 0
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(compose.read_text().replace("read_only:", "readonly:"))
    assert schema_check(wrong) == 1


def test_every_setting_in_compose_is_one() -> None:
    assert set(COMPOSE["environment"]) <= KNOWN


def test_a_read_only_root_has_a_place_for_everything_that_is_written() -> None:
    mounted = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    composed = {entry.partition(":")[0] for entry in COMPOSE["tmpfs"]} | {entry.partition(":")[2] for entry in COMPOSE["volumes"]}
    written = {"/tmp", "/data/output", "/var/cache/ocr", "/home/paddleocr/.paddlex/temp", "/home/paddleocr/.paddlex/locks"}
    assert written <= mounted
    assert written <= composed
    assert re.findall(r"\bHOME=(\S+)", DOCKERFILE)[-1] in written
    assert COMPOSE["read_only"] is CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("kind", KUBERNETES)
def test_the_manifests_keep_to_the_schemas_of_kubernetes(kind: str) -> None:
    kubernetes_validate.validate(KUBERNETES[kind], kubernetes_validate.latest_version(), strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**KUBERNETES[kind], "specification": {}}, kubernetes_validate.latest_version(), strict=True)


def test_every_mounted_volume_is_declared() -> None:
    declared = {volume["name"] for volume in KUBERNETES["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == declared
    assert KUBERNETES["Service"]["spec"]["selector"] == KUBERNETES["Deployment"]["spec"]["selector"]["matchLabels"]


def test_the_list_of_parts_names_every_package_of_the_lock(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    tool = Path(sys.executable).parent / "cyclonedx-py"
    subprocess.run(
        [tool, "requirements", PROJECT / "requirements_vllm.txt", "--of", "JSON", "--output-file", target], check=True, capture_output=True
    )
    sbom = json.loads(target.read_text())
    locked = set(re.findall(r"^([\w.-]+)==", (PROJECT / "requirements_vllm.txt").read_text(), re.MULTILINE))
    assert sbom["bomFormat"] == "CycloneDX"
    assert {part["name"] for part in sbom["components"]} == locked
