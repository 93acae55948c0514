"""Settings from flags, environment variables, an env file and defaults, in that order."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainSerializer, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from mesh.core.env_files import read_env_file
from mesh.core.errors import UsageError
from mesh.core.secret_values import mask_secret
from mesh.core.urls import mask_url

NESTED_PREFIXES = (
    "COMPILE_DOWNLOAD_",
    "COMPILE_UPLOAD_",
    "COMPILE_VALIDATE_",
    "MESH_LOG_",
    "MESH_REGISTRY_",
    "MESH_REGISTRY_SERVER_",
    "SERVE_DOWNLOAD_",
)
"""Prefixes of settings that begin with that of others, which another program may have."""

_OTHER_VARIABLES = frozenset(
    ("MESH_CALLED_FROM", "MESH_CODE_REVISION", "MESH_ENV_FILE", "MESH_IMAGE", "MESH_SECRETS")
)
"""Variables with a prefix of settings that are read elsewhere."""

# Kubernetes sets it for a service of that name: https://kubernetes.io/docs/concepts/services-networking/service/
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://[^/\s]+:[0-9]+")


Url = Annotated[str, PlainSerializer(mask_url, when_used="json"), Field(repr=False)]
"""A setting that may be a URL: it is shown without its password and query, and a wrong one never."""


class MeshSettings(BaseSettings):
    """Base of all settings: immutable, with values from variables with the class's prefix."""

    shares_prefix: ClassVar[bool] = False
    """Whether another program has further settings with the same prefix."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        protected_namespaces=(),
        # Base classes need no validators.
        defer_build=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out the variables that Kubernetes sets for services."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = {
                name: value
                for name, value in env_settings.env_vars.items()
                if not _is_service_address(name, value or "")
            }
        return init_settings, env_settings, dotenv_settings


def load_settings(
    classes: Sequence[type[MeshSettings]],
    *,
    flags: Sequence[str] = (),
    env_file: Path | None = None,
    program: str = "",
    complete: bool = True,
) -> tuple[Any, ...]:
    """Make one instance of each class; the flags belong to the first.

    Args:
        complete: whether the classes are all that a program has, so that another name in the env
            file with one of their prefixes is a mistake.

    Raises:
        UsageError: the env file is damaged, or values are missing or bad; the message names every
            variable at once.
        SystemExit: the flags request help or can't be parsed (argparse's own exit).
    """
    loaded: list[MeshSettings] = []
    in_file = read_env_file(env_file) if env_file else {}
    problems = [*_unknown(classes, in_file, env_file)] if complete else []
    problems += _misspelled(classes)
    for index, cls in enumerate(classes):
        command_line = (
            {"_cli_parse_args": list(flags), "_cli_prog_name": program} if index == 0 else {}
        )
        _try(cls, {"_env_file": env_file, **command_line}, loaded, problems)
    return tuple(_without_problems(loaded, problems))


def load_settings_of_file(cls: type[MeshSettings], path: Path) -> Any:
    """An instance with the values of an env file alone, whatever the environment has.

    Raises:
        UsageError: as with `load_settings`.
    """

    class OfFile(cls):  # type: ignore[misc, valid-type]
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: Any, dotenv_settings: Any, **_: Any  # noqa: ARG003
        ) -> Any:
            return (dotenv_settings,)

    loaded: list[MeshSettings] = []
    problems = [*_unknown([cls], read_env_file(path), path)]
    _try(OfFile, {"_env_file": path}, loaded, problems)
    [settings] = _without_problems(loaded, problems)
    return cls.model_construct(settings.model_fields_set, **dict(settings))


def _try(
    cls: type[MeshSettings],
    arguments: dict[str, Any],
    loaded: list[MeshSettings],
    problems: list[str],
) -> None:
    try:
        loaded.append(cls(**arguments))
    except ValidationError as error:
        problems.extend(_describe(cls, error))
    except SettingsError as error:
        problems.append(_describe_unparsed(cls, error))


def _without_problems(loaded: list[MeshSettings], problems: Sequence[str]) -> list[MeshSettings]:
    if problems:
        raise UsageError(
            "Settings are missing or wrong:\n" + "\n".join(f"  {line}" for line in problems)
        )
    return loaded


def _is_service_address(name: str, value: str) -> bool:
    """Whether a variable is one that Kubernetes sets for a service.

    A service named `serve` sets `SERVE_PORT=tcp://10.0.0.1:8001`.
    """
    return name.upper().endswith("_PORT") and bool(_SERVICE_ADDRESS.fullmatch(value))


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
            yield f"{where}={mask_secret(where, problem['input'])!r}: {problem['msg']}"


def _describe_unparsed(cls: type[MeshSettings], error: SettingsError) -> str:
    field = re.search(r'(?:field "|encountered for )(\w+)', str(error))
    where = variable_name(cls, field[1]) if field else cls.__name__
    return f"{where}: {error.__cause__ or error}"


def _is_secret(cls: type[MeshSettings], field: str) -> bool:
    """Whether even wrong values of a field are never shown: `SecretStr` or `repr=False`."""
    found = cls.model_fields.get(field)
    return found is not None and (not found.repr or "Secret" in str(found.annotation))


def _unknown(
    classes: Sequence[type[MeshSettings]], names: Iterable[str], env_file: Path | None
) -> Iterator[str]:
    """What is wrong with the names in an env file."""
    known = _variables(classes)
    own = _prefixes(cls for cls in classes if not cls.shares_prefix)
    for name in sorted(names):
        upper = name.upper()
        prefixes = [prefix for prefix in own.union(NESTED_PREFIXES) if upper.startswith(prefix)]
        if upper in known | _OTHER_VARIABLES or max(prefixes, key=len, default="") not in own:
            continue
        close = difflib.get_close_matches(upper, known, 1, 0.6)
        hint = f"; did you mean {close[0]}?" if close else ""
        yield f"{name} in {env_file} is unknown{hint}"


def _misspelled(classes: Sequence[type[MeshSettings]]) -> Iterator[str]:
    """Variables of the environment whose names are nearly those of settings."""
    known = _variables(classes)
    prefixes = tuple(_prefixes(classes))
    for name in sorted(name.upper() for name in os.environ):
        if (
            name.startswith(prefixes)
            and name not in known
            and (close := difflib.get_close_matches(name, known, 1, 0.9))
        ):
            yield f"{name} is unknown; did you mean {close[0]}?"


def _variables(classes: Sequence[type[MeshSettings]]) -> set[str]:
    return {variable_name(cls, field) for cls in classes for field in cls.model_fields}


def _prefixes(classes: Iterable[type[MeshSettings]]) -> set[str]:
    return {str(prefix) for cls in classes if (prefix := cls.model_config.get("env_prefix"))}
