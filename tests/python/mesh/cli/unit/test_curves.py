"""Curves in one line of text, and in files."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.cli.curves import sparkline, write_plot
from mesh.core.errors import MeshError, UsageError
from mesh.registry.runs import Figure

HISTORY = [Figure("train/loss", 1 / (step + 1), step, 0) for step in range(5)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ""),
        ([3], "▁"),
        ([0, 7], "▁█"),
        ([7, 0, 3.5], "█▁▅"),
        ([2, 2, 2], "▁▁▁"),
        ([1, math.nan, 2, math.inf], "▁ █ "),
        ([*[0] * 80, *[1] * 80], "▁" * 20 + "█" * 20),
    ],
)
def test_bars_show_values(values: list[float], expected: str) -> None:
    assert sparkline(values) == expected


@given(st.lists(st.floats()), st.integers(1, 50))
def test_any_values_fit(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(width, len(values))


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_a_plot_is_drawn(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"curves{suffix}"
    write_plot({"train/loss": [HISTORY, []], "validation/loss": [HISTORY[:1], HISTORY]}, "ab", file)
    assert file.stat().st_size > 1_000


def test_what_can_not_be_drawn_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"curves.gif can't be drawn: its name must end in \.pdf"):
        write_plot({"train/loss": [HISTORY]}, "a", tmp_path / "curves.gif")
    with pytest.raises(MeshError, match="have no curves"):
        write_plot({}, "a", tmp_path / "curves.png")
    with pytest.raises(MeshError, match="can't be written: No such file"):
        write_plot({"train/loss": [HISTORY]}, "a", tmp_path / "none/curves.png")
