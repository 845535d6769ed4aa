"""The door: no request passes without a known key, where keys are configured, and no key asks for more than it may.

It stands before the application, so that nothing of a stranger's body is read.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ocr_service.api.errors import KeyMissing
from ocr_service.api.key_limits import KeyLimits
from ocr_service.api.keys import ApiKeys
from ocr_service.api.problems import problem_of, problem_response
from ocr_service.domain.errors import ServiceError

KEY_HEADER = "X-API-Key"
METRICS_PATH = "/metrics"

# What says nothing of documents: probes of an orchestra, and files that are the same in every deployment.
_OPEN_PATHS = frozenset({"/health", "/health/live", "/health/ready", "/", "/docs", "/openapi.json"})
_OPEN_FOLDERS = ("/web/", "/docs/")
DOCUMENT_PATHS = frozenset({"/ocr/pdf", "/ocr/jobs"})


def is_open(path: str) -> bool:
    """Whether a path needs no key whatever is configured, /metrics left aside."""
    return path in _OPEN_PATHS or path.startswith(_OPEN_FOLDERS)


@dataclass(frozen=True, slots=True)
class Rules:
    """`metrics_token`: what /metrics wants instead of an API key; `metrics_open`: it wants nothing."""

    keys: ApiKeys = field(default_factory=ApiKeys)
    limits: KeyLimits = field(default_factory=KeyLimits)
    metrics_token: ApiKeys = field(default_factory=ApiKeys)
    metrics_open: bool = False


class Gate:
    """ASGI middleware. Puts the key's name into `scope["state"]["owner"]`: whose request it is."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with ExitStack() as stack:
            try:
                owner = scope.setdefault("state", {})["owner"] = self._owner(scope)
                stack.enter_context(self._place(scope, owner))
            except ServiceError as error:
                await self._refuse(error, scope, receive, send)
                return
            await self._app(scope, receive, send)

    def _owner(self, scope: Scope) -> str:
        """The key's name, empty where none is needed. Raises KeyMissing."""
        known = self._known(scope["path"])
        if not known:
            return ""
        key = _key(Headers(scope=scope))
        if key is None:
            raise KeyMissing(f"Send an API key: 'Authorization: Bearer <key>' or '{KEY_HEADER}: <key>'.")
        name = known.name_of(key.encode("latin-1"))
        if name is None:
            raise KeyMissing("This service does not know the API key.")
        return name

    def _known(self, path: str) -> ApiKeys:
        """The keys that open the path; none: it is open."""
        if path == METRICS_PATH:
            return self._rules.metrics_token or (ApiKeys() if self._rules.metrics_open else self._rules.keys)
        return ApiKeys() if is_open(path) else self._rules.keys

    def _place(self, scope: Scope, owner: str) -> AbstractContextManager[None]:
        if owner and scope["method"] == "POST" and scope["path"] in DOCUMENT_PATHS:
            return self._rules.limits.document(owner)
        return nullcontext()

    async def _refuse(self, error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem_response(problem_of(error))
        if isinstance(error, KeyMissing):
            response.headers["WWW-Authenticate"] = 'Bearer realm="ocr-service"'
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
            # Else the server would go on receiving the body, only to throw it away.
            response.headers["Connection"] = "close"
        await response(scope, receive, send)


def _key(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get(KEY_HEADER) or None
