import pytest

from mesh.core.data_names import check_tag


@pytest.mark.parametrize(
    "name",
    ["dataset_v22", "v1", "2026-11-29", "1.0", "a_b", "face-off", "g", "22_", "ABC", "x" * 63],
)
def test_tag_may_have_any_name_that_is_nothing_else(name: str) -> None:
    assert check_tag(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a b", "-x", "_x", "x\n", "é", "x" * 64]
)
def test_malformed_tag_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a tag is letters, digits"):
        check_tag(name)


@pytest.mark.parametrize("name", ["latest", "LATEST", "Latest"])
def test_latest_is_no_tag(name: str) -> None:
    with pytest.raises(ValueError, match="latest always means the version made last"):
        check_tag(name)


@pytest.mark.parametrize("name", ["1", "22", "20261129", "a", "cafe", "0123456789abcdef", "f" * 63])
def test_name_that_may_begin_a_versions_is_no_tag(name: str) -> None:
    with pytest.raises(ValueError, match="may be the beginning of a version's.*such as v") as error:
        check_tag(name)
    suggested = str(error.value).rpartition(" ")[2]
    assert check_tag(suggested) == suggested
