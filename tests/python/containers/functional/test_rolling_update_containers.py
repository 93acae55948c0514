"""A rolling update in containers that have what the pods of a Deployment have."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from containers.functional.compose_project import docker, image, inspect, needs_images
from rolling_traffic import Switch, Traffic

pytestmark = needs_images("lsh")

UPDATES = 2
LAG_SECONDS = 2
"""How long the switch goes on with a server that ends; the manifest's delay is longer."""
# The manifests have mebibytes, Docker's sizes are binary.
SIZES = {"Mi": "m", "Gi": "g"}


class Pod:
    """A container with the arguments, settings, rights, limits and probes of a pod's."""

    def __init__(self, pod: dict[str, Any], name: str) -> None:
        [self._spec] = pod["containers"]
        self._grace_seconds = pod["terminationGracePeriodSeconds"]
        sizes = {one["name"]: size(one["emptyDir"]["sizeLimit"]) for one in pod["volumes"]}
        options = [
            *(
                word
                for one in self._spec["env"]
                for word in ("--env", f"{one['name']}={one['value']}")
            ),
            *(
                f"--tmpfs={one['mountPath']}:rw,size={sizes[one['name']]},mode=1777"
                for one in self._spec["volumeMounts"]
            ),
            *limits(self._spec["resources"]["limits"]),
            *rights(self._spec["securityContext"]),
        ]
        self.container = docker("run", "--detach", *options, name, *self._spec["args"]).strip()
        networks = inspect(self.container)["NetworkSettings"]["Networks"]
        [port] = self._spec["ports"]
        self.url = f"http://{networks['bridge']['IPAddress']}:{port['containerPort']}"

    def wait_until_started(self) -> None:
        probe = self._spec["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if self.passes("startupProbe"):
                return
            assert inspect(self.container)["State"]["Running"], docker("logs", self.container)
            time.sleep(probe["periodSeconds"])
        raise AssertionError(docker("logs", self.container))

    def passes(self, name: str) -> bool:
        probe = self._spec[name]
        path = probe["httpGet"]["path"]
        with contextlib.suppress(httpx.TransportError):
            response = httpx.get(self.url + path, timeout=probe["timeoutSeconds"], trust_env=False)
            return response.is_success
        return False

    def announce_end(self) -> None:
        docker("kill", "--signal", "TERM", self.container)

    def exit_code(self) -> int:
        """Wait for its end, no longer than the grace period: then it is killed."""
        docker("stop", "--time", f"{self._grace_seconds}", self.container)
        found: int = inspect(self.container)["State"]["ExitCode"]
        return found


def size(quantity: str) -> str:
    return quantity[:-2] + SIZES[quantity[-2:]]


def limits(found: dict[str, str]) -> list[str]:
    memory = size(found["memory"])
    # Without swap, as in most clusters.
    return [f"--cpus={found['cpu']}", f"--memory={memory}", f"--memory-swap={memory}"]


def rights(context: dict[str, Any]) -> list[str]:
    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]
    # Docker's own profile is that of RuntimeDefault.
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    return [
        "--read-only",
        "--security-opt=no-new-privileges",
        f"--user={context['runAsUser']}:{context['runAsGroup']}",
        *(f"--cap-drop={name}" for name in context["capabilities"]["drop"]),
    ]


@pytest.fixture
def pods() -> Iterator[list[Pod]]:
    started: list[Pod] = []
    yield started
    for pod in started:
        docker("rm", "--force", pod.container)


def example(url: str) -> tuple[str, Any]:
    """The path of predictions, and the request that the server's documentation shows."""
    path = "/v1/model/lsh/predict"
    operation = httpx.get(f"{url}/openapi.json", trust_env=False).json()["paths"][path]["post"]
    return path, operation["requestBody"]["content"]["application/json"]["example"]


def test_update_of_containers_loses_no_request(pods: list[Pod]) -> None:
    manifest = YAML(typ="safe").load(Path("deploy/lsh/base/deployment.yaml"))
    template = manifest["spec"]["template"]["spec"]
    name = image("lsh", "serve")

    def start() -> Pod:
        pods.append(Pod(template, name))
        pods[-1].wait_until_started()
        assert pods[-1].passes("readinessProbe")
        assert pods[-1].passes("livenessProbe")
        return pods[-1]

    ending = start()
    path, body = example(ending.url)
    expected = httpx.post(ending.url + path, json=body, trust_env=False).json()
    assert len(expected["outputs"]) == len(body["inputs"]), json.dumps(expected)
    with contextlib.closing(Switch()) as switch:
        switch.use([ending.url])
        traffic = Traffic(switch.url, path, body, lambda response: response == expected)
        try:
            for _ in range(UPDATES):
                starting = start()
                switch.use([ending.url, starting.url])
                ending.announce_end()
                time.sleep(LAG_SECONDS)
                assert not ending.passes("readinessProbe")
                switch.use([starting.url])
                assert ending.exit_code() == 0, docker("logs", ending.container)
                ending = starting
        finally:
            outcomes = traffic.end()
    assert outcomes.keys() == {"right"}, outcomes
    assert outcomes["right"] > 100
