"""Every setting: its name, type, default and meaning. The only module that reads the environment.

The names that deployments already use have no prefix; all others begin with `OCR_`, or `VLM_` where they are about the model server. A
misspelt name or an impossible value stops the start with one clear line. README's table is made from this class and checked against it by
a test.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

# Kubernetes describes every Service of the namespace in every pod's environment: one named "ocr" becomes OCR_SERVICE_HOST,
# OCR_PORT=tcp://10.0.0.1:8081, OCR_PORT_8081_TCP_ADDR and so on. They are addressed to nobody, so they are neither settings nor misspelt.
_SERVICE_LINK_NAME = re.compile(
    r"(?:OCR|VLM)_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)", re.ASCII
)
_SERVICE_LINK_VALUE = re.compile(r"(?:tcp|udp|sctp)://\S+", re.ASCII)


# The command line's, in whose shell a service may be started: neither settings of the service nor misspelt (cli/environment.py).
CLIENT_NAMES = frozenset({"OCR_URL", "OCR_API_KEY", "OCR_PASSWORD"})
# start_vllm.sh's, which the programs that it starts see, too. What begins with VLLM_ is vLLM's own, except for VLLM_URL.
CONTAINER_NAMES = frozenset(
    f"VLM_{name}"
    for name in (
        "COMMAND", "MODEL", "GPU", "WARMUP", "START_TIMEOUT_S", "HANG_S", "STOP_TIMEOUT_S", "MAX_FAILURES", "PROVEN_S",
        "RESTART_PAUSE_S", "TICK_S",
    )
)  # fmt: skip
_PREFIXES = ("OCR_", "VLM_", "CLOUDRU_S3_")


class SettingsError(Exception):
    """A setting is misspelt or impossible; the message is one line that names it and says what is allowed."""


class Settings(BaseModel):
    """The service's settings. Field names are the environment variables' names in lower case."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    # Names that deployments use already
    paddlex_home: Path = Field(default=Path("~/.paddlex"), description="Where preloaded models lie, in `official_models/`.")
    output_dir: Path = Field(default=Path("output"), description="Where results are written, one folder a document.")
    vllm_url: str = Field(
        default="http://127.0.0.1:8080/v1/markdown",
        description="The VLM server: our `/v1/markdown`, or an OpenAI-compatible `…/v1`.",
    )
    use_vlm_api: bool = Field(default=False, description="Whether regions are refined by the VLM.")
    hf_home: Path | None = Field(default=None, description="Cache of the Hugging Face libraries; only the model server uses it.")
    cloudru_s3_endpoint: str | None = Field(default=None, description="S3 endpoint; all four S3 settings or none.")
    cloudru_s3_bucket: str | None = Field(default=None, description="S3 bucket.")
    cloudru_s3_access_key: SecretStr | None = Field(default=None, description="S3 access key (Cloud.ru: `tenant:key`).")
    cloudru_s3_secret_key: SecretStr | None = Field(default=None, description="S3 secret key.")

    # How results lie in S3
    ocr_s3_prefix: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9_=-][A-Za-z0-9._=-]*(?:/|$))*$")] | None = Field(
        default=None, description="Folder in the bucket; a document's files lie in `<prefix>/<document_id>/`."
    )
    ocr_s3_region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(default="ru-central-1", description="S3 region.")
    ocr_s3_path_style: bool = Field(default=True, description="Whether the bucket is in the path (`host/bucket`) or in the host name.")
    ocr_s3_public_endpoint: str | None = Field(
        default=None, description="Endpoint for the links in answers, where it is not the one the service uses."
    )
    ocr_s3_link_s: Annotated[int, Field(ge=0, le=604800)] = Field(
        default=0, description="Life of presigned links in answers, in seconds; 0: plain links, which hold no key."
    )
    ocr_s3_wait_s: Annotated[float, Field(ge=0)] = Field(
        default=20.0, description="How long an answer waits for the upload; what is not there by then is uploaded later."
    )

    # The HTTP side
    ocr_host: str = Field(default="0.0.0.0", description="Address to listen on.")  # noqa: S104  a container's service
    ocr_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=8081, description="Port to listen on.")
    ocr_max_upload_mb: Annotated[int, Field(ge=1)] = Field(default=200, description="Largest upload, in MiB.")
    ocr_upload_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="Longest silence of a client in the middle of its upload or of its answer, in seconds."
    )
    ocr_header_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=20.0, description="Time for a request's head, and for what a client still sends after its answer, in seconds."
    )
    ocr_max_connections: Annotated[int, Field(ge=1)] = Field(default=1000, description="Connections at the same time; more are closed.")
    ocr_max_documents: Annotated[int, Field(ge=1)] = Field(
        default=64, description="Documents in the service at the same time, uploads included; more get 503."
    )
    ocr_max_queued_pages: Annotated[int, Field(ge=1)] = Field(
        default=5000, description="Pages that may wait; a document that does not fit gets 503, unless nothing else waits."
    )
    ocr_shutdown_grace_s: Annotated[float, Field(ge=0)] = Field(
        default=30.0, description="After SIGTERM, time for documents in flight, in seconds."
    )
    ocr_api_keys: SecretStr | None = Field(
        default=None,
        description="Keys of clients: `name:key` or `name:sha256:hash`, separated by commas; without any, all may come in.",
    )
    ocr_api_keys_file: Path | None = Field(default=None, description="File with more keys, one a line; read at the start.")
    ocr_key_documents_at_once: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Documents that one key may have in progress; more get 429; 0: as many as there are places."
    )
    ocr_key_documents_per_minute: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Documents that one key may send in a minute; more get 429; 0: no limit."
    )
    ocr_metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token of `/metrics`; without it one of the API keys opens it, where there are any."
    )
    ocr_metrics_open: bool = Field(default=False, description="Whether `/metrics` needs no key although API keys are configured.")
    ocr_cors_origins: Annotated[str, Field(pattern=r"^(\*|https?://[^\s,/*]+(\s*,\s*https?://[^\s,/*]+)*)$")] | None = Field(
        default=None, description="Origins of other web pages that may use the service: `https://a.example`, separated by commas, or `*`."
    )
    ocr_log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least severe log line written.")

    # Jobs: documents that outlast a connection
    ocr_jobs_database: SecretStr | None = Field(
        default=None,
        description="Postgres for replicas that share the queue (`postgresql://user:password@host/name`); SQLite in OUTPUT_DIR if not set.",
    )
    ocr_jobs_at_a_time: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=8, description="Jobs that one service works on at the same time; their pages take turns with those of other documents."
    )
    ocr_jobs_max_waiting: Annotated[int, Field(ge=1)] = Field(default=1000, description="Jobs that may wait; more get 503.")
    ocr_jobs_min_free_mb: Annotated[int, Field(ge=0)] = Field(
        default=512, description="Space that a new job must leave on the disk of OUTPUT_DIR, in MiB; else it gets 507."
    )
    ocr_jobs_lease_s: Annotated[float, Field(ge=1)] = Field(
        default=15.0,
        description="A service not heard of for so many seconds is dead: the next start, or a replica, goes on with its jobs.",
    )
    ocr_results_keep_s: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="How long a document is kept after its end, in seconds; 0: until somebody removes it."
    )
    ocr_webhook_secret: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        default=None, description="Key of the webhooks' signature (HMAC-SHA256), 16 characters or more; without it there are no webhooks."
    )
    ocr_webhook_private: bool = Field(default=False, description="Whether webhooks may lead to private addresses.")
    ocr_webhook_attempts: Annotated[int, Field(ge=1, le=20)] = Field(default=8, description="How often a webhook is tried.")
    ocr_webhook_pause_s: Annotated[float, Field(gt=0)] = Field(
        default=10.0,
        description="Pause after a webhook's first failure, in seconds; later ones are four times as long each, an hour at most.",
    )

    # What is accepted and how it is read
    ocr_engine: Literal["auto", "embedded", "structure_v3"] = Field(
        default="auto", description="Layout and OCR engine; `auto`: `structure_v3` where a GPU and its models are, else `embedded`."
    )
    ocr_device: Annotated[str, Field(pattern=r"^(auto|cpu|gpu(:\d{1,2}(,\d{1,2})*)?)$")] = Field(
        default="auto", description="Where `structure_v3` runs: `auto`, `cpu`, `gpu` (all GPUs) or `gpu:0,1`."
    )
    ocr_runtime: Literal["onnxruntime", "paddle"] = Field(
        default="onnxruntime",
        description="What runs `structure_v3`'s models; `paddle` needs paddlepaddle-gpu and Paddle's model packages.",
    )
    vlm_gpu_memory: Annotated[float, Field(ge=0, le=0.9)] = Field(
        default=0.5,
        description="Share of a GPU's memory for the VLM server on the same machine; `structure_v3` gets the rest, less a tenth.",
    )
    cuda_visible_devices: str | None = Field(default=None, description="CUDA's own choice of GPUs; `-1`: none.")
    ld_library_path: str | None = Field(default=None, description="Where CUDA's libraries lie; handed on to the workers of `structure_v3`.")
    ocr_lang: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = Field(
        default="ru", description="Language when a request names none (ISO 639-1); `ru` reads Russian with Latin."
    )
    ocr_dpi: Annotated[int, Field(ge=72, le=600)] = Field(default=200, description="Resolution when a request names none.")
    ocr_max_pages: Annotated[int, Field(ge=1)] = Field(default=1000, description="Pages a document may have.")
    ocr_max_page_megapixels: Annotated[float, Field(ge=1)] = Field(
        default=40.0, description="Size of a page's image; larger pages are read at a lower dpi, with a warning."
    )
    ocr_tessdata: Path | None = Field(default=None, description="Folder of Tesseract's `*.traineddata`; found by itself if not set.")

    # The VLM, where USE_VLM_API is on
    vlm_policy: Literal["auto", "all", "none"] = Field(
        default="auto", description="Which regions the VLM is asked about when a request does not say."
    )
    vlm_concurrency: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=32, description="Questions that the VLM server has at the same time, over all documents."
    )
    vlm_page_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=120.0, description="Time for all questions about one page, in seconds; what has no answer by then stays as OCR read it."
    )
    vlm_api_key: SecretStr | None = Field(default=None, description="Key of the VLM server, sent as a bearer token.")
    vlm_model_name: str | None = Field(default=None, description="Model to ask an OpenAI-compatible server for; its first one if not set.")

    # Pages that were read before
    ocr_page_cache_mb: Annotated[int, Field(ge=0)] = Field(
        default=1024, description="Disk under OUTPUT_DIR for pages that need not be read again, in MiB; 0: every page is read anew."
    )
    ocr_page_cache_days: Annotated[float, Field(gt=0)] = Field(
        default=30.0, description="A kept page that was not needed for so long is removed, in days."
    )

    # Page workers
    ocr_workers: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Page workers; 0: one per GPU for `structure_v3`, else one per usable CPU core."
    )
    ocr_worker_memory_mb: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Memory a page worker may use, in MiB; 0: 3072, for `structure_v3` 12288."
    )
    ocr_worker_max_pages: Annotated[int, Field(ge=1)] = Field(default=1000, description="A worker is renewed after so many pages.")
    ocr_worker_recycle_mb: Annotated[int, Field(ge=0)] = Field(
        default=0, description="A worker that keeps more than this between two pages is renewed, in MiB; 0: 1536, for `structure_v3` 8192."
    )
    ocr_worker_confinement: Literal["auto", "require", "off"] = Field(
        default="auto",
        description="Walls around page workers (no network, nothing to write to): those that the kernel has, all or no start, none.",
    )
    ocr_page_timeout_s: Annotated[float, Field(gt=0)] = Field(default=90.0, description="Time for one attempt at a page, in seconds.")
    ocr_inspect_timeout_s: Annotated[float, Field(gt=0)] = Field(default=20.0, description="Time for opening a file, in seconds.")
    ocr_document_timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=3600.0, description="Time for a document; pages not done by then are marked as failed."
    )

    @field_validator("cloudru_s3_endpoint", "ocr_s3_public_endpoint")
    @classmethod
    def _has_scheme(cls, endpoint: str | None) -> str | None:
        return endpoint if endpoint is None or "://" in endpoint else f"https://{endpoint}"

    @field_validator("vllm_url", "cloudru_s3_endpoint", "ocr_s3_public_endpoint")
    @classmethod
    def _is_http_url(cls, url: str | None) -> str | None:
        if url is not None and not _is_http_url(url):
            raise ValueError("must be a URL such as http://host:port/path")
        return url

    @field_validator("ocr_jobs_database")
    @classmethod
    def _is_postgres(cls, database: SecretStr | None) -> SecretStr | None:
        if database is not None and not database.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must be a URL such as postgresql://user:password@host:5432/name")
        return database

    @model_validator(mode="after")
    def _s3_is_whole(self) -> Self:
        names = ("cloudru_s3_endpoint", "cloudru_s3_bucket", "cloudru_s3_access_key", "cloudru_s3_secret_key")
        missing = [name.upper() for name in names if getattr(self, name) is None]
        if 0 < len(missing) < len(names):
            raise ValueError(f"S3 upload needs all four CLOUDRU_S3_* settings; missing: {', '.join(missing)}")
        return self

    @field_validator("ocr_worker_memory_mb", "ocr_worker_recycle_mb")
    @classmethod
    def _is_enough(cls, mebibytes: int) -> int:
        if 0 < mebibytes < 256:
            raise ValueError("must be 0 or at least 256")
        return mebibytes

    @property
    def page_gpu_share(self) -> float:
        """Share of a GPU's memory for page workers: what the VLM server leaves, less a tenth for CUDA itself; all but that without one."""
        vlm_is_here = self.use_vlm_api and urlsplit(self.vllm_url).hostname in {"127.0.0.1", "localhost", "::1"}
        return round(max(0.05, 0.9 - (self.vlm_gpu_memory if vlm_is_here else 0.0)), 3)

    @property
    def worker_count(self) -> int:
        """Page workers to start on the CPU."""
        return self.ocr_workers or len(os.sched_getaffinity(0))

    @property
    def models_path(self) -> Path:
        """Folder of preloaded models, absolute."""
        return self.paddlex_home.expanduser().resolve() / "official_models"

    @property
    def cors_origins(self) -> list[str]:
        return [origin.strip() for origin in (self.ocr_cors_origins or "").split(",") if origin.strip()]

    @property
    def s3_configured(self) -> bool:
        return self.cloudru_s3_endpoint is not None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings. Raises SettingsError with one line for the operator."""
        environ = _without_service_links(os.environ if environ is None else environ)
        known = {name.upper(): name for name in cls.model_fields}
        for name in environ:
            if name.startswith(_PREFIXES) and name not in known and name not in CLIENT_NAMES | CONTAINER_NAMES:
                close = difflib.get_close_matches(name, [*known, *sorted(CONTAINER_NAMES)], n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; known settings: {', '.join(sorted(known))}"
                raise SettingsError(f"{name} is not a setting of this service{hint}")
        # An empty variable means "not set": Compose files and Helm charts pass empty strings for what is left out.
        values = {field: environ[name] for name, field in known.items() if environ.get(name, "") != ""}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]).upper()
            message = first["msg"].removeprefix("Value error, ")
            # URLs and keys may hold a secret: the log of a failed start is no place for them.
            is_private = not name or any(word in name for word in ("KEY", "URL", "ENDPOINT", "DATABASE", "SECRET", "TOKEN"))
            raise SettingsError(f"{name or 'settings'}: {message}" + ("" if is_private else f" (got {first['input']!r})")) from None


def _without_service_links(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what Kubernetes adds for a Service whose name begins with "ocr" or "vlm"."""
    return {
        name: value
        for name, value in environ.items()
        if not _SERVICE_LINK_NAME.fullmatch(name) and not (name.startswith(("OCR_", "VLM_")) and _SERVICE_LINK_VALUE.fullmatch(value))
    }


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        return False
