"""The steps of the life cycle, and the module that does each of them."""

import importlib
import importlib.util

from mesh.core.program import Program
from mesh.core.project import Project

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
}
"""Each module has a function `program(project) -> Program`.

The modules are named, not imported, so that a component carries only those of its own steps;
`build-support/macros.py` makes them dependencies of the steps' targets.
"""


def steps_of(project: Project) -> tuple[str, ...]:
    """The steps of a project's life cycle, and those that people run by hand only."""
    by_hand = ("register:tag",) if "register:register" in project.steps else ()
    return (*project.steps, *by_hand)


def is_here(project: Project, step: str) -> bool:
    """Whether this environment has the module of a step; an image has its own component's only."""
    try:
        return importlib.util.find_spec(_module(project, step)) is not None
    except ModuleNotFoundError:
        return False


def find_program(project: Project, step: str) -> Program:
    """The program that does a step of a project, such as `compile:trace`."""
    program: Program = importlib.import_module(_module(project, step)).program(project)
    return program


def _module(project: Project, step: str) -> str:
    return project.modules.get(step) or MODULES[step]
