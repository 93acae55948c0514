"""What is said of a comparison: for programs as JSON, for Prometheus as metrics."""

import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from mesh.drift.comparison import Drift
from mesh.drift.sources import Predictions

_METRICS = {
    "mesh_drift_found": "1 if predictions have drifted, 0 if not; missing while undecided.",
    "mesh_drift_psi": "Population stability index of a fact of predictions.",
    "mesh_drift_predictions": "Predictions that were compared with the reference.",
    "mesh_drift_compared_timestamp_seconds": "When they were compared.",
}


class DriftReport(BaseModel):
    """The comparison of the predictions of a version with its reference.

    Args:
        source: of the predictions, in words.
        reference: its source, in words.
        first: time of the first prediction; None where times aren't known.
        last: likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    project: str
    version: str
    fingerprint: str
    source: str
    reference: str
    first: datetime.datetime | None
    last: datetime.datetime | None
    compared: datetime.datetime
    drift: Drift

    @classmethod
    def of(cls, project: str, current: Predictions, reference: str, drift: Drift) -> Self:
        """The report on predictions."""
        return cls(
            project=project,
            version=current.served.version,
            fingerprint=current.served.fingerprint,
            source=current.source,
            reference=reference,
            first=current.first,
            last=current.last,
            compared=datetime.datetime.now(datetime.UTC),
            drift=drift,
        )

    @property
    def verdict(self) -> str:
        """The verdict as a sentence."""
        drift = self.drift
        if drift.verdict == "drift":
            found = ", ".join(f"{one.name} (PSI {one.psi:.2f})" for one in drift.drifted)
            return f"The predictions have drifted: {found}."
        if drift.verdict == "no drift":
            return "The predictions have not drifted."
        return (
            f"Undecided: no fact has enough values in both the {drift.reference} predictions of the "
            f"reference and the {drift.current} that are compared with them."
        )

    def metrics(self) -> str:
        """The report in Prometheus' format, for the textfile collector of its node exporter."""
        served = {"model": self.project, "version": self.version, "fingerprint": self.fingerprint}
        drift = self.drift
        found: dict[str, list[tuple[dict[str, str], float]]] = {
            "mesh_drift_found": (
                [] if drift.verdict == "undecided" else [(served, float(drift.verdict == "drift"))]
            ),
            "mesh_drift_psi": [
                ({**served, "fact": one.name}, one.psi)
                for one in drift.facts
                if one.psi is not None
            ],
            "mesh_drift_predictions": [(served, drift.current)],
            "mesh_drift_compared_timestamp_seconds": [(served, self.compared.timestamp())],
        }
        lines = []
        for name, text in _METRICS.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{{{_labels(labels)}}} {value!r}" for labels, value in found[name]]
        return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for name, value in labels.items()
    )
    return ",".join(f'{name}="{value}"' for name, value in escaped)
