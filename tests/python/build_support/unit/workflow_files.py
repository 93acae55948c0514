"""The workflows and actions of the repository, as their files say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(".github/workflows")
WORKFLOWS = sorted(FOLDER.glob("*.yaml"))
ACTIONS = sorted(Path(".github/actions").glob("*/action.yaml"))


def load(path: Path) -> Any:
    """The content of a file."""
    return YAML(typ="safe").load(path)


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """The jobs of all workflows, as `FILE:NAME`."""
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield f"{path.name}:{name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """The steps of all jobs and actions, with the name of theirs."""
    for name, job in jobs():
        yield from ((name, step) for step in job.get("steps", ()))
    for path in ACTIONS:
        yield from ((path.parent.name, step) for step in load(path)["runs"]["steps"])


def uses(job: dict[str, Any], action: str) -> bool:
    """Whether a step of the job runs an action."""
    return any(step.get("uses", "").startswith(action) for step in job.get("steps", ()))


SCRIPTS = [(name, step["run"]) for name, step in steps() if "run" in step]
