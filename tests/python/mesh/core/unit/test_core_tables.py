import pytest

from mesh.core.tables import make_table, print_table


def test_a_pipe_gets_whole_cells(capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table("name", "reason")
    table.add_row("n" * 90, "because " * 30)
    print_table(table)
    _, _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["n" * 90, *["because"] * 30]


def test_a_narrow_terminal_shows_every_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    table = make_table("name", "port", "reason")
    table.add_row("n" * 90, "8001", "because")
    print_table(table)
    shown = capsys.readouterr().out
    assert "8001" in shown
    assert max(map(len, shown.splitlines())) < 100
