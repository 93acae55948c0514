"""The measured and the theoretical probability that two documents share a band, over similarity.

./pants run benchmarks/lsh_bands.py -- --plot=docs/images/lsh-bands.svg
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.report import print_table
from lsh.model import bands, signature
from lsh.schema import Configuration
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

CONFIGURATIONS = (
    Configuration(),
    Configuration(threshold=0.6),
    Configuration(threshold=0.8, num_perm=256),
)
"""The default, one setting with fewer false candidates, and one for copies that are nearly equal."""

WORDS = 120
"""The words of one text, each a shingle of its own, so that a pair's similarity is exact."""


class BandsSettings(MeshSettings):
    """Measure how many pairs of documents of each similarity share a band."""

    model_config = SettingsConfigDict(env_prefix="BANDS_")

    pairs: int = Field(default=400, ge=1, description="Pairs of documents for each similarity.")
    plot: Path | None = Field(default=None, description="SVG file that the plot is written to.")


def measure(settings: BandsSettings) -> None:
    """Print the table, and draw the plot."""
    curves = [
        list(_curve(configuration, settings.pairs, number))
        for number, configuration in enumerate(CONFIGURATIONS)
    ]
    print_table(
        "Probability of a shared band, measured (theory)",
        ["similarity", *(_title(configuration) for configuration in CONFIGURATIONS)],
        (
            [f"{row[0][0]:.2f}", *(f"{found:.3f} ({theory:.3f})" for _, found, theory in row)]
            for row in zip(*curves, strict=True)
        ),
        packages=["numpy"],
        notes=[f"{settings.pairs} pairs for each figure."],
    )
    if settings.plot is not None:
        _draw(settings.plot, curves)


def _title(configuration: Configuration) -> str:
    count, rows = bands(configuration.threshold, configuration.num_perm)
    return (
        f"threshold {configuration.threshold:g}, num_perm {configuration.num_perm}: "
        f"{count} bands of {rows}"
    )


def _curve(
    configuration: Configuration, pairs: int, seed: int
) -> Iterator[tuple[float, float, float]]:
    """Similarity, measured fraction and theoretical probability, in steps of about 0.05."""
    single = configuration.model_copy(update={"shingle_list": 1})
    for step in range(1, 20):
        shared = round(2 * WORDS * (step / 20) / (1 + step / 20))
        similarity = shared / (2 * WORDS - shared)
        found = sum(
            _share_a_band(f"{seed}x{step}x{pair}x", shared, single) for pair in range(pairs)
        )
        yield similarity, found / pairs, _theory(configuration, similarity)


def _theory(configuration: Configuration, similarity: float) -> float:
    """The probability that two documents of a similarity share a band."""
    count, rows = bands(configuration.threshold, configuration.num_perm)
    return 1 - (1 - similarity**rows) ** count


def _share_a_band(prefix: str, shared: int, configuration: Configuration) -> bool:
    """Whether two texts of `WORDS` words, of which they share some, have an equal band."""
    common = [f"{prefix}both{number}" for number in range(shared)]
    first, second = (
        signature(
            " ".join(common + [f"{prefix}{name}{number}" for number in range(WORDS - shared)]),
            configuration,
        )
        for name in ("first", "second")
    )
    return any(one == other for one, other in zip(first or (), second or (), strict=True))


def _draw(path: Path, curves: list[list[tuple[float, float, float]]]) -> None:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    # Equal figures make an equal file, whose text is text.
    rcParams.update({"svg.hashsalt": "lsh-bands", "svg.fonttype": "none"})
    figure = Figure(figsize=(7, 4.5), layout="constrained", facecolor="white")
    axes = figure.subplots()
    for configuration, curve in zip(CONFIGURATIONS, curves, strict=True):
        similarities = [number / 200 for number in range(201)]
        [line] = axes.plot(
            similarities,
            [_theory(configuration, similarity) for similarity in similarities],
            label=_title(configuration),
        )
        axes.plot(
            [similarity for similarity, _, _ in curve],
            [found for _, found, _ in curve],
            linestyle="",
            marker="o",
            markersize=5,
            color=line.get_color(),
        )
    axes.set_xlabel("Jaccard similarity of the shingles")
    axes.set_ylabel("probability of a shared band")
    axes.set_title("Theory (lines) and measurement (points)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper left", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


main = Program(
    component="benchmarks",
    name="lsh_bands",
    run=measure,
    settings=(BandsSettings,),
)

if __name__ == "__main__":
    main()
