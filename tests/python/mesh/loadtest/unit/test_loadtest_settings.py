import pytest

from mesh.core.errors import UsageError
from mesh.core.settings import load_settings
from mesh.loadtest.settings import LoadSettings


def load(*flags: str) -> LoadSettings:
    settings: LoadSettings
    [settings] = load_settings([LoadSettings], flags=flags)
    return settings


def test_criteria_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "LOAD_CRITERIA",
        '[{"name": "requests_total", "threshold": 100, "ensure_lower": false, "endpoint_type": "GET",'
        ' "endpoint_url": "/v1/model/tiny/bio"}]',
    )
    [criterion] = load().criteria
    assert (criterion.threshold, criterion.ensure_lower, criterion.hard) == (100, False, True)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("LOAD_CRITERIA", '[{"name": "p99"}]', "LOAD_CRITERIA (0.name)='p99'"),
        ("LOAD_CRITERIA", "p99 < 5", "LOAD_CRITERIA"),
        ("LOAD_IMAGE_TAG", "../other", "the tag of an image is"),
        ("LOAD_IMAGE_TAG", "..", "the tag of an image is"),
        ("LOAD_URL", "127.0.0.1:8001", "LOAD_URL='127.0.0.1:8001'"),
        ("LOAD_URL", "http://server/v1/predict", "LOAD_URL="),
        ("LOAD_USERS", "0", "LOAD_USERS='0'"),
        ("LOAD_RUN_SECONDS", "-1", "LOAD_RUN_SECONDS='-1'"),
        ("LOAD_USER", "1", "did you mean LOAD_USERS?"),
    ],
)
def test_wrong_values_are_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError) as caught:
        load()
    assert sentence in str(caught.value)


def test_flags_have_the_names_of_the_variables() -> None:
    assert load("--users=3", "--image-tag=v1").image_tag == "v1"
