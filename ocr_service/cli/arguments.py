"""What can be said on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from ocr_service import __version__
from ocr_service.cli.environment import API_KEY, PASSWORD, URL
from ocr_service.client.options import OUTPUTS, TEXT_LAYER, VLM_POLICY

_EPILOG = f"""\
environment: {URL} (address), {API_KEY} (API key, sent as a bearer token), {PASSWORD} (of encrypted PDFs)
exit status: 0 all is well; 1 some documents failed, or something is broken; 2 usage; 3 no service; 4 some pages failed;
130 interrupted. docs/cli.md has the rest."""


def parser(url: str) -> argparse.ArgumentParser:
    """`url`: the address unless `--url` says otherwise."""
    top = argparse.ArgumentParser(
        prog="ocr-service",
        description="PDFs and images to Markdown and JSON.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=url, help=f"the service (default: {url})")
    common.add_argument("--json", action="store_true", help="for programs: see docs/cli.md")
    convert = commands.add_parser("convert", parents=[common], help="convert documents", description="Convert documents.")
    _add_convert(convert)
    jobs = commands.add_parser("jobs", parents=[common], help="list jobs, wait for them, cancel them", description=_JOBS)
    _add_jobs(jobs)
    check = commands.add_parser("check", parents=[common], help="check this machine and the service", description=_CHECK)
    check.add_argument("--local", action="store_true", help="only this machine: settings, models, Tesseract's data")
    check.add_argument("--full", action="store_true", help="compare every byte of the models with their manifests")
    commands.add_parser("health", parents=[common], help="what the service says of itself", description="What the service says of itself.")
    return top


_JOBS = "Jobs of the service: list them, wait until they are over, write a result to standard output, cancel them."
JOB_ACTIONS = ("list", "wait", "result", "cancel")
JOB_STATES = ("queued", "running", "complete", "partial", "failed", "cancelled")
_PATIENCE_S = 300


_CHECK = "One table: what works and what does not, on this machine (where the service is installed and the address is its own) and there."


def _add_convert(convert: argparse.ArgumentParser) -> None:
    convert.add_argument("files", nargs="+", metavar="FILE", help="files, quoted globs, folders with --recursive; -: standard input")
    convert.add_argument("-o", "--output", metavar="DIR", help="where results go, -: standard output, the default for a single document")
    convert.add_argument("-r", "--recursive", action="store_true", help="take the PDFs and images of folders")
    convert.add_argument("--local", action="store_true", help="start a service on this machine for this run instead of using one")
    convert.add_argument("--force", action="store_true", help="convert again what is there already; replace files of others")
    convert.add_argument("-n", "--jobs", type=_positive, default=4, metavar="N", help="documents at the same time (default: 4)")
    convert.add_argument("-q", "--quiet", action="store_true", help="no progress, only errors")
    _add_patience(convert)
    reading = convert.add_argument_group("how documents are read (the service's own defaults otherwise)")
    reading.add_argument("--pages", metavar="1-3,7", help="which pages")
    reading.add_argument("--lang", metavar="CODE", help="language, ISO 639: ru, en, …")
    reading.add_argument("--dpi", type=_positive, metavar="N", help="resolution, 72–600")
    reading.add_argument("--text-layer", choices=TEXT_LAYER, help="believe a PDF's own text where it can be trusted, never, always")
    reading.add_argument("--outputs", metavar="NAMES", help=f"extra files, comma-separated: {', '.join(OUTPUTS)}")
    reading.add_argument("--vlm-policy", choices=VLM_POLICY, help="which regions the vision language model is asked about")
    reading.add_argument("--headers-footers", action="store_true", help="running heads and feet in the Markdown")
    secret = convert.add_mutually_exclusive_group()
    secret.add_argument("--password", action="store_true", help=f"ask for the password of encrypted PDFs ({PASSWORD} gives it unasked)")
    secret.add_argument("--password-file", type=Path, metavar="FILE", help="the password is this file's first line")


def _add_jobs(jobs: argparse.ArgumentParser) -> None:
    jobs.add_argument(
        "action", nargs="?", choices=JOB_ACTIONS, default=JOB_ACTIONS[0], metavar="list|wait|result|cancel", help="default: list"
    )
    jobs.add_argument("ids", nargs="*", metavar="ID", help="job ids; one for result")
    jobs.add_argument("--state", choices=JOB_STATES, help="list: only jobs in this state")
    jobs.add_argument("--limit", type=_positive, default=20, metavar="N", help="list: at most so many, the newest (default: 20)")
    jobs.add_argument("-q", "--quiet", action="store_true", help="wait: no progress")
    _add_patience(jobs)


def _add_patience(parser: argparse.ArgumentParser) -> None:
    words = f"how long to wait for a service that is full or, once it has answered, away (default: {_PATIENCE_S})"
    parser.add_argument("--patience", type=_positive, default=_PATIENCE_S, metavar="SECONDS", help=words)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
