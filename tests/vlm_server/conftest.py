"""Real vLLM, shared by the tests that want it: its start takes longer than any of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vlm_server.real import READER, Server, Servers, scramble

SEED = 1


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("vllm"))
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def mad_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights."""
    checkpoint = tmp_path_factory.mktemp("checkpoint") / "mad"
    scramble(READER, checkpoint, SEED)
    return checkpoint


@pytest.fixture
def vllm(servers: Servers) -> Server:
    """With the checkpoint that reads."""
    return servers.ready(READER)


@pytest.fixture
def mad(servers: Servers, mad_checkpoint: Path) -> Server:
    """With random weights: it writes, and means nothing."""
    return servers.ready(mad_checkpoint)
