"""Arguments of `mesh shadow` that end in one sentence, before any request."""

import pytest

from mesh_in_process import Mesh, make_mesh

ONE, OTHER = "http://127.0.0.1:1", "http://127.0.0.1:2"


@pytest.fixture
def mesh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mesh:
    return make_mesh("shadow", monkeypatch, capsys)


@pytest.mark.parametrize(
    ("of", "shadow", "more", "code", "problem"),
    [
        (ONE, ONE, (), 2, "are both http://127.0.0.1:1; name two servers"),
        (ONE, f"{OTHER}/v1", (), 2, "--with 'http://127.0.0.1:2/v1' isn't the URL of a server"),
        ("localhost:1", OTHER, (), 2, "--of 'localhost:1' isn't the URL of a server"),
        ("http://me:secret@host", OTHER, (), 2, "--of 'http://me:***@host' isn't the URL"),
        ("me:secret@host", OTHER, (), 2, "--of 'host' isn't the URL"),
        (ONE, OTHER, ("--allowed-hosts", "a b"), 2, "--allowed-hosts: 'a b' is not a host"),
        (ONE, OTHER, ("--ca-file", __file__), 2, "can't be read ("),
        ("", OTHER, (), 2, "--of '' isn't the URL of a server"),
        (ONE, OTHER, ("--share", "0"), 2, "--share is 0; it must be above 0"),
        (ONE, OTHER, ("--share", "-1"), 2, "--share is -1; it must be above 0"),
        (ONE, OTHER, ("--share", "nan"), 2, "--share is nan; it must be above 0"),
        (ONE, OTHER, ("--share", "1.1"), 2, "--share is 1.1; it can't be above 1"),
        (ONE, OTHER, ("--seconds", "inf"), 2, "--seconds is inf; it must be above 0"),
        (ONE, OTHER, ("--timeout", "0"), 2, "--timeout is 0; it must be above 0"),
        (ONE, OTHER, (), 1, "There is no server at http://127.0.0.1:1"),
    ],
)
def test_wrong_arguments(
    mesh: Mesh, of: str, shadow: str, more: tuple[str, ...], code: int, problem: str
) -> None:
    found, output, errors = mesh("--of", of, "--with", shadow, *more)
    assert (found, output, errors.count("\n")) == (code, "", 1)
    assert problem in errors
    assert "secret" not in errors
    assert "LOAD_" not in errors
