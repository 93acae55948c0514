from pathlib import Path

import pytest
import yaml

from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project
from pipelines.plan import make_plan
from pipelines.settings import ImageSettings, PipelineSettings
from pipelines.specification import write_specification

MOODS = Project(name="moods", description="", port=1, steps=(*DATA_STEPS, *TRAINED_STEPS))
EXPECTED = Path(__file__).with_name("data_to_training.yaml")


def compiled(path: Path, **settings: object) -> str:
    chosen = PipelineSettings.model_validate({"project": "moods", **settings})
    write_specification(make_plan(MOODS, chosen, ImageSettings(registry="", tag="7")), path)
    return path.read_text()


def test_four_steps_compile_to_the_reviewed_file(tmp_path):
    """The compiled pipeline equals the reviewed `data_to_training.yaml`.

    After an intended change, store the new result there and review it.
    """
    text = compiled(
        tmp_path / "pipeline.yaml",
        run_containers=[4, 3, 2, 1],
        tag="dataset_v22",
        variables={"DATA_ROOT": "s3://bucket/data"},
    )
    assert yaml.safe_load(text) == yaml.safe_load(EXPECTED.read_text())


def test_seven_containers_run_one_after_another(tmp_path):
    text = compiled(tmp_path / "pipeline.yaml", run_containers=[*range(1, 8)], tag="dataset_v22")
    tasks = yaml.safe_load(text)["root"]["dag"]["tasks"]
    order = [name for name, task in tasks.items() if not task.get("dependentTasks")]
    while following := [n for n, t in tasks.items() if t.get("dependentTasks") == [order[-1]]]:
        order += following
    assert order == [
        "ingest",
        "register",
        "register-tag",
        "train",
        "compile-download",
        "compile-trace",
        "compile-validate",
        "compile-upload",
    ]


@pytest.mark.parametrize("caching", [False, True])
def test_caching_is_explicit_in_every_step(tmp_path, caching):
    text = compiled(tmp_path / "pipeline.yaml", run_containers=[1, 2], caching=caching)
    tasks = yaml.safe_load(text)["root"]["dag"]["tasks"].values()
    assert [task["cachingOptions"].get("enableCache", False) for task in tasks] == [caching] * 2


@pytest.mark.parametrize(
    ("target", "accelerator", "written"),
    [
        ("local", "", "nvidia.com/gpu"),
        ("kubeflow", "", "nvidia.com/gpu"),
        ("kubeflow", "amd.com/gpu", "amd.com/gpu"),
        ("vertex", "", "NVIDIA_TESLA_T4"),
        ("vertex", "NVIDIA_L4", "NVIDIA_L4"),
    ],
)
def test_gpus_are_requested_for_training_only(tmp_path, target, accelerator, written):
    text = compiled(
        tmp_path / "pipeline.yaml",
        run_containers=[1, 4],
        gpus=2,
        target=target,
        accelerator=accelerator,
    )
    specification, *_ = yaml.safe_load_all(text)
    executors = specification["deploymentSpec"]["executors"]
    assert "accelerator" not in executors["exec-ingest"]["container"]["resources"]
    command = executors["exec-train"]["container"]["command"]
    assert "--nproc-per-node=2" in command
    assert ("/dev/shm" in text) is (target == "kubeflow")
    accelerator = executors["exec-train"]["container"]["resources"]["accelerator"]
    assert (accelerator["resourceType"], accelerator["resourceCount"]) == (written, "2")


VALUES = {
    "COST": "$(USER) 5$$",
    "PLAIN": "$HOME $",
    "TEXT": "a: 'b'\n\"ä😀 # 1e3\r\t\u2028\x85",
    "ZERO": "0",
}


@pytest.mark.parametrize(
    ("target", "cost", "plain"),
    [
        ("local", "$(USER) 5$$", "$HOME $"),
        ("processes", "$(USER) 5$$", "$HOME $"),
        ("kubeflow", "$$(USER) 5$$$$", "$$HOME $$"),
        ("vertex", "$$(USER) 5$$$$", "$$HOME $$"),
    ],
)
def test_values_are_written_as_the_target_reads_them(tmp_path, target, cost, plain):
    text = compiled(
        tmp_path / "pipeline.yaml", run_containers=[1, 4], target=target, variables=VALUES
    )
    for executor in yaml.safe_load(text)["deploymentSpec"]["executors"].values():
        environment = {item["name"]: item["value"] for item in executor["container"]["env"]}
        assert environment.items() >= (VALUES | {"COST": cost, "PLAIN": plain}).items()


def test_secrets_are_references_in_the_compiled_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "open-sesame")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "open-sesame")
    monkeypatch.setenv("MESH_REGISTRY_URI", "postgresql://mesh:open-sesame@host/models")
    text = compiled(
        tmp_path / "pipeline.yaml",
        run_containers=[1, 4],
        target="kubeflow",
        volume="shared",
        secrets={
            "MESH_REGISTRY_URI": "kubernetes://mesh/registry-uri",
            "HF_TOKEN": "projects/p/secrets/hub/versions/3",
        },
    )
    assert "open-sesame" not in text
    pipeline, platform = yaml.safe_load_all(text)
    environment = {
        variable["name"]: variable["value"]
        for variable in pipeline["deploymentSpec"]["executors"]["exec-train"]["container"]["env"]
    }
    assert environment["MESH_SECRETS"] == '{"HF_TOKEN": "projects/p/secrets/hub/versions/3"}'
    assert "MESH_REGISTRY_URI" not in environment
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for executor in executors.values():
        [secret] = executor["secretAsEnv"]
        assert secret["secretName"] == "mesh"
        assert secret["keyToEnv"] == [{"envVar": "MESH_REGISTRY_URI", "secretKey": "registry-uri"}]
        [mounted] = executor["pvcMount"]
        assert (mounted["constant"], mounted["mountPath"]) == ("shared", "/workspace/outputs")
