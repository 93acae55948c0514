"""The precisions that networks compute in: their names, and the one that a server is told to use."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from mesh.core.errors import MeshError

Precision = Literal["float32", "bfloat16", "float16", "int8"]
ChosenPrecision = Literal["auto", "float32", "bfloat16", "float16", "int8"]
"""A setting that names a precision, or leaves the choice to the version and the processor."""

AUTO: Literal["auto"] = "auto"
FLOAT32: Precision = "float32"
INT8: Precision = "int8"


def parse_precisions(text: str) -> str:
    """The names of precisions, separated by commas, float32 first.

    Raises:
        ValueError: there is no such precision, or float32 isn't among them.
    """
    names = [name.strip() for name in text.split(",")]
    known = get_args(Precision)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"{unknown[0]!r} is no precision; there are {', '.join(known)}")
    if FLOAT32 not in names:
        raise ValueError(f"{FLOAT32} is always one of them, such as {FLOAT32},{names[0]}")
    return ",".join(name for name in known if name in names)


Precisions = Annotated[str, AfterValidator(parse_precisions)]
"""A setting that names precisions."""


def choose_precision(
    wanted: ChosenPrecision,
    checked: Sequence[Precision],
    here: Sequence[Precision],
    setting: str = "SERVE_PRECISION",
) -> Precision:
    """The precision for a network.

    Args:
        wanted: as the setting says; `auto` is the fastest possible one.
        checked: those in which parity was checked.
        here: what the network's backend has on this processor, the fastest first.
        setting: names the setting to people.

    Raises:
        MeshError: the wanted one isn't possible.
    """
    if wanted == AUTO:
        return next(name for name in here if name in checked)
    if wanted in checked and wanted in here:
        return wanted
    possible = ", ".join(name for name in here if name in checked)
    more = f"compile the model for {wanted}" if wanted in here else "another backend or processor"
    raise MeshError(
        f"{setting}={wanted} can't be used: parity of this version was checked in "
        f"{' and '.join(checked)}, and its backend computes in {' and '.join(here)} on this "
        f"processor. Choose {possible}, or {more} (docs/compile.md#precisions)."
    )
