import importlib

import pytest

from mesh.core.program import Program
from sentiment.project import PROJECT

STEPS = [step for step in PROJECT.steps if step.startswith("compile:")]


@pytest.mark.parametrize("step", STEPS)
def test_step_is_a_program_of_its_component(step):
    program = importlib.import_module(PROJECT.module(step)).main
    assert isinstance(program, Program)
    assert f"{program.component}:{program.name}" == f"sentiment.{step}"


def test_backend_that_does_not_exist_is_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COMPILE_BACKEND", "tpu")
    monkeypatch.setenv("MESH_WORKSPACE", str(tmp_path))
    program = importlib.import_module(PROJECT.module("compile:trace")).main
    assert program.main([]) == 2
    assert "COMPILE_BACKEND='tpu'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
