import socket

import pytest

from mesh.backfill.cluster import find_cluster

FOUND = "ray._private.services.find_bootstrap_address"


@pytest.mark.parametrize(
    ("wanted", "variable", "expected"),
    [
        ("local", "ray://head:10001", ""),
        ("ray://head:10001", "", "ray://head:10001"),
        ("auto", "ray://head:10001", "ray://head:10001"),
        ("auto", "local", ""),
        ("auto", "", ""),
    ],
)
def test_cluster_is_what_the_setting_or_the_variable_names(
    wanted: str, variable: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FOUND, lambda _folder: None)
    monkeypatch.setenv("RAY_ADDRESS", variable)
    assert find_cluster(wanted) == expected


def test_cluster_of_this_machine_is_joined_only_while_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(FOUND, lambda _folder: address)
        assert find_cluster("auto") == address
        assert find_cluster("local") == ""
    assert find_cluster("auto") == ""
