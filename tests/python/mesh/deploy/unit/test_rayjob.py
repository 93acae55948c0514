"""The RayJob of a backfill: KubeRay's schema takes it, and what is in it.

rayjob_schema.json has the fields that the jobs have, as the definition of KubeRay declares them.
"""

import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import CODE_ONLY_STEPS, Project
from mesh.deploy import rayjob
from mesh.deploy.rayjob import Cluster, ray_version, write_ray_job
from mesh.deploy.release import Release
from mesh.registry.base import ModelRegistry

SCHEMA = json.loads((Path(__file__).parent / "rayjob_schema.json").read_text())
KEYWORDS = Project(name="keywords", description="", port=1)
CODE = Project(name="code-only", description="", port=1, kind="code-only", steps=CODE_ONLY_STEPS)
FLAGS = ("--input", "s3://news/*.parquet", "--output=s3://out/keywords", "--text", "it's $(HOME)")
LOCK = "other==1.0\nray==2.60.0 \\\n    --hash=sha256:0\n"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a lock; no variable has a setting of a backfill."""
    lock = tmp_path / "repository/3rdparty/python/serving.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(LOCK)
    monkeypatch.setattr(rayjob, "source_root", lambda: tmp_path / "repository/src/python")
    monkeypatch.setenv("MESH_CODE_REVISION", "abc")
    monkeypatch.delenv("BACKFILL_INPUT", raising=False)
    return tmp_path / "repository"


@pytest.fixture
def release(measured_version: ModelRegistry) -> Release:
    version = measured_version.get("KEYWORDS-COMPILED:prod")
    return Release(
        project=KEYWORDS, name="news", image_registry="r.io/a", image_tag="7", version=version
    )


def written(
    release: Release, folder: Path, cluster: Cluster | None = None, flags: tuple[str, ...] = FLAGS
) -> Any:
    path = folder / "job.yaml"
    write_ray_job(path, release, cluster or Cluster(), flags)
    job = YAML(typ="safe").load(path)
    jsonschema.validate(job, SCHEMA)
    return job


def pods(job: Any) -> tuple[Any, Any]:
    """The pod of the head and that of the workers."""
    cluster = job["spec"]["rayClusterSpec"]
    [workers] = cluster["workerGroupSpecs"]
    return cluster["headGroupSpec"]["template"]["spec"], workers["template"]["spec"]


def test_job_runs_the_step_with_its_flags(release: Release, tmp_path: Path) -> None:
    job = written(release, tmp_path)
    assert job["metadata"]["name"] == "news"
    assert job["metadata"]["annotations"] == {
        "org.mesh/code-revision": "abc",
        "org.mesh/version": "KEYWORDS-COMPILED-7",
    }
    # Kubernetes takes $$ for $.
    words = shlex.split(job["spec"]["entrypoint"].replace("$$", "$"))
    assert words == [
        *("python", "-m", "mesh.core.start", "keywords.backfill", "backfill"),
        *(*FLAGS, "--ray=auto"),
    ]
    assert job["spec"]["rayClusterSpec"]["rayVersion"] == "2.60.0"


def test_pods_have_rights_resources_and_variables_of_a_backfill(
    release: Release, tmp_path: Path
) -> None:
    cluster = Cluster(
        least=0,
        most=50,
        cpus=16,
        memory="32Gi",
        gpus=2,
        service_account="reader",
        secrets=("buckets", "more"),
        grace_seconds=90,
    )
    job = written(release, tmp_path, cluster)
    [group] = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert (group["minReplicas"], group["replicas"], group["maxReplicas"]) == (0, 0, 50)
    head, workers = pods(job)
    asked = {"cpu": "16", "memory": "32Gi", "nvidia.com/gpu": "2"}
    assert workers["containers"][0]["resources"] == {"requests": asked, "limits": asked}
    assert "nvidia.com/gpu" not in head["containers"][0]["resources"]["limits"]
    for pod in (head, workers):
        assert pod["serviceAccountName"] == "reader"
        assert pod["terminationGracePeriodSeconds"] == 90
        [container] = pod["containers"]
        assert container["image"] == "r.io/a/keywords-backfill:7"
        assert [each["secretRef"]["name"] for each in container["envFrom"]] == ["buckets", "more"]
        variables = {each["name"]: each["value"] for each in container["env"]}
        assert variables["RAY_USAGE_STATS_ENABLED"] == "0"
        assert variables["MESH_WORKSPACE"] == "/workspace"
        assert variables["MESH_IMAGE"] == "r.io/a/keywords-backfill:7"
        rights = container["securityContext"]
        assert (rights["runAsUser"], rights["readOnlyRootFilesystem"]) == (10001, True)
        assert rights["capabilities"] == {"drop": ["ALL"]}


def test_cluster_grows_and_takes_no_stranger_s_commands(release: Release, tmp_path: Path) -> None:
    cluster = written(release, tmp_path)["spec"]["rayClusterSpec"]
    assert cluster["enableInTreeAutoscaling"] is True
    assert cluster["authOptions"] == {"mode": "token"}
    # Without an own service or ingress, nothing is reached from outside of the cluster.
    assert cluster["headGroupSpec"].keys() == {"rayStartParams", "template"}
    assert cluster["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}


def test_head_brings_the_model_by_its_number(release: Release, tmp_path: Path) -> None:
    head, workers = pods(written(release, tmp_path))
    [bringing] = head["initContainers"]
    assert bringing["args"] == ["serve:download", "--reference", "KEYWORDS-COMPILED-7"]
    assert bringing["envFrom"] == [{"secretRef": {"name": "mesh-registry"}}]
    volumes = {volume["name"] for volume in head["volumes"]}
    mounted = {mount["name"] for each in head["containers"] for mount in each["volumeMounts"]}
    assert mounted == volumes == {"tmp", "models"}
    # Ray sends it to them.
    assert "initContainers" not in workers


def test_code_alone_brings_nothing(tmp_path: Path) -> None:
    release = Release(project=CODE, name="code-only-backfill")
    job = written(release, tmp_path)
    head, _ = pods(job)
    assert "initContainers" not in head
    assert {volume["name"] for volume in head["volumes"]} == {"tmp"}
    assert "code_only.backfill backfill" in job["spec"]["entrypoint"]
    assert "org.mesh/version" not in job["metadata"]["annotations"]


INPUT, OUTPUT = ("--input", "s3://a/*.csv"), ("--output", "gs://b")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ((*INPUT,), "BACKFILL_OUTPUT is required"),
        (("--input=data/*.csv", *OUTPUT), r"data/\*.csv is on this machine, where no pod sees it"),
        ((*INPUT, "--output", "/out"), "/out is on this machine"),
        ((*INPUT, "--output", "file:///out"), "file:///out is on this machine"),
        ((*INPUT, *OUTPUT, "--ray", "local"), "leave --ray out"),
        ((*INPUT, *OUTPUT, "--ray=local"), "leave --ray out"),
        ((*INPUT, *OUTPUT, "--model-directory=x"), "leave --model-directory out"),
        (("--input", "https://ann:hidden@h/x.csv", *OUTPUT), r"ann:\*\*\*@h/x.csv holds a pass"),
        (("--input", "https://h/x.csv?sig=hidden", *OUTPUT), r"h/x.csv\?\*\*\* holds a pass"),
        ((*INPUT, *OUTPUT, "--shard-mb=0"), "BACKFILL_SHARD_MB"),
    ],
)
def test_flags_that_pods_can_not_have_are_one_sentence_and_no_file(
    release: Release, tmp_path: Path, flags: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        write_ray_job(tmp_path / "job.yaml", release, Cluster(), flags)
    assert "hidden" not in str(refused.value)
    assert not (tmp_path / "job.yaml").exists()


def test_settings_of_this_machine_are_not_left_behind_in_silence(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_INPUT", "s3://a/*.csv")
    with pytest.raises(UsageError, match="BACKFILL_INPUT is set here, where no pod sees it"):
        write_ray_job(tmp_path / "job.yaml", release, Cluster(), [*INPUT, *OUTPUT])


@pytest.mark.parametrize(
    ("lock", "version"),
    [("ray==2.60.0 \\\n", "2.60.0"), ("a==1\nray[default]==2.61.1 ; x\n", "2.61.1")],
)
def test_version_of_ray_is_that_of_the_lock(repository: Path, lock: str, version: str) -> None:
    (repository / "3rdparty/python/serving.lock").write_text(lock)
    assert ray_version() == version


def test_lock_without_ray_is_a_sentence(repository: Path) -> None:
    (repository / "3rdparty/python/serving.lock").write_text("xray==1.0\n")
    with pytest.raises(MeshError, match="has no line ray==..."):
        ray_version()
    (repository / "3rdparty/python/serving.lock").unlink()
    with pytest.raises(MeshError, match="can't be read: No such file"):
        ray_version()
