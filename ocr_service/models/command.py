"""`preload_models.py`: gets, checks and lists the models of a profile. Exit status 0: all is there; 1: something is missing or damaged."""

from __future__ import annotations

import argparse
import fcntl
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from ocr_service.models.catalogue import PROFILES, VLM, Model, models_of
from ocr_service.models.download import Downloader, DownloadFailed, NoSpace, Patience
from ocr_service.models.hubs import DEFAULT_SOURCES, hub_of
from ocr_service.models.manifest import Finding, State, check


def run(arguments: Sequence[str], models_path: Path, out: TextIO = sys.stdout, patience: Patience | None = None) -> int:
    """`models_path`: where models lie unless `--path` says otherwise. Returns the exit status; wrong arguments raise SystemExit(2)."""
    asked = _parser(models_path).parse_args(arguments)
    models = [model for model in models_of(asked.profile, asked.vlm) if not asked.only or model.folder in asked.only]
    if unknown := set(asked.only or ()) - {model.folder for model in models}:
        print(f"Not in profile {asked.profile}: {', '.join(sorted(unknown))}", file=out)
        return 2
    if asked.list:
        _print_list(models, asked.path, out)
        return 0
    if not asked.check:
        try:
            with _only_one(asked.path):
                _preload(models, asked.path, asked.source or list(DEFAULT_SOURCES), out, patience)
        except (DownloadFailed, NoSpace, OSError) as error:
            print(f"Failed: {error}", file=out)
            return 1
    return _report(models, asked.path, out)


def _parser(models_path: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="preload_models.py", description="Gets the models, resumes what was broken off, checks them.")
    which = "which models; paddle: those of gpu for OCR_RUNTIME=paddle (default: gpu)"
    parser.add_argument("--profile", choices=PROFILES, default="gpu", help=which)
    parser.add_argument("--vlm", choices=sorted(VLM), default="1.5", help="version of PaddleOCR-VL, not in profile cpu (default: 1.5)")
    parser.add_argument("--only", action="append", metavar="MODEL", help="only this model of the profile, by its folder; repeatable")
    parser.add_argument("--path", type=Path, default=models_path, help=f"where models lie (default: {models_path})")
    parser.add_argument(
        "--source",
        action="append",
        metavar="URL",
        help=f"a hub, tried in the order given; repeatable (default: {', '.join(DEFAULT_SOURCES)})",
    )
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--check", action="store_true", help="download nothing; compare every byte with the manifests")
    actions.add_argument("--list", action="store_true", help="print what the profile consists of")
    return parser


def _print_list(models: Sequence[Model], models_path: Path, out: TextIO) -> None:
    for model in models:
        state = check(models_path, model, hashes=False).state
        print(f"{model.folder:<40} {state:<10} {model.purpose}", file=out)


def _preload(models: Sequence[Model], models_path: Path, sources: Sequence[str], out: TextIO, patience: Patience | None) -> None:
    wanted = [model for model in models if check(models_path, model, hashes=True).state is not State.OK]
    # Not a terminal, as in an image build: a line every ten seconds instead of a bar.
    bar = tqdm(unit="B", unit_scale=True, file=out, mininterval=0.2 if out.isatty() else 10.0, disable=not wanted, desc="models")
    with bar, closing(Downloader(models_path, [hub_of(source) for source in sources], patience, progress=bar.update)) as downloader:
        offers = [downloader.plans(model) for model in wanted]
        downloader.check_space([plans[0] for plans in offers])
        bar.total = sum(plans[0].size for plans in offers)
        for plans in offers:
            bar.set_description(plans[0].model.folder)
            downloader.fetch(plans)


def _report(models: Sequence[Model], models_path: Path, out: TextIO) -> int:
    findings = [check(models_path, model, hashes=True) for model in models]
    print(f"Models in {models_path}:", file=out)
    for finding in findings:
        print(_row(finding), file=out)
    unusable = sum(not finding.state.usable for finding in findings)
    total = sum(finding.size for finding in findings)
    print(f"{len(findings) - unusable} of {len(findings)} models, {total / 1e6:.1f} MB", file=out)
    return 1 if unusable else 0


def _row(finding: Finding) -> str:
    return f"{finding.model.folder:<40} {finding.size / 1e6:>9.1f} MB  {finding.state:<10} {finding.problem}".rstrip()


@contextmanager
def _only_one(models_path: Path) -> Iterator[None]:
    """Two downloads into one folder would spoil each other's parts; the second waits."""
    models_path.mkdir(parents=True, exist_ok=True)
    with (models_path / ".preload.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
