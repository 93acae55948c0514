import pytest

from mesh.core.tables import make_table, print_table


def test_a_pipe_gets_whole_cells(capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table("name", "reason")
    table.add_row("n" * 90, "because " * 30)
    print_table(table)
    _, _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["n" * 90, *["because"] * 30]
