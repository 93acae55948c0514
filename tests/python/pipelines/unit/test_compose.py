from pathlib import Path

import yaml

from pipelines.containers import CONTAINERS

SERVICES = yaml.safe_load(Path("docker/compose.yaml").read_text())["services"]


def test_compose_runs_the_same_programs_in_the_same_images():
    """Compose has a service for each step except tagging, which is `run --rm register tag ...`."""
    of_compose = {
        (
            service["image"].partition("${PROJECT")[2].partition("}-")[2].partition(":")[0],
            *service["command"],
        )
        for name, service in SERVICES.items()
        if "-unit" not in name and "-integration" not in name and "-functional" not in name
    }
    steps = [step for some in CONTAINERS.values() for step in some if not step.tag_needed]
    assert {(step.component, step.name) for step in steps} <= of_compose
