"""The forms of names that the targets accept, and values as the targets read them."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines import rules

RIGHT = [
    (rules.VARIABLE, "DATA_ROOT _x a1 X"),
    (rules.TAG_OF_IMAGE, "7 latest v1.2-rc_3 _x " + 128 * "a"),
    (
        rules.REGISTRY,
        "r team/sub registry.example localhost localhost:5000 Registry.Example:5000/a/b__c "
        "123.dkr.ecr.us-east-1.amazonaws.com us-docker.pkg.dev/team/images [::1]:5000/x registry:5000",
    ),
    (rules.KUBERNETES_WORD, "a kubeflow team-1 9 " + 63 * "a"),
    (rules.KUBERNETES_NAME, "a shared a.b-c.d 1 " + 253 * "a"),
    (rules.KUBERNETES_KEY, "token registry-uri a.b_C .hidden " + 253 * "a"),
    (rules.KUBERNETES_RESOURCE, "nvidia.com/gpu amd.com/gpu nvidia.com/mig-1g.5gb"),
    (rules.KUBEFLOW_ENDPOINT, "http://127.0.0.1:80 https://kf.example/pipeline/ http://kf:8888"),
    (rules.KUBEFLOW_RUN, "r1 b05b1b0c-6d2a-4e2c-8a25-8fd3a0b5f0a1"),
    (rules.GOOGLE_PROJECT, "team team-1 example.com:team 123456"),
    (rules.GOOGLE_LOCATION, "us-central1 europe-west12 northamerica-northeast1 eu"),
    (rules.GOOGLE_FOLDER, "gs://abc gs://bucket/root gs://a.b_c-d/x/y%20z/ gs://" + 63 * "a"),
    (
        rules.GOOGLE_ACCOUNT,
        "pipelines@team.iam.gserviceaccount.com 12-compute@developer.gserviceaccount.com "
        "team@appspot.gserviceaccount.com",
    ),
    (
        rules.GOOGLE_SECRET,
        "projects/p/secrets/S_1/versions/3 projects/12/secrets/s/versions/latest",
    ),
    (rules.VERTEX_ACCELERATOR, "NVIDIA_TESLA_T4 NVIDIA_A100_80GB TPU_V3"),
    (rules.VERTEX_JOB, "moods-1 projects/1/locations/us-central1/pipelineJobs/moods-1"),
]
# Separated by "|".
WRONG = [
    (rules.VARIABLE, "|A-B|1A|A.B|A B|A=B|Ä|A\n|$A"),
    (rules.TAG_OF_IMAGE, "|-a|.a|a/b|a:b|a b|a+b|ä|7\n|" + 129 * "a"),
    (
        rules.REGISTRY,
        "https://r.example|r.example/Team|Team|a b|r/|/r|a//b|r:x/y|r@1|r.example/a..b|r.example/-a|"
        "r.example:5000:1|-r.example/a|r\n|r/a:1",
    ),
    (rules.KUBERNETES_WORD, "|A|a.b|-a|a-|a_b|a\n|" + 64 * "a"),
    (rules.KUBERNETES_NAME, "|A|a..b|-a|a.|a_b|a/b|a\n|" + 254 * "a"),
    (rules.KUBERNETES_KEY, "|.|..|..a|a/b|a b|ä|" + 254 * "a"),
    (rules.KUBERNETES_RESOURCE, "gpu|NVIDIA_TESLA_T4|nvidia.com/|/gpu|a_b/gpu|a/-"),
    (
        rules.KUBEFLOW_ENDPOINT,
        "|kf.example|ftp://kf|http://|http://a b|http://u:p@kf|http://kf?x=1|http://kf#x|"
        "http://kf:port|http://kf\n",
    ),
    (rules.KUBEFLOW_RUN, "|../x|a/b|a?b|-a|a b"),
    (rules.GOOGLE_PROJECT, "|Team|-team|team-|te am|t_1|" + 31 * "a"),
    (rules.GOOGLE_LOCATION, "|us central1|US-CENTRAL1|us-central1-a|global/x"),
    (
        rules.GOOGLE_FOLDER,
        "gs://|gs://ab|s3://bucket|bucket/root|gs://Bucket/x|gs://1.2.3.4/x|gs://my-google|"
        "gs://googx|gs://a_/x|gs:///x|gs://bucket/a\nb|xgs://bucket|gs://bucket/{{$.x}}|"
        "gs://" + 64 * "a",
    ),
    (rules.GOOGLE_ACCOUNT, "|a@b|a@example.com|@x.iam.gserviceaccount.com|runner"),
    (
        rules.GOOGLE_SECRET,
        "projects/p/secrets/s|projects/p/secrets/s/versions/0|secrets/s/versions/1|"
        "projects/P/secrets/s/versions/1|projects/p/secrets/s.t/versions/1|"
        "projects/p/secrets/s/versions/\u0661|projects/p/secrets/s/versions/old",
    ),
    (rules.VERTEX_ACCELERATOR, "nvidia.com/gpu|nvidia-tesla-t4|T4|NVIDIA|NVIDIA_"),
    (rules.VERTEX_JOB, "|Moods|projects/1/moods-1|a/b|1a|moods 1"),
]


@pytest.mark.parametrize(("rule", "texts"), RIGHT)
def test_right_names_are_kept(rule: rules.Rule, texts: str) -> None:
    for text in texts.split():
        assert rule.check(text) == text


@pytest.mark.parametrize(("rule", "texts"), WRONG)
def test_wrong_names_are_refused_in_words(rule: rules.Rule, texts: str) -> None:
    for text in texts.split("|"):
        assert not rule.allows(text), text
        with pytest.raises(ValueError, match=re.escape(rule.words)):
            rule.check(text)


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"team": "nlp"},
        {"a_b-1": "", "x": 63 * "1", 63 * "a": "_-"},
        {f"k{number}": "" for number in range(63)},
    ],
)
def test_right_labels(labels: dict[str, str]) -> None:
    rules.check_labels(labels)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"Team": "nlp"}, "'Team' can't be the key"),
        ({"": "nlp"}, "'' can't be the key"),
        ({"1a": "x"}, "'1a' can't be the key"),
        ({"a.b": "x"}, "can't be the key"),
        ({64 * "a": "x"}, "can't be the key"),
        ({"équipe": "x"}, "can't be the key"),
        ({"team": "NLP"}, "'NLP' can't be the value of the label team"),
        ({"team": "a b"}, "can't be the value"),
        ({"team": "x\n"}, "can't be the value"),
        ({"team": 64 * "a"}, "can't be the value"),
        ({"mesh-project": "other"}, "mesh-project is set to"),
        ({f"k{number}": "" for number in range(64)}, "64 labels at most"),
    ],
)
def test_wrong_labels(labels: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        rules.check_labels(labels)


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
    if "{{" in value:
        with pytest.raises(ValueError, match="placeholder"):
            rules.as_expanded(value)
    else:
        written = rules.as_expanded(value)
        assert expand(written, {"USER": "root", "U": "x", "A": "y", "": "z"}) == value


@pytest.mark.parametrize(
    "value",
    [
        "{{$.inputs.parameters['x']}}",
        "{{$.pipeline_job_uuid}}",
        "a {{workflow.name}} b",
        "$.inputs.parameters['x']",
        "$inputs.parameters['x']",
    ],
)
def test_placeholders_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="placeholder"):
        rules.as_expanded(value)


def test_values_that_no_process_can_have() -> None:
    assert rules.can_be_value("ä😀\n\t$")
    assert not rules.can_be_value("a\0b")
    assert not rules.can_be_value("\ud800")
