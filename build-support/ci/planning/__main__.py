"""`python -m planning plan|run-plan ARGUMENTS...`."""

import sys
from pathlib import Path

from planning import make, run
from planning.errors import PlanError

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = {"plan": make.main, "run-plan": run.main}


def main() -> int:
    """The exit code: 0 done, 1 something failed, 2 no plan."""
    name, *arguments = sys.argv[1:]
    try:
        return PROGRAMS[name](ROOT, arguments)
    except PlanError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
