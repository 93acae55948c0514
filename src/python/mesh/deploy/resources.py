"""The requests and limits of a server: as a load test measured, or defaults."""

import math
from dataclasses import dataclass

from mesh.loadtest.own_times import ServerFigures
from mesh.serve.settings import ServeSettings

THREADS: int = ServeSettings.model_fields["threads"].default

_MIB = 2**20
_STEP_MIB = 64
_STEP_MILLICORES = 100
_ROOM = 1.25
"""Memory that is requested, for each byte that was resident after the load."""
_LEAST_SURPLUS_MIB = 512
"""What the limit is above the request at least: bodies in flight, and what is made of them."""


@dataclass(frozen=True)
class Resources:
    """What a container asks for and may use.

    Args:
        millicores: that are requested; the limit is one core for each thread that computes, or more
            if more was measured.
        memory_mib: that are requested.
        why: where both come from.
    """

    millicores: int
    memory_mib: int
    why: str

    @property
    def manifest(self) -> dict[str, dict[str, str]]:
        """As Kubernetes writes them."""
        cores = max(THREADS, math.ceil(self.millicores / 1000))
        limit = max(2 * self.memory_mib, self.memory_mib + _LEAST_SURPLUS_MIB)
        return {
            "requests": {"cpu": f"{self.millicores}m", "memory": f"{self.memory_mib}Mi"},
            "limits": {"cpu": f"{cores}", "memory": f"{limit}Mi"},
        }


DEFAULT = Resources(500, 512, "defaults, since no load test has measured the server")


def measured(figures: ServerFigures | None, image_tag: str) -> Resources:
    """The resources of a server with the footprint that it had in a load test.

    Args:
        figures: the server's own, of the load test.
        image_tag: of the tested image.
    """
    if figures is None or figures.resident_bytes is None or figures.processor is None:
        return DEFAULT
    mib = figures.resident_bytes / _MIB
    return Resources(
        _round_up(figures.processor * 1000, _STEP_MILLICORES),
        _round_up(mib * _ROOM, _STEP_MIB),
        f"measured in the load test of image {image_tag}: {mib:.0f} MiB resident, "
        f"{figures.processor:.2f} cores",
    )


def _round_up(value: float, step: int) -> int:
    return max(1, math.ceil(value / step)) * step
