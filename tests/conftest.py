"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# No test judges by the clock: on a busy machine an example takes as long as it takes.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
