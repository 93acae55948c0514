import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.registry.reference import ModelReference, check_model_name, check_new_alias

names = st.from_regex(r"[A-Z0-9]{1,8}(-[A-Z0-9]{1,8}){0,3}-(TRAINED|COMPILED)", fullmatch=True)
versions = st.integers(1, 999_999_999)
aliases = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(names, versions)
def test_number_round_trip(name, version):
    assert ModelReference.parse(f"{name}-{version}") == ModelReference(name, version=version)
    assert str(ModelReference(name, version=version)) == f"{name}-{version}"


@given(names, aliases)
def test_alias_round_trip(name, alias):
    assert ModelReference.parse(f"{name}:{alias}") == ModelReference(name, alias=alias)
    assert str(ModelReference(name, alias=alias)) == f"{name}:{alias}"


@given(st.text())
def test_any_text_is_a_reference_or_a_usage_error(text):
    try:
        reference = ModelReference.parse(text)
    except UsageError:
        return
    assert str(reference) == text


def test_nested_names_end_at_the_last_number():
    assert ModelReference.parse("A-TRAINED-2-COMPILED-3") == ModelReference(
        "A-TRAINED-2-COMPILED", version=3
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "KEYWORDS-COMPILED",
        "KEYWORDS-COMPILED-0",
        "KEYWORDS-COMPILED-01",
        "KEYWORDS-COMPILED--1",
        "KEYWORDS-COMPILED-1\n",
        "KEYWORDS-COMPILED-٣",
        "KEYWORDS-COMPILED-1000000000",
        "KEYWORDS-COMPILED:",
        "KEYWORDS-COMPILED:a b",
        "KEYWORDS-COMPILED:../x",
        "KEYWORDS-COMPILED:prod\n",
        "KEYWORDS-COMPILED:prod:x",
        "KEYWORDS-COMPILED-1:prod",
        "keywords-compiled-1",
        "KEYWORDS-1",
        "KEYWORDS-SERVED-1",
        "-COMPILED-1",
        "A--COMPILED-1",
        "../A-COMPILED-1",
        "A/B-COMPILED-1",
        "A'-COMPILED-1",
        "A" * 100 + "-COMPILED-1",
    ],
)
def test_malformed_references_are_usage_errors(text):
    with pytest.raises(UsageError):
        ModelReference.parse(text)


def test_a_reference_is_a_version_or_an_alias():
    with pytest.raises(UsageError, match="needs a version number or an alias"):
        ModelReference("A-TRAINED")
    with pytest.raises(UsageError, match="needs a version number or an alias"):
        ModelReference("A-TRAINED", version=1, alias="prod")


@pytest.mark.parametrize("version", [0, -1, 10**9])
def test_versions_count_from_one(version):
    with pytest.raises(UsageError, match=str(version)):
        ModelReference("A-TRAINED", version=version)


@pytest.mark.parametrize("alias", ["latest", "Latest", "1", "12", "v1", "V12"])
def test_reserved_aliases_cannot_be_given(alias):
    with pytest.raises(UsageError, match="reserved"):
        check_new_alias(alias)


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "é", "prod\n", "x" * 65])
def test_malformed_aliases_cannot_be_given(alias):
    with pytest.raises(UsageError, match="isn't an alias"):
        check_new_alias(alias)


@pytest.mark.parametrize("alias", ["dev", "stage", "prod", "v1a", "2026-11-21", "x" * 64])
def test_aliases_that_can_be_given(alias):
    assert check_new_alias(alias) == alias


@given(names)
def test_model_names(name):
    assert check_model_name(name) == name
