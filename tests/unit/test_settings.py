"""Settings: names, defaults, and the one line that stops a wrong start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ocr_service.settings import CONTAINER_NAMES, Settings, SettingsError

S3 = {
    "CLOUDRU_S3_ENDPOINT": "https://s3.example.org",
    "CLOUDRU_S3_BUCKET": "documents",
    "CLOUDRU_S3_ACCESS_KEY": "tenant:key",
    "CLOUDRU_S3_SECRET_KEY": "hush-hush",
}


def error_of(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(environ)
    return str(caught.value)


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.ocr_port, settings.ocr_lang, settings.ocr_dpi, settings.use_vlm_api) == (8081, "ru", 200, False)
    assert not settings.s3_configured


def test_names_that_deployments_use_have_no_prefix() -> None:
    settings = Settings.from_environment(
        {"PADDLEX_HOME": "/m", "OUTPUT_DIR": "/o", "USE_VLM_API": "true", "VLLM_URL": "http://v:1/v1", **S3}
    )
    assert (settings.paddlex_home, settings.output_dir, settings.use_vlm_api, settings.vllm_url) == (
        Path("/m"),
        Path("/o"),
        True,
        "http://v:1/v1",
    )
    assert settings.s3_configured


def test_variables_of_other_programs_are_ignored() -> None:
    assert Settings.from_environment({"PATH": "/bin", "HOME": "/root", "UV_CACHE_DIR": "x"}) == Settings()


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings.from_environment({"OCR_PORT": "", "CLOUDRU_S3_BUCKET": ""}) == Settings()


@pytest.mark.parametrize(
    ("misspelt", "right"),
    [
        ("OCR_WORKER", "OCR_WORKERS"),
        ("VLM_CONCURENCY", "VLM_CONCURRENCY"),
        ("VLM_PAGE_TIMEOUT", "VLM_PAGE_TIMEOUT_S"),
        ("VLM_WARM_UP", "VLM_WARMUP"),
    ],
)
def test_a_misspelt_name_stops_the_start_and_is_told_the_right_one(misspelt: str, right: str) -> None:
    assert error_of(**{misspelt: "2"}) == f"{misspelt} is not a setting of this service; did you mean {right}?"


def test_what_is_vllms_own_and_what_start_vllm_takes_for_itself_is_not_misspelt() -> None:
    script = (Path(__file__).parents[2] / "start_vllm.sh").read_text(encoding="utf-8")
    taken = set(re.findall(r'^: "\$\{(VLM_\w+):=', script, re.MULTILINE))
    settings = {name.upper() for name in Settings.model_fields}
    assert taken - settings == CONTAINER_NAMES
    environment = dict.fromkeys([*CONTAINER_NAMES, "VLLM_PLUGINS", "VLLM_CACHE_ROOT", "VLLM_NO_USAGE_STATS"], "x")
    assert Settings.from_environment(environment) == Settings()


def test_a_name_like_no_setting_is_told_all_of_them() -> None:
    assert "known settings: CLOUDRU_S3_ACCESS_KEY" in error_of(OCR_ZZZZZZZZ="1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OCR_PORT", "0"),
        ("OCR_PORT", "http"),
        ("OCR_DPI", "71"),
        ("OCR_LANG", "Russian"),
        ("OCR_ENGINE", "magic"),
        ("USE_VLM_API", "maybe"),
    ],
)
def test_an_impossible_value_is_named_with_what_was_given_on_one_line(name: str, value: str) -> None:
    message = error_of(**{name: value})
    assert message.startswith(f"{name}: ")
    assert repr(value) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://host/v1", "http://", "http://host:port/", "http://[::1/v1", "http://user:hush-hush@:80/"]
)
def test_what_is_no_http_url_stops_the_start_without_being_repeated(url: str) -> None:
    message = error_of(VLLM_URL=url)
    assert message == "VLLM_URL: must be a URL such as http://host:port/path"


def test_an_s3_endpoint_needs_no_scheme() -> None:
    settings = Settings.from_environment({**S3, "CLOUDRU_S3_ENDPOINT": "s3.example.org:9000"})
    assert settings.cloudru_s3_endpoint == "https://s3.example.org:9000"


@pytest.mark.parametrize("prefix", ["/ocr", "a//b", "../up", "a/../b", "a b"])
def test_an_s3_prefix_that_leads_elsewhere_stops_the_start(prefix: str) -> None:
    assert error_of(OCR_S3_PREFIX=prefix).startswith("OCR_S3_PREFIX: ")


@pytest.mark.parametrize("missing", S3)
def test_s3_needs_all_four_settings_and_names_the_missing_one(missing: str) -> None:
    message = error_of(**{name: value for name, value in S3.items() if name != missing})
    assert missing in message
    assert "hush-hush" not in message


def test_secrets_do_not_show_in_the_settings_text() -> None:
    text = repr(Settings.from_environment(S3))
    assert "hush-hush" not in text
    assert "tenant:key" not in text


@pytest.mark.parametrize("service", ["OCR", "OCR_API", "VLM", "VLM_MODEL"])
def test_what_kubernetes_adds_for_a_service_named_ocr_or_vlm_changes_nothing(service: str) -> None:
    links = {
        f"{service}_SERVICE_HOST": "10.0.0.1",
        f"{service}_SERVICE_PORT": "8081",
        f"{service}_SERVICE_PORT_HTTP": "8081",
        f"{service}_PORT": "tcp://10.0.0.1:8081",
        f"{service}_PORT_8081_TCP": "tcp://10.0.0.1:8081",
        f"{service}_PORT_8081_TCP_PROTO": "tcp",
        f"{service}_PORT_8081_TCP_PORT": "8081",
        f"{service}_PORT_8081_TCP_ADDR": "10.0.0.1",
    }
    assert Settings.from_environment(links) == Settings()


def test_a_port_of_ones_own_still_counts_beside_the_ones_of_kubernetes() -> None:
    assert Settings.from_environment({"OCR_PORT": "9000", "OCR_SERVICE_PORT": "8081"}).ocr_port == 9000


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_workers_follow_the_usable_cores_unless_set() -> None:
    assert Settings(ocr_workers=3).worker_count == 3
    assert Settings().worker_count >= 1
