"""What compose is told by its files: images, ports, devices, and where variables go."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

FILES = ["compose", "registry.compose", "registry-proxy.compose"]
SETTINGS = {
    "PROJECT": "keywords",
    "MESH_REGISTRY_SERVER_DATABASE": "postgresql://db/models",
    "MESH_REGISTRY_SERVER_STORAGE": "s3://models",
    "REGISTRY_FILES": "/tmp",
}


def services_of(file: str) -> dict[str, Any]:
    """The services of a file of compose, by their names."""
    services: dict[str, Any] = YAML(typ="safe").load(Path(f"docker/{file}.yaml"))["services"]
    return services


@pytest.mark.parametrize("accelerator", ["cuda", "neuron"])
def test_accelerators_have_images_and_devices_for_steps_that_exist(accelerator: str) -> None:
    services = services_of("compose")
    added = services_of(f"{accelerator}.compose")

    assert added.keys() <= services.keys()
    for name, service in added.items():
        plain = services[name]["image"]
        assert service["image"].replace(":?name one", "") == plain.replace(
            ":?name one", ""
        ).replace(":${IMAGE_TAG", f"-{accelerator}:${{IMAGE_TAG"), name
    reserved = [
        service.get("devices") or service["deploy"]["resources"]["reservations"]["devices"]
        for service in added.values()
        if "devices" in service or "deploy" in service
    ]
    assert reserved


def test_only_what_talks_to_the_registry_gets_its_variables() -> None:
    services = services_of("compose")
    given = {
        name
        for name, service in services.items()
        if "${PASSED_ENV_FILE}" in service.get("env_file", ())
    }

    assert {"train", "download-model", "upload-model", "serve-download-model"} <= given
    assert not given & {"serve", "serve-unit", "serve-integration", "serve-functional"}
    # Of two files, the later one has the last word.
    for name in given:
        assert services[name]["env_file"][-1] == "${PASSED_ENV_FILE}", name


def test_every_program_but_tests_is_told_where_traces_go() -> None:
    services = services_of("compose")
    programs = {name: one for name, one in services.items() if "${PROJECT" in one["image"]}

    assert {"serve", "serve-load", "train", "backfill", "serve-unit"} <= programs.keys()
    for name, service in programs.items():
        assert "${TRACES_ENV_FILE}" in service["env_file"], name
        is_test = re.search("-(unit|integration|functional)$", name) is not None
        disabled = service.get("environment", {}).get("OTEL_SDK_DISABLED")
        assert disabled == ("true" if is_test else None), name


def published(folder: Path, file: str, **environment: str) -> dict[str, list[str]]:
    """The published ports of each service, as compose reads them; the file in either version."""
    plugin = ["docker", "compose"]
    has_plugin = (
        shutil.which("docker")
        and not subprocess.run([*plugin, "version"], check=False, capture_output=True).returncode
    )
    if not has_plugin and not shutil.which("docker-compose"):
        pytest.skip("there is neither docker-compose nor Docker's compose plugin")
    variables = set(re.findall(r"\$\{(\w+_ENV_FILE)\}", Path(f"docker/{file}.yaml").read_text()))
    for name in variables:
        (folder / name).touch()
    process = subprocess.run(
        [
            *(plugin if has_plugin else ["docker-compose"]),
            "--file",
            f"docker/{file}.yaml",
            "config",
        ],
        env={
            "PATH": os.environ["PATH"],
            **SETTINGS,
            **{name: str(folder / name) for name in variables},
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = {}
    for name, service in YAML(typ="safe").load(process.stdout)["services"].items():
        ports = [
            port if isinstance(port, str) else f"{port.get('host_ip', '')}:{port['published']}"
            for port in service.get("ports", [])
        ]
        if ports:
            found[name] = ports
    return found


@pytest.mark.parametrize(
    ("file", "service", "port"),
    [
        ("compose", "serve", "8000"),
        ("registry.compose", "registry", "5000"),
        ("registry-proxy.compose", "proxy", "5443"),
    ],
)
def test_ports_are_this_machine_s_unless_asked(
    tmp_path: Path, file: str, service: str, port: str
) -> None:
    for environment, address in (({}, "127.0.0.1"), ({"PUBLISH": "0.0.0.0"}, "0.0.0.0")):
        found = published(tmp_path, file, **environment)
        [own] = found.pop(service)
        assert own.startswith(f"{address}:{port}")
        # Those of the profile observe ask nobody who they are.
        assert found.keys() <= {"grafana", "prometheus"}
        assert all(one.startswith("127.0.0.1:") for ports in found.values() for one in ports)


def test_prometheus_scrapes_the_server_and_what_mesh_drift_writes() -> None:
    services = services_of("compose")
    jobs = YAML(typ="safe").load(Path("docker/observe/prometheus.yaml"))["scrape_configs"]
    targets = [
        target for job in jobs for each in job["static_configs"] for target in each["targets"]
    ]
    assert targets == ["serve:8000", "drift:9100"]
    assert services["prometheus"]["depends_on"].keys() == {"serve", "drift"}
    [mount] = services["drift"]["volumes"]
    outputs = "${WORKSPACE:-..}/outputs"
    assert mount == f"{outputs}:/outputs:ro"
    assert f"{outputs}:/workspace/outputs" in services["train"]["volumes"]
    assert "--collector.textfile.directory=/outputs/*/drift" in services["drift"]["command"]


@pytest.mark.parametrize("file", FILES)
def test_files_need_no_newer_compose(file: str) -> None:
    """Tags of its own, such as !reset, are known to compose 2.24 and newer."""
    text = Path(f"docker/{file}.yaml").read_text()

    YAML(typ="safe").load(text)
    assert not re.search(r"(^|\s)!\w", text)
