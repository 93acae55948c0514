"""Plots of response times. Their data is in the file with all response times."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.loadtest.plan import LoadPlan
from mesh.loadtest.report import Outcome, percentile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TIMELINE_PLOT = "response_times_over_time.png"
DISTRIBUTION_PLOT = "response_time_distribution.png"

_RIGHT = "#2b6cb0"
_FAILED = "#c53030"
_MARKS = {50: ":", 95: "--", 99: "-"}


def plot_timeline(file: Path, plan: LoadPlan, outcomes: Sequence[Outcome]) -> None:
    """Draw the start and the duration of each request; failures are crosses."""
    from matplotlib.ticker import LogFormatter

    figure, axes = _figure(plan, same_time=True)
    for path, axis in axes.items():
        right, failed = _split(plan, outcomes, path)
        axis.scatter(
            *_points(right), s=6, alpha=0.4, color=_RIGHT, label=f"{len(right)} right responses"
        )
        if failed:
            axis.scatter(
                *_points(failed), s=24, marker="x", color=_FAILED, label=f"{len(failed)} failures"
            )
        axis.set(title=path, xlabel="seconds since the start", ylabel="milliseconds", yscale="log")
        # 200, not 2 x 10^2.
        axis.yaxis.set_major_formatter(LogFormatter())
        axis.yaxis.set_minor_formatter(LogFormatter())
        axis.set_xlim(left=0)
        axis.legend(loc="upper right")
        axis.grid(alpha=0.3)
    figure.savefig(file)


def plot_distribution(file: Path, plan: LoadPlan, outcomes: Sequence[Outcome]) -> None:
    """Draw the distribution of the times of right responses, with three percentiles."""
    figure, axes = _figure(plan)
    for path, axis in axes.items():
        right, _ = _split(plan, outcomes, path)
        times = sorted(outcome.exchange.seconds * 1000 for outcome in right)
        axis.set(title=path, xlabel="milliseconds", ylabel="right responses")
        axis.grid(alpha=0.3)
        if not times:
            axis.text(0.5, 0.5, "no right response", ha="center", transform=axis.transAxes)
            continue
        axis.hist(times, bins=60, color=_RIGHT, alpha=0.7)
        for percent, style in _MARKS.items():
            time = percentile(times, percent)
            axis.axvline(time, color="black", linestyle=style, label=f"p{percent} {time:.1f} ms")
        axis.legend(loc="upper right")
    figure.savefig(file)


def _figure(plan: LoadPlan, *, same_time: bool = False) -> "tuple[Figure, dict[str, Axes]]":
    """A figure with axes for each endpoint, by path."""
    # Not pyplot, which looks for a display and keeps its figures.
    from matplotlib.figure import Figure

    paths = list(dict.fromkeys(request.path for request in plan.requests))
    figure = Figure(figsize=(10, 3.6 * len(paths)), dpi=110, layout="constrained")
    fields = figure.subplots(len(paths), squeeze=False, sharex=same_time)
    return figure, dict(zip(paths, fields[:, 0], strict=True))


def _split(
    plan: LoadPlan, outcomes: Sequence[Outcome], path: str
) -> tuple[list[Outcome], list[Outcome]]:
    """The right responses of an endpoint, and its failures."""
    own = [item for item in outcomes if plan.requests[item.exchange.request].path == path]
    return (
        [item for item in own if item.failure is None],
        [item for item in own if item.failure is not None],
    )


def _points(outcomes: Sequence[Outcome]) -> tuple[list[float], list[float]]:
    return (
        [item.exchange.start for item in outcomes],
        [item.exchange.seconds * 1000 for item in outcomes],
    )
