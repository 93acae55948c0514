"""The devices that networks run on: their names, and the one that a server is told to use."""

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Annotated

from pydantic import AfterValidator

from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32, ChosenPrecision, Precision, choose_precision

logger = logging.getLogger(__name__)

AUTO = "auto"
CPU = "cpu"
CUDA = "cuda"

PROVIDERS: Mapping[str, str] = {
    CPU: "CPUExecutionProvider",
    CUDA: "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""The execution provider of ONNX Runtime that each name stands for."""

ON_CPU = (CPU, PROVIDERS[CPU])
"""What backends call the processor."""

OPENVINO_CPU = "OpenVINO CPU"
"""What the backend `openvino` calls the processor."""

NAMES = f"{', '.join(PROVIDERS)}, or the execution provider of one, such as {PROVIDERS[CUDA]}"

_SHORT = {name.casefold(): short for short, own in PROVIDERS.items() for name in (short, own)}


def require_own(device: str, named: str, backend: str, own: Sequence[str], place: str) -> None:
    """Make sure that a device is one of a backend's own.

    Args:
        named: who wants it, such as `SERVE_DEVICE=cuda`.
        own: the devices that the backend may be told to use.
        place: what it computes on, for the message.

    Raises:
        MeshError: it isn't.
    """
    if device not in own:
        raise MeshError(
            f"{named} can't be used by the backend '{backend}', which computes on {place}; choose "
            "the backend 'onnx' for other devices."
        )


def parse_device(text: str) -> str:
    """The name of a device, or the names of several, the preferred one first.

    The processor takes what no other device can compute, so it needn't be named then.

    Raises:
        ValueError: there is no such device, or nothing is left for it.
    """
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name.casefold() not in _SHORT]:
        raise ValueError(f"{unknown[0]!r} is no device; there are {NAMES}")
    found = list(dict.fromkeys(_SHORT[name.casefold()] for name in names))
    if CPU in found[:-1]:
        raise ValueError(f"{CPU} computes everything, so no other device can follow it")
    return ",".join(found[:-1] if len(found) > 1 and found[-1] == CPU else found)


Device = Annotated[str, AfterValidator(parse_device)]
"""A setting that names a device."""

ChosenDevice = Annotated[
    str, AfterValidator(lambda text: text if text == AUTO else parse_device(text))
]
"""A setting that names a device, or leaves the choice to the version."""


def providers_of(device: str) -> list[str]:
    """ONNX Runtime's names of a device, the preferred one first."""
    names = [PROVIDERS[name] for name in device.split(",")]
    return names if names[-1] == PROVIDERS[CPU] else [*names, PROVIDERS[CPU]]


def describe(device: str) -> str:
    """A device with ONNX Runtime's names of it."""
    return f"{device} ({', '.join(providers_of(device))})"


class Placement:
    """Where the networks of a model are to run, and where they do.

    Args:
        device: as `SERVE_DEVICE` says; `auto` is the device that a network was compiled for, on
            which its parity was checked.
        precision: `auto` is the fastest one in which parity was checked.
        callers: threads that run a network at the same time.
        force: whether it may be another device.
        setting: names the setting of the precision to people.

    Attributes:
        runs_on: what the networks run on that were loaded, by the names of their backends.
        precision: what they compute in.
    """

    def __init__(
        self,
        device: str = AUTO,
        *,
        precision: ChosenPrecision = "auto",
        callers: int = 1,
        force: bool = False,
        setting: str = "SERVE_PRECISION",
    ) -> None:
        self.callers = callers
        self.runs_on: tuple[str, ...] = ()
        self.precision: Precision | None = None
        self._device = device
        self._wanted_precision = precision
        self._force = force
        self._setting = setting

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Have the networks that the block loads in this thread run there.

        Raises:
            MeshError: a device is wanted, and the block loads no network that could run on it.
        """
        token = _PLACEMENT.set(self)
        try:
            yield
        finally:
            _PLACEMENT.reset(token)
        ineffective = [
            *([f"SERVE_DEVICE={self._device}"] if self._device not in (AUTO, CPU) else []),
            *([f"{self._setting}={self._wanted_precision}"] if self._names_precision else []),
        ]
        if not self.runs_on and ineffective:
            raise MeshError(
                f"{ineffective[0]} has no effect on this model, which runs no network here; "
                "remove it."
            )

    @property
    def _names_precision(self) -> bool:
        return self._wanted_precision != AUTO

    def choose_precision(
        self, checked: Sequence[Precision], here: Sequence[Precision]
    ) -> Precision:
        """The precision for a network; see `mesh.core.precisions.choose_precision`."""
        return choose_precision(self._wanted_precision, checked, here, self._setting)

    def wanted(self, checked: str) -> str:
        """The device for a network whose parity was checked on another, or on the same one."""
        return checked if self._device == AUTO else self._device

    def name(self, checked: str) -> str:
        """The device for such a network, by the words of who wants it."""
        if self._device == AUTO:
            return f"The device that the version was compiled for, {checked},"
        return f"SERVE_DEVICE={self._device}"

    def check(self, checked: str) -> None:
        """Refuse a device on which parity was not checked, unless it is forced.

        Raises:
            MeshError: it is refused.
        """
        wanted = self.wanted(checked)
        if wanted == checked:
            return
        if not self._force:
            raise MeshError(
                f"Parity of this version was checked on {describe(checked)}, and "
                f"SERVE_DEVICE={self._device} would serve it on {describe(wanted)}: compile it for "
                f"that device (COMPILE_DEVICE, or ENCODER_DEVICE of an encoder), serve it with "
                f"SERVE_DEVICE={AUTO}, or overrule this with --force (SERVE_FORCE=1)."
            )
        logger.warning(
            "served on %s by force: parity was checked on %s", describe(wanted), describe(checked)
        )


_PLACEMENT: ContextVar[Placement] = ContextVar("placement")


def current_placement() -> Placement:
    """Where the networks that are loaded now are to run.

    By default, that is where parity was checked, in float32: what steps compute is the same on every
    machine.
    """
    return _PLACEMENT.get(None) or Placement(precision=FLOAT32)
