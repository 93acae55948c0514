from pathlib import Path

import pytest

from mesh.core.errors import UsageError
from mesh.core.project import CODE_ONLY_STEPS, DATA_STEPS, TRAINED_STEPS, Project
from mesh.core.settings import load_settings
from mesh.core.workspace import WorkspaceSettings
from pipelines.plan import ENTRY_POINT, Plan, make_plan
from pipelines.runner import passed_variables, run_kfp
from pipelines.settings import ImageSettings, PipelineSettings

MOODS = Project(name="moods", description="", port=1, steps=(*DATA_STEPS, *TRAINED_STEPS))
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1")
BASE_ONLY = Project(name="base-only", description="", port=1)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_ROOT", "MESH_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)


def read(*flags: str) -> PipelineSettings:
    (settings,) = load_settings([PipelineSettings], flags=["--project", "moods", *flags])
    assert isinstance(settings, PipelineSettings)
    return settings


def plan(*flags: str, project: Project = MOODS, registry: str = "") -> Plan:
    return make_plan(project, read(*flags), ImageSettings(registry=registry, tag="7"))


def test_steps_are_in_the_order_of_the_life_cycle_each_once():
    made = plan("-r", "5", "-r", "1", "-r", "3", "-r", "2", "-r", "1", "-t", "dataset_v22")
    assert [step.program for step in made.steps] == [
        "ingest:ingest",
        "register:register",
        "register:tag",
        "compile:download",
        "compile:trace",
    ]
    assert [step.name for step in made.steps] == [
        "ingest",
        "register",
        "register-tag",
        "compile-download",
        "compile-trace",
    ]


def test_project_has_a_default():
    (settings,) = load_settings([PipelineSettings], flags=["-r", "1"])
    assert isinstance(settings, PipelineSettings)
    assert settings.project == "sentiment"


def test_tag_reaches_the_steps_that_make_it_and_use_it():
    made = plan("-r", "2", "-r", "3", "-r", "4", "-t", "dataset_v22")
    assert [step.arguments for step in made.steps] == [
        ("register",),
        ("tag", "--tag", "dataset_v22"),
        ("train", "--data", "dataset_v22"),
    ]
    assert plan("-r", "4").steps[0].arguments == ("train",)


def test_image_component_and_gpus_are_those_of_the_step():
    steps = plan("-r", "1", "-r", "4", "--gpus", "2", registry="registry.example/team/").steps
    assert [step.image for step in steps] == [
        "registry.example/team/moods-ingest:7",
        "registry.example/team/moods-train:7",
    ]
    assert steps[1].command[-1] == "moods.train"
    assert [step.gpus for step in steps] == [0, 2]
    assert plan("-r", "7", project=BASE_ONLY).steps[0].command[-1] == "base_only.compile"


def test_backfill_comes_after_the_download_that_a_project_has():
    made = plan("-r", "8")
    assert [(step.name, step.image, step.command[-1], step.arguments) for step in made.steps] == [
        ("serve-download", "moods-compile:7", "moods.compile", ("serve:download",)),
        ("backfill", "moods-backfill:7", "moods.backfill", ("backfill",)),
    ]
    assert made.name == "moods-download-to-backfill"
    code_only = Project(name="code", description="", port=1, steps=CODE_ONLY_STEPS)
    assert [step.name for step in plan("-r", "8", project=code_only).steps] == ["backfill"]


def test_a_volume_holds_the_whole_workspace():
    made = plan("-r", "8", "--target", "kubeflow", "--volume", "shared")
    assert [step.environment["MESH_WORKSPACE"] for step in made.steps] == ["/workspace/outputs"] * 2
    own = '{"MESH_WORKSPACE": "/own"}'
    made = plan("-r", "7", "--target", "kubeflow", "--volume", "shared", "--variables", own)
    assert made.steps[0].environment["MESH_WORKSPACE"] == "/own"
    assert "MESH_WORKSPACE" not in plan("-r", "8").steps[0].environment


@pytest.mark.parametrize(
    ("gpus", "launcher"),
    [
        (0, ()),
        (1, ()),
        (2, (*TORCHRUN, "--nproc-per-node=2")),
        (8, (*TORCHRUN, "--nproc-per-node=8")),
    ],
)
def test_training_has_a_process_for_each_gpu(gpus, launcher):
    ingest, train = plan("-r", "1", "-r", "4", "--gpus", str(gpus)).steps
    assert train.python_arguments == (*launcher, "-m", "mesh.core.start", "moods.train")
    assert train.command == ("tini-static", "--", "python", *train.python_arguments)
    assert train.environment.get("TRAIN_DEVICE") == ("cuda" if gpus else None)
    assert ingest.command == (*ENTRY_POINT, "moods.ingest")
    assert "TRAIN_DEVICE" not in ingest.environment


def test_device_of_the_variables_comes_before_that_of_the_gpus():
    made = plan("-r", "4", "--gpus", "1", "--variables", '{"TRAIN_DEVICE": "auto"}')
    assert made.steps[0].environment["TRAIN_DEVICE"] == "auto"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("-r", "9"), "There is no container 9; there are: 1 ingest:ingest"),
        (("-r", "3"), "register:tag needs the tag"),
        (("-r", "1", "-t", "dataset_v1"), "Only containers 3 and 4 take a tag"),
        (("--run-containers", "[]"), "No container is chosen"),
        (("-r", "4", "--volume", "shared"), "only for the target kubeflow"),
        (
            ("-r", "4", "--secrets", '{"HF_TOKEN": "kubernetes://hub/token"}'),
            "HF_TOKEN is kept in Kubernetes",
        ),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(flags, sentence):
    with pytest.raises(UsageError, match=sentence):
        plan(*flags)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("-r", "1"), "base-only has no ingest:ingest"),
        (("-r", "4", "-t", "dataset_v1"), "base-only has no versions of data"),
    ],
)
def test_project_without_data_has_no_steps_for_it(flags, sentence):
    with pytest.raises(UsageError, match=sentence):
        plan(*flags, project=BASE_ONLY)


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        *((tag, "a tag is letters, digits") for tag in ("a/b", "a b", "-x", "x" * 64)),
        *((tag, "choose another tag") for tag in ("latest", "Latest", "22", "cafe")),
    ],
)
def test_malformed_or_reserved_tag_is_refused(tag, sentence):
    for container in ("3", "4"):
        with pytest.raises(UsageError, match=sentence):
            read("-r", container, f"--tag={tag}")


@pytest.mark.parametrize(
    "flags",
    [
        ("--variables", '{"WANDB_API_KEY": "open-sesame"}'),
        ("--variables", '{"MESH_REGISTRY_URI": "postgresql://mesh:open-sesame@host/models"}'),
        ("--secrets", '{"WANDB_API_KEY": "open-sesame"}'),
        ("--secrets", '{"WANDB_API_KEY": "projects/p/secrets/open-sesame"}'),
    ],
)
def test_secret_s_value_is_refused_and_not_shown(flags):
    with pytest.raises(UsageError) as refused:
        read("-r", "1", *flags)
    assert "open-sesame" not in str(refused.value)


def test_containers_here_get_the_caller_s_stores_and_credentials_but_nothing_else():
    environment = {
        "MESH_REGISTRY_URI": "sqlite:///x",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_PROFILE": "own",
        "DATA_ROOT": "s3://bucket",
        "BACKFILL_INPUT": "s3://bucket/*.parquet",
        "WANDB_API_KEY": "w",
        "HF_TOKEN": "",
        "PATH": "/bin",
    }
    assert passed_variables(environment, {"WANDB_API_KEY": "projects/p/secrets/s/versions/1"}) == {
        "MESH_REGISTRY_URI": "sqlite:///x",
        "AWS_ACCESS_KEY_ID": "a",
        "DATA_ROOT": "s3://bucket",
        "BACKFILL_INPUT": "s3://bucket/*.parquet",
        "WANDB_API_KEY": "w",
    }


@pytest.mark.parametrize(
    ("flags", "registry", "sentence"),
    [
        ((), "", "IMAGE_REGISTRY is required"),
        ((), "r", "DATA_ROOT and MESH_REGISTRY_URI must be in PIPELINE_VARIABLES"),
        (("--variables", '{"DATA_ROOT": "gs://b"}'), "r", "^MESH_REGISTRY_URI must be in"),
        (
            ("--variables", '{"DATA_ROOT": "gs://b", "MESH_REGISTRY_URI": "u"}', "-r", "5"),
            "r",
            "compile:download, compile:trace exchange files",
        ),
        (
            ("--variables", '{"DATA_ROOT": "gs://b", "MESH_REGISTRY_URI": "u"}', "-r", "8"),
            "r",
            "BACKFILL_INPUT and BACKFILL_OUTPUT must be in PIPELINE_VARIABLES",
        ),
        (
            ("--variables", '{"DATA_ROOT": "gs://b", "MESH_REGISTRY_URI": "u"}'),
            "r",
            "VERTEX_PROJECT is required",
        ),
    ],
)
def test_missing_settings_of_a_cloud_are_named_before_anything_is_written(
    tmp_path, monkeypatch, flags, registry, sentence
):
    monkeypatch.setattr("pipelines.runner.get_project", lambda name: MOODS)
    with pytest.raises(UsageError, match=sentence):
        run_kfp(
            read("-r", "1", "-r", "4", "--target", "vertex", *flags),
            ImageSettings(registry=registry),
            WorkspaceSettings(),
        )
    assert list(Path(tmp_path).iterdir()) == []
