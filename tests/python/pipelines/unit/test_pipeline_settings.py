"""What is given is checked before anything is written, by the rules of the target."""

import json
from pathlib import Path

import pytest

from mesh.core.errors import UsageError
from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project
from mesh.core.settings import load_settings
from mesh.core.workspace import WorkspaceSettings
from pipelines.runner import run_kfp
from pipelines.settings import ImageSettings, PipelineSettings

MOODS = Project(name="moods", description="", port=1, steps=(*DATA_STEPS, *TRAINED_STEPS))


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipelines.runner.get_project", lambda name: MOODS)


def run(*flags: str) -> int:
    settings, images = load_settings([PipelineSettings, ImageSettings], flags=flags)
    return run_kfp(settings, images, WorkspaceSettings())


def compile_only(*flags: str) -> int:
    return run("-r", "4", "--compile-only", *flags)


@pytest.mark.parametrize(
    ("variable", "value", "target", "words"),
    [
        ("IMAGE_TAG", "a/b", "local", "the tag of an image"),
        ("IMAGE_TAG", "-x", "kubeflow", "the tag of an image"),
        ("IMAGE_REGISTRY", "https://registry.example", "local", "a registry is a host"),
        ("IMAGE_REGISTRY", "registry.example/Team", "vertex", "a registry is a host"),
        ("IMAGE_REGISTRY", "r/" + 250 * "a", "local", "IMAGE_REGISTRY is too long"),
        ("PIPELINE_VARIABLES", '{"A-B": "1"}', "local", "'A-B' can't be set"),
        ("PIPELINE_VARIABLES", '{"": "1"}', "vertex", "'' can't be set"),
        ("PIPELINE_VARIABLES", '{"MESH_IMAGE": "x"}', "local", "is set by the pipeline itself"),
        ("PIPELINE_VARIABLES", '{"A": "\\u0000"}', "local", "no variable can have"),
        ("PIPELINE_VARIABLES", '{"A": "\\ud800"}', "local", "no variable can have"),
        ("PIPELINE_VARIABLES", '{"A": "{{$.x}}"}', "vertex", "can't be given the value of A"),
        ("PIPELINE_VARIABLES", '{"A": "{{$.x}}"}', "kubeflow", "can't be given the value of A"),
        (
            "PIPELINE_SECRETS",
            '{"1A": "projects/p/secrets/s/versions/1"}',
            "vertex",
            "'1A' can't be set",
        ),
        (
            "PIPELINE_SECRETS",
            '{"A": "kubernetes://My_Secret/k"}',
            "kubeflow",
            "must be a reference",
        ),
        ("PIPELINE_SECRETS", '{"A": "kubernetes://s/k/l"}', "kubeflow", "must be a reference"),
        ("PIPELINE_VOLUME", "My_Claim", "kubeflow", "a name in Kubernetes"),
        ("VERTEX_LABELS", '{"Team": "nlp"}', "vertex", "'Team' can't be the key"),
        ("VERTEX_LABELS", '{"mesh-project": "x"}', "vertex", "mesh-project is set to"),
        ("VERTEX_PROJECT", "My Project", "vertex", "a Google Cloud project"),
        ("VERTEX_LOCATION", "us central", "vertex", "a location of Vertex AI"),
        ("VERTEX_PIPELINE_ROOT", "gs://Bucket/x", "vertex", "a folder of Cloud Storage"),
        ("VERTEX_SERVICE_ACCOUNT", "a@example.com", "vertex", "a service account of Google"),
        ("KUBEFLOW_ENDPOINT", "kf.example", "kubeflow", "the server's URL"),
        ("KUBEFLOW_NAMESPACE", "Team_1", "kubeflow", "a name in Kubernetes"),
        ("KUBEFLOW_SERVICE_ACCOUNT", "a@b", "kubeflow", "a name in Kubernetes"),
    ],
)
def test_wrong_name_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, target: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=words) as refused:
        compile_only("--target", target)
    assert variable in str(refused.value)
    assert list(Path().iterdir()) == []


def test_variable_that_is_also_a_secret_is_refused() -> None:
    with pytest.raises(UsageError, match="A is in PIPELINE_VARIABLES and in PIPELINE_SECRETS"):
        compile_only(
            "--variables",
            '{"A": "1"}',
            "--secrets",
            '{"A": "projects/p/secrets/s/versions/1"}',
        )


@pytest.mark.parametrize("target", ["local", "processes", "kubeflow", "vertex"])
def test_only_a_run_needs_the_settings_of_the_target(target: str) -> None:
    assert compile_only("--target", target) == 0
    assert Path("outputs/moods/pipeline/pipeline.yaml").exists()


@pytest.mark.parametrize(
    ("target", "accelerator", "words"),
    [
        ("vertex", "nvidia.com/gpu", "is not for the target vertex.*NVIDIA_TESLA_T4"),
        ("vertex", "nvidia-tesla-t4", "is not for the target vertex"),
        ("kubeflow", "NVIDIA_TESLA_T4", "is not for the target kubeflow.*nvidia.com/gpu"),
        ("kubeflow", "gpu", "is not for the target kubeflow"),
    ],
)
def test_accelerator_of_another_target_is_refused_if_it_is_used(
    target: str, accelerator: str, words: str
) -> None:
    flags = ("--target", target, "--accelerator", accelerator)
    with pytest.raises(UsageError, match=words):
        compile_only(*flags, "--gpus", "1")
    assert compile_only(*flags) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASS", "tram"),
        ("APIKEY", "tram"),
        ("PASSPHRASE", "tram"),
        ("AUTHORIZATION", "tram"),
        ("MYSQL_PWD", "tram"),
        ("githubToken", "tram"),
        ("SIGNING_KEY", "tram"),
        ("BROKER", "amqp://mesh:tram@queue/models"),
        ("PROXY", "http://mesh:tram@proxy:3128"),
        ("DATABASE", "host=db user=mesh password=tram"),
        ("CONNECTION", "Server=db;Uid=mesh;Pwd=tram;"),
        ("HOOK", "https://hooks.example/x?token=tram"),
        ("STORE", "https://store.example/x?sv=1&sig=tram"),
        ("HEADER", "Bearer tramtramtram"),
        ("CLOUD", "AKIA" + 16 * "A"),
    ],
)
def test_secret_in_plain_text_is_refused_by_name_or_form(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name} looks like a secret") as refused:
        compile_only("--variables", json.dumps({name: value}))
    assert "tram" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_TOKENS", "512"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("PASSWORD_FILE", "/run/password"),
        ("COMPASS", "north"),
        ("DATA_ROOT", "s3://bucket/data"),
        ("MESH_REGISTRY_URI", "https://registry.example/path"),
        ("TEMPLATE", "{a} = $5 (each)"),
    ],
)
def test_harmless_variable_is_written(name: str, value: str) -> None:
    assert compile_only("--variables", json.dumps({name: value})) == 0
    assert name in Path("outputs/moods/pipeline/pipeline.yaml").read_text()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--watch", "r1"), "needs the target of the run"),
        (("--watch", "r1", "--target", "processes"), "needs the target of the run"),
        (("--watch", "r1", "--target", "kubeflow", "-r", "1"), "remove -r"),
        (("--watch", "r1", "--target", "kubeflow", "--compile-only"), "remove -r"),
        (("--watch", "../x", "--target", "kubeflow"), "PIPELINE_WATCH=../x must be"),
        (("--watch", "a/b", "--target", "vertex"), "PIPELINE_WATCH=a/b must be"),
        (("--watch", "r1", "--target", "kubeflow"), "KUBEFLOW_ENDPOINT is required"),
        (("--target", "vertex"), "No container is chosen"),
    ],
)
def test_watched_run_must_be_named_with_its_target(flags: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(*flags)
    assert list(Path().iterdir()) == []
