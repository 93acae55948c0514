"""The forms of names in containers and Kubernetes, and values as Kubernetes reads them."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mesh.core import names

RIGHT = [
    (names.VARIABLE, "DATA_ROOT _x a1 X"),
    (names.TAG_OF_IMAGE, "7 latest v1.2-rc_3 _x " + 128 * "a"),
    (
        names.REGISTRY,
        "r team/sub registry.example localhost localhost:5000 Registry.Example:5000/a/b__c "
        "123.dkr.ecr.us-east-1.amazonaws.com us-docker.pkg.dev/team/images [::1]:5000/x registry:5000",
    ),
    (names.KUBERNETES_WORD, "a kubeflow team-1 9 " + 63 * "a"),
    (names.KUBERNETES_NAME, "a shared a.b-c.d 1 " + 253 * "a"),
    (names.KUBERNETES_KEY, "token registry-uri a.b_C .hidden " + 253 * "a"),
    (names.KUBERNETES_RESOURCE, "nvidia.com/gpu amd.com/gpu nvidia.com/mig-1g.5gb"),
]
# Separated by "|".
WRONG = [
    (names.VARIABLE, "|A-B|1A|A.B|A B|A=B|Ä|A\n|$A"),
    (names.TAG_OF_IMAGE, "|-a|.a|a/b|a:b|a b|a+b|ä|7\n|" + 129 * "a"),
    (
        names.REGISTRY,
        "https://r.example|r.example/Team|Team|a b|r/|/r|a//b|r:x/y|r@1|r.example/a..b|r.example/-a|"
        "r.example:5000:1|-r.example/a|r\n|r/a:1",
    ),
    (names.KUBERNETES_WORD, "|A|a.b|-a|a-|a_b|a\n|" + 64 * "a"),
    (names.KUBERNETES_NAME, "|A|a..b|-a|a.|a_b|a/b|a\n|" + 254 * "a"),
    (names.KUBERNETES_KEY, "|.|..|..a|a/b|a b|ä|" + 254 * "a"),
    (names.KUBERNETES_RESOURCE, "gpu|NVIDIA_TESLA_T4|nvidia.com/|/gpu|a_b/gpu|a/-"),
]


@pytest.mark.parametrize(("rule", "texts"), RIGHT)
def test_right_names_are_kept(rule: names.Rule, texts: str) -> None:
    for text in texts.split():
        assert rule.check(text) == text


@pytest.mark.parametrize(("rule", "texts"), WRONG)
def test_wrong_names_are_refused_in_words(rule: names.Rule, texts: str) -> None:
    for text in texts.split("|"):
        assert not rule.allows(text), text
        with pytest.raises(ValueError, match=re.escape(rule.words)):
            rule.check(text)


@pytest.mark.parametrize(
    ("reference", "right"),
    [
        ("kubernetes://hub/token", True),
        ("kubernetes://a.b/c_D.e", True),
        ("kubernetes://hub", False),
        ("kubernetes://hub/", False),
        ("kubernetes:///token", False),
        ("kubernetes://hub/a/b", False),
        ("https://hub/token", False),
        ("hub/token", False),
    ],
)
def test_references_to_secrets(reference: str, right: bool) -> None:
    assert names.is_kubernetes_secret(reference) == right


def expand(text: str, variables: Mapping[str, str]) -> str:
    """What a container gets for a value, by Kubernetes' rules: `$$` is `$`, `$(A)` what A is."""

    def replace(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return re.sub(r"\$(?:\$|\(([^)]*)\))", replace, text)


@given(st.text(st.sampled_from("$()UA {}.\n") | st.characters()))
@example("$(USER) 5$$")
@example("$$(USER)")
@example("$")
def test_values_survive_the_expansion_of_variables(value: str) -> None:
    written = names.written_for_kubernetes(value)
    assert expand(written, {"USER": "root", "U": "x", "A": "y", "": "z"}) == value


def test_values_that_no_process_can_have() -> None:
    assert names.can_be_value("ä😀\n\t$")
    assert not names.can_be_value("a\0b")
    assert not names.can_be_value("\ud800")
