"""The goal `prepare-run`: everything that `run` does before the program, which the caller starts.

Pants runs one command at a time in a clone, and a program that it starts is part of the command.
`./pants run` calls this goal instead, and becomes the program itself (bootstrap/pants_run.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from pants.core.goals.run import (
    RestartableField,
    RunDebugAdapterRequest,
    RunFieldSet,
    RunRequest,
    RunSubsystem,
    _find_what_to_run,
)
from pants.core.util_rules.environments import _warn_on_non_local_environments
from pants.core.util_rules.subprocess_environment import SubprocessEnvironment
from pants.engine.env_vars import CompleteEnvironmentVars
from pants.engine.fs import Workspace
from pants.engine.goal import Goal, GoalSubsystem
from pants.engine.process import InteractiveProcess, InteractiveProcessResult
from pants.engine.rules import Effect, Get, Rule, collect_rules, goal_rule
from pants.option.option_types import ArgsListOption, BoolOption, StrOption

MOVE = Path(__file__).with_name("move.py")


class PrepareRunSubsystem(GoalSubsystem):
    name = "prepare-run"
    help = "Prepares the program that `./pants run` then starts; not meant to be called by hand."

    folder = StrOption(
        default=None, help="The empty folder to put the program and its command into."
    )
    # Options that may follow the word `run`.
    args = ArgsListOption(example="--debug", tool_name="the executed target")
    debug_adapter = BoolOption(default=False, help="As the option of `run`.")


class PrepareRun(Goal):
    subsystem_cls = PrepareRunSubsystem
    environment_behavior = Goal.EnvironmentBehavior.LOCAL_ONLY


@goal_rule
async def prepare_run(
    subsystem: PrepareRunSubsystem,
    run_subsystem: RunSubsystem,
    subprocess_environment: SubprocessEnvironment.EnvironmentAware,
    complete_env: CompleteEnvironmentVars,
    workspace: Workspace,  # noqa: ARG001  # Needed by rules with side effects.
) -> PrepareRun:
    field_set, target = await _find_what_to_run("the `run` goal")
    await _warn_on_non_local_environments((target,), "the `run` goal")
    if target.get(RestartableField).value:
        # Pants itself has to watch the program; without a command file, the caller lets it.
        return PrepareRun(0)
    request = await (
        Get(RunDebugAdapterRequest, RunFieldSet, field_set)
        if subsystem.debug_adapter or run_subsystem.debug_adapter
        else Get(RunRequest, RunFieldSet, field_set)
    )
    folder = Path(subsystem.folder)
    # The engine lays out the program's sandbox, with links instead of copies if it can, and removes
    # it after the process. So the process moves the content away.
    moved = await Effect(
        InteractiveProcessResult,
        InteractiveProcess(
            argv=(sys.executable, "-I", str(MOVE), "{chroot}", str(folder / "sandbox")),
            input_digest=request.digest,
            run_in_workspace=True,
            immutable_input_digests=request.immutable_input_digests,
            append_only_caches=request.append_only_caches,
        ),
    )
    if moved.exit_code == 0:
        command = {
            "arguments": [*request.args, *run_subsystem.args, *subsystem.args],
            "environment": dict(request.extra_env),
            # The caller's variables that are part of the prepared program.
            "inherited": {
                name: complete_env.get(name)
                for name in subprocess_environment.env_vars_to_pass_to_subprocesses
                if "=" not in name
            },
        }
        (folder / "command.json").write_text(json.dumps(command), encoding="utf-8")
    return PrepareRun(moved.exit_code)


def rules() -> Iterable[Rule]:
    return collect_rules()
