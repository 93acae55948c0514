"""The lives of projects in containers."""

import contextlib
import functools
from collections.abc import Callable
from collections.abc import Iterator

import pytest

from containers.functional.compose_project import Life
from containers.functional.compose_project import life_of


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Life]]:
    """The life of a project, lived once for all tests of a process."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def live(project: str) -> Life:
            return stack.enter_context(life_of(project, tmp_path_factory.mktemp("life")))

        yield live
