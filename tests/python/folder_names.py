"""Names of folders with characters that patterns, URLs, shells and configuration files read."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ODD_NAME = "a #,[x]{1}'é (b)&;!$~@=+^"
"""A name for the workspace of tests."""

_ODD_NAMES = ("a #1", "100%", "a,b", "[x]", "{1}", "it's", "a::b", "s3:", "a * ?", " ", "関")

# Most often of such characters.
_NAMES = st.one_of(
    st.text(st.sampled_from("#%,[]{}()'\"\\?*!$&;:@=+~^|<>. \t\nx1é関"), min_size=1, max_size=12),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=12
    ),
).filter(lambda name: name not in (".", ".."))


def with_folder_names(test: Callable[..., Any]) -> Callable[..., Any]:
    """Run a test with each odd name, and with many others, as its argument `name`."""
    for name in _ODD_NAMES:
        test = example(name=name)(test)
    shared = [HealthCheck.function_scoped_fixture]
    limits = settings(suppress_health_check=shared, max_examples=20)
    return limits(given(name=_NAMES)(test))
