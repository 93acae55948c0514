"""The forms of names that the targets accept, and values as the targets read them."""

import re

import pytest

from mesh.core.names import Rule, written_for_kubernetes
from pipelines import rules

RIGHT = [
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
def test_right_names_are_kept(rule: Rule, texts: str) -> None:
    for text in texts.split():
        assert rule.check(text) == text


@pytest.mark.parametrize(("rule", "texts"), WRONG)
def test_wrong_names_are_refused_in_words(rule: Rule, texts: str) -> None:
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


@pytest.mark.parametrize("value", ["$(USER) 5$$", "", "{ {", "$.inputs"])
def test_values_are_written_as_kubernetes_reads_them(value: str) -> None:
    assert rules.as_expanded(value) == written_for_kubernetes(value)


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
