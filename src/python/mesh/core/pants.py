"""Programs with other packages than this process has, which Pants starts."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh.core.errors import UsageError
from mesh.core.project import source_root


@dataclass(frozen=True)
class PantsCommand:
    """A command of Pants: its words, its environment, and the folder that it runs in."""

    words: tuple[str, ...]
    environment: dict[str, str]
    folder: Path


def pants_run(address: str, flags: Sequence[str]) -> PantsCommand:
    """The command that starts a program in the environment of its target.

    Raises:
        UsageError: the sources aren't in a clone.
    """
    repository = source_root().parents[1]
    pants = repository / "pants"
    if not pants.exists():
        raise UsageError(
            f"{address} has packages of its own, which Pants installs in a clone, and {repository} "
            "isn't one."
        )
    # The variables from Pants describe this process's packages.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PEX", "PYTHON"))
    }
    return PantsCommand((str(pants), "run", address, "--", *flags), environment, repository)
