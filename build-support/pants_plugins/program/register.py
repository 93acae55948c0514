"""The target type `program`: a step of a project, which `./pants run` starts.

A step is a function of a library over what the project declares. It has no file of its own, so
`python_source` can't be its target. `pex_binary` would build a PEX file before each run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pants.backend.python.goals.run_helper import (
    _create_python_source_run_dap_request,
    _create_python_source_run_request,
)
from pants.backend.python.subsystems.debugpy import DebugPy
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    InterpreterConstraintsField,
    PexEntryPointField,
    PythonDependenciesField,
    PythonResolveField,
)
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import Pex, PexRequest
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import (
    RunDebugAdapterRequest,
    RunFieldSet,
    RunInSandboxBehavior,
    RunRequest,
)
from pants.core.subsystems.debug_adapter import DebugAdapterSubsystem
from pants.engine.rules import Get, Rule, collect_rules, rule
from pants.engine.target import COMMON_TARGET_FIELDS, StringField, Target
from pants.engine.unions import UnionRule

ENTRY_POINT = "mesh.core.start"


class StepField(StringField):
    alias = "step"
    required = True
    help = "The step of the project's life cycle, such as `compile:trace`."


class ProgramTarget(Target):
    alias = "program"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        InterpreterConstraintsField,
        PythonDependenciesField,
        PythonResolveField,
        StepField,
    )
    help = "A step of the project whose folder holds the component's."


@dataclass(frozen=True)
class ProgramFieldSet(RunFieldSet):
    supports_debug_adapter = True
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED
    required_fields = (StepField,)

    step: StepField
    interpreter_constraints: InterpreterConstraintsField

    @property
    def entry_point(self) -> PexEntryPointField:
        return PexEntryPointField(ENTRY_POINT, self.address)

    @property
    def arguments(self) -> tuple[str, ...]:
        *_, package, component = self.address.spec_path.split("/")
        return f"{package}.{component}", str(self.step.value)


@rule
async def run_program(field_set: ProgramFieldSet, pex_env: PexEnvironment) -> RunRequest:
    # Programs read and write the repository's folders, so they run outside the sandbox.
    request = await _create_python_source_run_request(
        field_set.address,
        entry_point_field=field_set.entry_point,
        pex_env=pex_env,
        run_in_sandbox=False,
    )
    return replace(request, args=(*request.args, *field_set.arguments))


@rule
async def debug_program(
    field_set: ProgramFieldSet,
    debugpy: DebugPy,
    debug_adapter: DebugAdapterSubsystem,
    pex_env: PexEnvironment,
    python_setup: PythonSetup,
) -> RunDebugAdapterRequest:
    constraints = InterpreterConstraints.create_from_compatibility_fields(
        [field_set.interpreter_constraints], python_setup
    )
    debugpy_pex = await Get(
        Pex, PexRequest, debugpy.to_pex_request(interpreter_constraints=constraints)
    )
    request = await _create_python_source_run_request(
        field_set.address,
        entry_point_field=field_set.entry_point,
        pex_env=pex_env,
        pex_path=[debugpy_pex],
        run_in_sandbox=False,
    )
    adapter = await _create_python_source_run_dap_request(
        request, debugpy=debugpy, debug_adapter=debug_adapter, run_in_sandbox=False
    )
    return replace(adapter, args=(*adapter.args, *field_set.arguments))


def target_types() -> Iterable[type[Target]]:
    return [ProgramTarget]


def rules() -> Iterable[Rule | UnionRule]:
    return [*collect_rules(), *ProgramFieldSet.rules()]
