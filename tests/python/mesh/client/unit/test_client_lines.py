import json

from hypothesis import given
from hypothesis import strategies as st

from mesh.client.calls import Lines

TEXTS = st.text(alphabet=st.sampled_from("a\u2028\x85\r\n\v日"), max_size=5)


@given(st.lists(TEXTS, max_size=10), st.integers(1, 5))
def test_lines_are_found_in_any_pieces(texts: list[str], size: int) -> None:
    stream = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts).encode()
    lines = Lines()
    found = [
        json.loads(line)
        for begin in range(0, len(stream), size)
        for line in lines.add(stream[begin : begin + size])
    ]
    assert found == texts
    assert lines.end() == []


def test_a_line_without_its_end_is_found_at_the_end() -> None:
    lines = Lines()
    assert lines.add(b"1\n2") == [b"1"]
    assert lines.end() == [b"2"]


def test_a_long_line_in_many_pieces_takes_linear_time() -> None:
    lines = Lines()
    pieces = 200_000
    for _ in range(pieces):
        assert lines.add(bytes(100)) == []
    [line] = lines.add(b"\n")
    assert len(line) == 100 * pieces
