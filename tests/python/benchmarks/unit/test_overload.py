"""Which cores the server and its clients get."""

import pytest

from benchmarks.overload import cores_of_server_and_clients


@pytest.mark.parametrize(
    ("cores", "server", "clients"),
    [
        ({3}, {3}, {3}),
        ({0, 1}, {0}, {1}),
        ({0, 2, 5}, {0, 2}, {5}),
        ({4, 5, 6, 7}, {4, 5}, {6, 7}),
    ],
    ids=["one", "two", "three", "four"],
)
def test_clients_have_cores_of_their_own_where_there_are_two(
    cores: set[int], server: set[int], clients: set[int]
) -> None:
    assert cores_of_server_and_clients(cores) == (server, clients)
