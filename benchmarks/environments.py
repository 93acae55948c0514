"""Virtual environments of the peers, each with the requirements that are pinned beside its program."""

import subprocess
import sys
import venv
from pathlib import Path

from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError

TORCH_LINKS = "https://download.pytorch.org/whl/cpu/torch/"
"""On PyPI, torch comes with gigabytes for other processors."""


def peer_environment(requirements: Path, cache: Path) -> Path:
    """A virtual environment with the requirements, made at the first call.

    pip takes its index, links and certificate from where it takes them elsewhere on the machine.

    Raises:
        MeshError: pip can't install them.
    """
    folder = cache / f"{requirements.stem}-{sha256_file(requirements)[:12]}"
    complete = folder / "complete"
    if not complete.exists():
        print(f"Installing {requirements.name} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip"]
        configured = subprocess.run(
            [*pip, "config", "list"], check=True, capture_output=True, text=True
        ).stdout
        links = [] if "find-links" in configured else ["--find-links", TORCH_LINKS]
        command = [*pip, "install", "--quiet", *links, "-r", str(requirements)]
        if subprocess.run(command, check=False).returncode:
            raise MeshError(f"{requirements.name} can't be installed; see above.")
        complete.touch()
    return folder
