"""`mesh lineage`: its arguments, and long values in its tree."""

from pathlib import Path

import pytest

from mesh.cli import lineage
from mesh.cli.mesh import main


@pytest.mark.parametrize("arguments", [(), ("KEYWORDS-COMPILED-1", "--output", "x")])
def test_either_a_version_or_an_output_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.argv", ["mesh", "lineage", *arguments])
    assert main() == 2
    assert "either the REFERENCE of a version, or --output PATH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "traced"),
    [("out/a", "/caller/out/a"), ("/out/a", "/out/a"), ("s3://b/out", "s3://b/out")],
)
def test_path_is_the_user_s_and_nothing_is_cut_off(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
    traced: str,
) -> None:
    digest = 300 * "f"

    def trace(_open: object, _data: object, url: str) -> dict[str, object]:
        return {"name": url, "kind": "output", "digest": digest}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MESH_CALLED_FROM", "/caller")
    monkeypatch.setattr(lineage, "trace_output", trace)
    monkeypatch.setattr("sys.argv", ["mesh", "lineage", "--output", given])
    assert main() == 0
    shown = capsys.readouterr().out
    assert f"{traced} (output)\n" in shown
    assert f"digest: {digest}\n" in shown
    # No registry was made.
    assert not list(tmp_path.iterdir())
