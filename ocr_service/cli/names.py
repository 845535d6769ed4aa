"""Under which name a document's result lies: its own without the ending, or, where two would be the same, something longer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

from ocr_service.cli.inputs import Source


def choose(sources: Sequence[Source], is_taken: Callable[[PurePath, Source], bool]) -> list[PurePath]:
    """A name for each source, all different. `is_taken`: the result of another document lies there already.

    `scan.pdf` → `scan`; beside `scan.png`, both keep their endings; two of the same name get eight characters made of their paths. So a
    name does not depend on the order, and a second run finds the results of the first.
    """
    candidates = [list(_candidates(source)) for source in sources]
    choices = [0] * len(sources)
    while True:
        names = [names[choice] for names, choice in zip(candidates, choices, strict=True)]
        ambiguous = _ambiguous(names)
        clashing = [
            index
            for index, name in enumerate(names)
            if choices[index] + 1 < len(candidates[index]) and (_folded(name) in ambiguous or is_taken(name, sources[index]))
        ]
        if not clashing:
            return names
        for index in clashing:
            choices[index] += 1


def _ambiguous(names: Sequence[PurePath]) -> set[str]:
    """Names that two results would have, or whose folder of pictures would be one of other results."""
    met = Counter(_folded(name) for name in names)
    folders = {_folded(parent) for name in names for parent in name.parents}
    return {name for name, count in met.items() if count > 1 or f"{name}.files" in folders}


def _candidates(source: Source) -> Iterator[PurePath]:
    relative = source.relative
    yield relative.with_name(relative.stem)
    yield relative
    where = str(source.path.resolve()) if source.path is not None else ""
    yield relative.with_name(f"{relative.name}~{hashlib.sha256(where.encode(errors='surrogateescape')).hexdigest()[:8]}")


def _folded(name: PurePath) -> str:
    """Some file systems do not tell A from a."""
    return str(name).casefold()
