"""What an import brings along."""

import os
import subprocess
import sys
from collections.abc import Set


def imported_by(modules: str, names: Set[str]) -> set[str]:
    """Those of some modules that are imported along with others, in a process of its own.

    Args:
        modules: the others, separated by commas.
        names: of the modules that are looked for.
    """
    program = f"import sys, {modules}; print(*({set(names)!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())
