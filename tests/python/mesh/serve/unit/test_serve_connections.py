"""Which connection makes room for another."""

import pytest

from mesh.serve.connections import Admission, Connections


class Idle:
    """Waits for its client."""

    def __init__(self, since: float | None) -> None:
        self.waiting_since = since
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


@pytest.mark.parametrize(
    ("since", "dropped"),
    [
        ((1, 2, 3, 4), 0),
        ((3, 1, 2, 4), 1),
        ((1,) * 4, 0),
        ((None, 1, 1, 1), 1),
        ((None, 2, 1, 3), 2),
    ],
)
def test_the_one_that_waits_for_longest_and_came_first_makes_room(
    since: tuple[float | None, ...], dropped: int
) -> None:
    """All that come at once have the same time."""
    connections = Connections(4)
    kept = [Idle(each) for each in since]
    assert {connections.admit(each) for each in kept} == {Admission.OPEN}
    assert connections.admit(Idle(9)) is Admission.OPEN
    assert [each.dropped for each in kept] == [number == dropped for number in range(4)]
    for each in kept:
        connections.remove(each)
    connections.remove(kept[0])


def test_a_connection_is_refused_where_none_waits() -> None:
    connections = Connections(1)
    assert connections.admit(Idle(None)) is Admission.OPEN
    assert connections.admit(Idle(1)) is Admission.REFUSED
