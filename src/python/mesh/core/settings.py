"""Settings from flags, environment variables, an env file and defaults, in that order."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dotenv
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from mesh.core.errors import UsageError

ENV_FILE_VARIABLE = "MESH_ENV_FILE"
DEFAULT_ENV_FILE = "config/dev.env"
OPTIONAL_ENV_FILES = (DEFAULT_ENV_FILE, "config/prod.env")
"""A component that has nothing to set has no such file."""


class MeshSettings(BaseSettings):
    """Base of all settings: immutable, with values from variables with the class's prefix."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        protected_namespaces=(),
    )


def find_env_file(component: Path) -> Path | None:
    """The env file of a component: the one in `MESH_ENV_FILE`, else `config/dev.env`.

    `MESH_ENV_FILE` is relative to the working directory or else to the component's folder.

    Raises:
        UsageError: `MESH_ENV_FILE` names no file, and none that a component may lack.
    """
    named = os.environ.get(ENV_FILE_VARIABLE)
    candidates = (
        (component / DEFAULT_ENV_FILE,) if named is None else (Path(named), component / named)
    )
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    if named is None or named in OPTIONAL_ENV_FILES:
        return None
    raise UsageError(
        f"{ENV_FILE_VARIABLE} names {named!r}, which isn't a file here or in {component}."
    )


def load_settings(
    classes: Sequence[type[MeshSettings]],
    *,
    flags: Sequence[str] = (),
    env_file: Path | None = None,
    program: str = "",
) -> tuple[Any, ...]:
    """Make one instance of each class; the flags belong to the first.

    Raises:
        UsageError: values are missing or bad; the message names every variable at once.
        SystemExit: the flags request help or can't be parsed (argparse's own exit).
    """
    loaded: list[MeshSettings] = []
    problems = _misspelled(classes, env_file)
    for index, cls in enumerate(classes):
        try:
            command_line = (
                {"_cli_parse_args": list(flags), "_cli_prog_name": program} if index == 0 else {}
            )
            loaded.append(cls(_env_file=env_file, **command_line))  # type: ignore[arg-type]
        except ValidationError as error:
            problems.extend(_describe(cls, error))
        except SettingsError as error:
            problems.append(_describe_unparsed(cls, error))
    if problems:
        raise UsageError(
            "Settings are missing or wrong:\n" + "\n".join(f"  {line}" for line in problems)
        )
    return tuple(loaded)


def variable_name(cls: type[BaseSettings], field: str) -> str:
    """The environment variable of a field: the class's prefix and the field's name in capitals."""
    return f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def _describe(cls: type[MeshSettings], error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        field = str(problem["loc"][0]) if problem["loc"] else ""
        variable = variable_name(cls, field) if field else cls.__name__
        inner = ".".join(str(part) for part in problem["loc"][1:])
        where = f"{variable} ({inner})" if inner else variable
        if problem["type"] == "missing":
            yield f"{where} is required"
        elif _is_secret(cls, field) or not field:
            yield f"{where}: {problem['msg']}"
        else:
            yield f"{where}={problem['input']!r}: {problem['msg']}"


def _describe_unparsed(cls: type[MeshSettings], error: SettingsError) -> str:
    field = re.search(r'(?:field "|encountered for )(\w+)', str(error))
    where = variable_name(cls, field[1]) if field else cls.__name__
    return f"{where}: {error.__cause__ or error}"


def _is_secret(cls: type[MeshSettings], field: str) -> bool:
    """Whether even wrong values of a field are never shown: `SecretStr` or `repr=False`."""
    found = cls.model_fields.get(field)
    return found is not None and (not found.repr or "Secret" in str(found.annotation))


def _misspelled(classes: Sequence[type[MeshSettings]], env_file: Path | None) -> list[str]:
    known = {variable_name(cls, field) for cls in classes for field in cls.model_fields}
    problems = []
    for name in sorted(_given(env_file)):
        starts = any(name.startswith(prefix) for prefix in _prefixes(classes))
        if (
            starts
            and name not in known
            and (close := difflib.get_close_matches(name, known, 1, 0.9))
        ):
            problems.append(f"{name} is unknown; did you mean {close[0]}?")
    return problems


def _prefixes(classes: Sequence[type[MeshSettings]]) -> set[str]:
    return {str(prefix) for cls in classes if (prefix := cls.model_config.get("env_prefix"))}


def _given(env_file: Path | None) -> set[str]:
    from_file: Mapping[str, str | None] = dotenv.dotenv_values(env_file) if env_file else {}
    return {name.upper() for name in (*os.environ, *from_file)}
