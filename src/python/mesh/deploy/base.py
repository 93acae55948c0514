"""The objects of the base: a Deployment and what belongs to it."""

from collections.abc import Mapping
from typing import Any

from mesh.deploy.pod import GRACE_SECONDS, PORT, pod
from mesh.deploy.release import Release
from mesh.serve.settings import ServeSettings

LEAST_REPLICAS = 2
MOST_REPLICAS = 10

QUEUED: int = ServeSettings.model_fields["max_batch"].default
"""Requests that wait in each replica on average, above which there are to be more: one batch."""

QUEUE_DEPTH = "inference_queue_depth"
"""The metric of the server that counts them."""

PROCESSOR_PERCENT = 80
"""Of the requested cores, likewise; it decides alone where no metrics of pods can be had."""

CALLERS = {"org.mesh/callers": "true"}
"""The label of other namespaces whose pods may call the server."""

_REGISTRY_PORTS: tuple[int, ...] = (443, 5000)

Object = Mapping[str, Any]


def metadata(release: Release) -> dict[str, Any]:
    """Name and labels of an object, and what is said of the version as annotations."""
    said = {f"org.mesh/{key}": value for key, value in release.annotations.items()}
    found = {"name": release.name, "labels": _labels(release)}
    return {**found, "annotations": said} if said else found


def _labels(release: Release) -> dict[str, str]:
    return {
        **selector(release),
        "app.kubernetes.io/component": "server",
        "app.kubernetes.io/part-of": "mesh",
    }


def selector(release: Release) -> dict[str, str]:
    """The label by which pods are found."""
    return {"app.kubernetes.io/name": release.name}


def deployment(release: Release) -> Object:
    """The Deployment; the autoscaler decides how many replicas it has.

    An update starts a new pod, and ends an old one when the new one is ready.
    """
    specification = pod(release) | {
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(release)},
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(release),
        "spec": {
            "selector": {"matchLabels": selector(release)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "revisionHistoryLimit": 3,
            "template": {"metadata": {"labels": _labels(release)}, "spec": specification},
        },
    }


def service(release: Release) -> Object:
    """The Service, on the same port as the server."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(release),
        "spec": {
            "selector": selector(release),
            "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def autoscaler(release: Release) -> Object:
    """The HorizontalPodAutoscaler: by waiting requests, and by the processor's load."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(release),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": release.name,
            },
            "minReplicas": LEAST_REPLICAS,
            "maxReplicas": MOST_REPLICAS,
            "metrics": [
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": QUEUE_DEPTH},
                        "target": {"type": "AverageValue", "averageValue": f"{QUEUED}"},
                    },
                },
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {
                            "type": "Utilization",
                            "averageUtilization": PROCESSOR_PERCENT,
                        },
                    },
                },
            ],
        },
    }


def disruption_budget(release: Release) -> Object:
    """The PodDisruptionBudget: drained nodes lose one pod at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(release),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector(release)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def network_policy(release: Release) -> Object:
    """The NetworkPolicy: who may call the server, and whom the pod may call."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(release),
        "spec": {
            "podSelector": {"matchLabels": selector(release)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress(PORT),
            "egress": _egress(release),
        },
    }


def ingress(*ports: int) -> list[dict[str, Any]]:
    """Who may call the server, on these ports."""
    return [
        {
            "from": [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": CALLERS}}],
            "ports": [{"protocol": "TCP", "port": port} for port in ports],
        }
    ]


def _egress(release: Release) -> list[dict[str, Any]]:
    """Names, the registry with its files, and the collector of traces, as far as they are needed."""
    called = [] if release.version is None else [_REGISTRY_PORTS]
    if release.traces:
        called.append((release.traces.port,))
    if not called:
        return []
    names = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    ports = [[{"protocol": "TCP", "port": port} for port in some] for some in called]
    return [{"ports": some} for some in (names, *ports)]


def service_monitor(release: Release) -> Object:
    """The ServiceMonitor, by which Prometheus' operator finds the metrics."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata(release),
        "spec": {
            "selector": {"matchLabels": selector(release)},
            "endpoints": [{"port": "http", "path": "/metrics", "interval": "15s"}],
        },
    }
