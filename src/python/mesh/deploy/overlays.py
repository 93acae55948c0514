"""The overlays: other controllers, other autoscalers, accelerators, a volume with models."""

from typing import Any

from mesh.deploy.base import (
    LEAST_REPLICAS,
    MOST_REPLICAS,
    QUEUE_DEPTH,
    QUEUED,
    Object,
    ingress,
    metadata,
)
from mesh.deploy.pod import PORT, pod, probe
from mesh.deploy.release import Release

CANARY_PERCENT = 10

PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"
"""Where Prometheus' operator has it, in the namespace `monitoring`."""

CLAIM = "mesh-models"
"""The claim of a volume that holds versions of models."""

GRPC_PORT = 8001

_TIMEOUT_SECONDS = 60
"""Of a request in KServe; Knative gives pods as long to end."""


def inference_service(release: Release) -> Object:
    """The InferenceService: a container of one's own that speaks the Open Inference Protocol.

    Its pods have no startup probe, grace period and topology, which Knative sets itself.
    """
    specification = pod(release, name="kserve-container", port_name="http1")
    [container] = specification["containers"]
    del container["startupProbe"]
    container["readinessProbe"] = probe("/v2/health/ready", 5, 3)
    # By this, KServe knows the protocol of a container.
    container["env"].append({"name": "PROTOCOL", "value": "v2"})
    described = metadata(release)
    mode = {"serving.kserve.io/deploymentMode": "Serverless"}
    described["annotations"] = {**mode, **described.get("annotations", {})}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": described,
        "spec": {
            "predictor": {
                "minReplicas": LEAST_REPLICAS,
                "maxReplicas": MOST_REPLICAS,
                "scaleMetric": "concurrency",
                "scaleTarget": QUEUED,
                "timeout": _TIMEOUT_SECONDS,
                **specification,
            }
        },
    }


def canary(release: Release) -> Object:
    """The change of an InferenceService that sends its newest version a part of the requests."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": release.name},
        "spec": {"predictor": {"canaryTrafficPercent": CANARY_PERCENT}},
    }


def scaled_object(release: Release) -> Object:
    """KEDA's ScaledObject: by all waiting requests, as Prometheus has them, or by the processor."""
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(release),
        "spec": {
            "scaleTargetRef": {"name": release.name},
            "minReplicaCount": LEAST_REPLICAS,
            "maxReplicaCount": MOST_REPLICAS,
            "triggers": [
                {
                    "type": "prometheus",
                    "metadata": {
                        "serverAddress": PROMETHEUS,
                        "query": f'sum({QUEUE_DEPTH}{{service="{release.name}"}})',
                        "threshold": f"{QUEUED}",
                    },
                },
                {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "80"}},
            ],
        },
    }


def no_autoscaler(release: Release) -> Object:
    """The change that takes the base's autoscaler away."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": release.name},
        "$patch": "delete",
    }


def accelerated(release: Release, *, resource: str, variant: str) -> Object:
    """The change that gives each pod a device, and takes the image for it.

    Args:
        resource: the name of the device in the cluster, which is also that of its nodes' taint.
        variant: what the tag of the image ends with.
    """
    container = {
        "name": "server",
        "image": release.image("serve", variant),
        "resources": {"requests": {resource: "1"}, "limits": {resource: "1"}},
    }
    toleration = {"key": resource, "operator": "Exists", "effect": "NoSchedule"}
    return _pod_change(release, {"containers": [container], "tolerations": [toleration]})


def from_claim(release: Release) -> Object:
    """The change that takes the model from a volume, to which nothing is written."""
    volume = {
        "name": "models",
        "emptyDir": None,
        "persistentVolumeClaim": {"claimName": CLAIM, "readOnly": True},
    }
    return _pod_change(
        release,
        {"initContainers": [{"name": "model", "$patch": "delete"}], "volumes": [volume]},
    )


def over_grpc(release: Release) -> dict[str, Object]:
    """The changes that open a port for gRPC, by the names of their files."""
    container = {
        "name": "server",
        "env": [{"name": "SERVE_GRPC_PORT", "value": f"{GRPC_PORT}"}],
        "ports": [{"name": "grpc", "containerPort": GRPC_PORT, "protocol": "TCP"}],
    }
    port = {
        "name": "grpc",
        "port": GRPC_PORT,
        "targetPort": "grpc",
        "protocol": "TCP",
        "appProtocol": "kubernetes.io/h2c",
    }
    named = {"metadata": {"name": release.name}}
    policy = {"ingress": ingress(PORT, GRPC_PORT)}
    return {
        "server": _pod_change(release, {"containers": [container]}),
        "service": {"apiVersion": "v1", "kind": "Service", **named, "spec": {"ports": [port]}},
        "network-policy": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            **named,
            "spec": policy,
        },
    }


def _pod_change(release: Release, specification: dict[str, Any]) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": release.name},
        "spec": {"template": {"spec": specification}},
    }
