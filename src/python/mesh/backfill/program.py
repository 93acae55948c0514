"""`backfill:backfill`: the program that predicts for all documents of files."""

from collections.abc import Sequence

from mesh.backfill.run import Backfill
from mesh.backfill.settings import BackfillSettings
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.serve.program import model_class


class BackfillProgram(Program):
    """A program whose flag `--input` also takes the files that a shell makes of a pattern."""

    def main(self, flags: Sequence[str]) -> int:
        return super().main(_with_repeated(flags, "--input"))


def program(project: Project) -> Program:
    """The program `backfill:backfill` of a project."""

    def backfill(
        settings: BackfillSettings, workspace: WorkspaceSettings, *own: MeshSettings
    ) -> int:
        found = Backfill(project, settings, workspace, own)
        return found.verify() if settings.verify else found.run()

    return BackfillProgram(
        component=f"{project.package}.backfill",
        name="backfill",
        run=backfill,
        settings=(BackfillSettings, WorkspaceSettings, *model_class(project).settings),
    )


def _with_repeated(flags: Sequence[str], name: str) -> list[str]:
    """Flags with the name before each of its values: `--input a b` becomes `--input a --input b`."""
    made: list[str] = []
    values = 0
    of_name = False
    for flag in flags:
        if flag.startswith("-"):
            of_name, values = flag == name, 0
        elif of_name:
            made += [name] if values else []
            values += 1
        made.append(flag)
    return made
