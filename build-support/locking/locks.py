"""The locks, with the requirements of each."""

from dataclasses import dataclass

FOLDER = "3rdparty/python"


@dataclass(frozen=True)
class Lock:
    """A lock file; paths are those in the repository.

    Args:
        path: the lock itself.
        requirements: files with its requirements.
        constraints: locks whose versions it shares.
        overrides: requirements that replace those of packages.
        pythons: versions of Python that it is proved for, oldest first.
        narrow: whether it is for Python 3.11 on our platforms only, or for any from the oldest on.
    """

    path: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ("3.11",)
    narrow: bool = True


def _of(*names: str) -> tuple[str, ...]:
    return tuple(f"{FOLDER}/{name}.txt" for name in names)


MODELS = f"{FOLDER}/models.lock"

LOCKS = (
    Lock(MODELS, _of("core", "serving", "models", "testing", "testing-models")),
    # Both resolves have the same versions, so that libraries are tested as they are served.
    Lock(
        f"{FOLDER}/serving.lock",
        (
            *_of("core", "serving", "backfill"),
            *_of("testing", "testing-scripts", "testing-backfill"),
            "build-support/uv.txt",
        ),
        constraints=(MODELS,),
    ),
    Lock(f"{FOLDER}/pipelines.lock", _of("core", "pipelines", "testing")),
    # It is imported beside what the models' resolve holds.
    Lock(f"{FOLDER}/neptune.lock", _of("neptune"), constraints=(MODELS,)),
    # Tools too, since pytest shares a process with the code, and mypy must know the same pydantic.
    *(
        Lock(f"{FOLDER}/tools/{tool}.lock", _of(f"tools/{tool}"), constraints=(MODELS,))
        for tool in ("black", "mypy", "pytest", "ruff")
    ),
    # It runs alone.
    Lock(f"{FOLDER}/tools/pip-audit.lock", _of("tools/pip-audit")),
    # Any Python on the machine installs uv.
    Lock("build-support/uv.lock", ("build-support/uv.txt",), pythons=("3.8",), narrow=False),
    # Pants' engine runs on any of these.
    Lock(
        "build-support/pants.lock",
        ("build-support/pants.txt",),
        overrides=("build-support/pants-overrides.txt",),
        pythons=("3.7", "3.8", "3.9"),
        narrow=False,
    ),
)
