"""The path of a request's target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.serve.request_check import origin_form

HOST = (b"host", b"a")
OTHER = (b"x", b"y")


@pytest.mark.parametrize(
    ("target", "path", "host"),
    [
        (b"/", b"/", b"a"),
        (b"/b?c=http://d", b"/b?c=http://d", b"a"),
        (b"//b/c", b"//b/c", b"a"),
        (b"http://b:1/c?d", b"/c?d", b"b:1"),
        (b"HTTPS://b", b"/", b"b"),
        (b"http://b?c", b"/?c", b"b"),
        (b"http:///c", b"/c", b""),
    ],
)
def test_paths_and_urls(target: bytes, path: bytes, host: bytes) -> None:
    assert origin_form(target, [OTHER, HOST]) == (path, [OTHER, (b"host", host)])


def test_a_url_has_the_host_where_no_header_has() -> None:
    assert origin_form(b"http://b/", [OTHER]) == (b"/", [(b"host", b"b"), OTHER])


@pytest.mark.parametrize("target", [b"", b"*", b"a", b"a:1", b"/a#b", b"http://a/#b", b"ftp://a/"])
def test_other_targets(target: bytes) -> None:
    assert origin_form(target, [HOST]) is None


@given(st.binary() | st.binary().map(lambda rest: b"http://" + rest))
def test_any_target_is_a_path_or_refused(target: bytes) -> None:
    normal = origin_form(target, [HOST])
    assert normal is None or normal[0].startswith(b"/")
