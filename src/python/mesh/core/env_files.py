"""Files of settings: `NAME=value` on each line, as the package python-dotenv reads them."""

import io
import os
import re
from pathlib import Path

from dotenv.parser import parse_stream

from mesh.core.errors import UsageError

ENV_FILE_VARIABLE = "MESH_ENV_FILE"
DEFAULT_ENV_FILE = "config/dev.env"
OPTIONAL_ENV_FILES = (DEFAULT_ENV_FILE, "config/prod.env")
"""A component that has nothing to set has no such file."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
        # Unlike `Path.is_file`, this raises nothing where a folder can't be entered.
        if os.path.isfile(candidate):
            return candidate
    if named is None or named in OPTIONAL_ENV_FILES:
        return None
    raise UsageError(
        f"{ENV_FILE_VARIABLE} names {named!r}, which isn't a file here or in {component}."
    )


def read_env_file(path: Path) -> dict[str, str]:
    """The names and values of an env file.

    Raises:
        UsageError: the file can't be read, isn't UTF-8, has a line that isn't `NAME=value`, or gives
            a name twice. Values are not shown.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}, line {line}: the byte 0x{error.object[error.start]:02x} isn't UTF-8; save the "
            "file as UTF-8."
        ) from error
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        blank = len(written) - len(written.lstrip())
        line = binding.original.line + written[:blank].count("\n")
        if binding.key is None and not binding.error:
            continue
        if binding.key is None or binding.value is None or not _NAME.fullmatch(binding.key):
            raise UsageError(f"{path}, line {line}: {_reason(written)}.")
        if values.get(binding.key, binding.value) != binding.value:
            raise UsageError(f"{path}, line {line}: {binding.key} has another value above.")
        values[binding.key] = binding.value
    return values


def _reason(line: str) -> str:
    """What is wrong with a line, without its value."""
    name, equals, value = line.partition("=")
    name = name.strip().removeprefix("export ").strip()
    if equals and _NAME.fullmatch(name):
        quote = value.lstrip()[:1]
        return f"the quote {quote} of {name} isn't closed, or text follows it"
    # A lone word may be a part of a secret.
    found = re.match(rf"({_NAME.pattern})(?=[^\w])", line.strip())
    return f"the line isn't NAME=value{f' ({found[1]})' if found else ''}"
