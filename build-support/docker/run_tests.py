"""Run a component's tests of one kind inside its image: `run_tests.pex serve functional`."""

import os
import sys
from pathlib import Path

import pytest

# The image's own packages, so that the tested ones are the deployed ones.
SITE_PACKAGES = "/app/lib/python3.11/site-packages"
TESTS = Path("/tests/python")


def main(arguments: list[str]) -> int:
    """Return pytest's exit code; 2 when the component has no such tests."""
    component, kind = arguments[:2]
    folder = TESTS / os.environ["TESTS_PROJECT"].replace("-", "_") / component / kind
    if not folder.is_dir():
        print(
            f"error: {component} has no tests of kind {kind!r}: {folder} is missing.",
            file=sys.stderr,
        )
        return 2
    sys.path.insert(0, SITE_PACKAGES)
    # Relative to the root, no test module has the name of a project's package.
    options = ["--import-mode=importlib", "-p", "no:cacheprovider", "-rs", "--rootdir=/"]
    return pytest.main([*options, *arguments[2:], str(folder)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
