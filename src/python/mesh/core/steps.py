"""The steps of the life cycle, and the module that does each of them."""

import contextlib
import importlib
import importlib.util
from dataclasses import replace

from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.core.workspace_lock import locked

MODULES = {
    "ingest:ingest": "mesh.lifecycle.ingest",
    "register:register": "mesh.lifecycle.register",
    "register:tag": "mesh.lifecycle.register_tag",
    "train:train": "mesh.lifecycle.train",
    "compile:download": "mesh.lifecycle.compile_download",
    "compile:trace": "mesh.lifecycle.compile_trace",
    "compile:validate": "mesh.lifecycle.compile_validate",
    "compile:upload": "mesh.lifecycle.compile_upload",
    "serve:download": "mesh.lifecycle.serve_download",
    "serve:serve": "mesh.serve.program",
    "serve:load": "mesh.loadtest.program",
    "serve:upload-results": "mesh.lifecycle.serve_upload_results",
    "backfill:backfill": "mesh.backfill.program",
}
"""Each module has a function `program(project) -> Program`.

The modules are named, not imported, so that a component carries only those of its own steps;
`build-support/macros/components.py` makes them dependencies of the steps' targets.
"""

BACKFILL = "backfill:backfill"
"""The step whose packages, Ray among them, no other step has."""

_WITHOUT_OUTPUTS = (
    "serve:download",
    "serve:serve",
    "serve:load",
    "serve:upload-results",
    BACKFILL,
)
"""Steps that work on no outputs, so that they need no lock. Their containers have no such folder."""

_BY_HAND = {"register:register": "register:tag", "serve:serve": BACKFILL}
"""Steps that people run by hand only, by the step that a project needs for each."""


def steps_of(project: Project) -> tuple[str, ...]:
    """The steps of a project's life cycle, and those that people run by hand only."""
    by_hand = (step for needed, step in _BY_HAND.items() if needed in project.steps)
    return (*project.steps, *by_hand)


def is_here(project: Project, step: str) -> bool:
    """Whether this environment has the module of a step; an image has its own component's only."""
    try:
        return importlib.util.find_spec(_module(project, step)) is not None
    except ModuleNotFoundError:
        return False


def find_program(project: Project, step: str) -> Program:
    """The program that does a step of a project, such as `compile:trace`.

    While it runs, it holds the lock of the project's outputs in its workspace, if it works on them.
    """
    program: Program = importlib.import_module(_module(project, step)).program(project)
    if step in _WITHOUT_OUTPUTS:
        return program

    def run(*settings: MeshSettings) -> int | None:
        with contextlib.ExitStack() as stack:
            for workspace in settings:
                if isinstance(workspace, WorkspaceSettings):
                    task = f"{program.component}:{program.name}"
                    stack.enter_context(locked(workspace, project, task))
            return program.run(*settings)

    return replace(program, run=run)


def _module(project: Project, step: str) -> str:
    return project.modules.get(step) or MODULES[step]
