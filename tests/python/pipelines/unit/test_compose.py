from pathlib import Path

import yaml

from pipelines.containers import CONTAINERS

SERVICES = yaml.safe_load(Path("docker/compose.yaml").read_text())["services"]


def test_compose_runs_the_same_programs_in_the_same_images():
    """Compose has a service for each step except tagging, which is `run --rm register tag ...`."""
    of_compose = set()
    for name, service in SERVICES.items():
        # The other images aren't the project's.
        if "${PROJECT" not in service["image"]:
            continue
        if "-unit" not in name and "-integration" not in name and "-functional" not in name:
            image = service["image"].partition("${PROJECT")[2].partition("}-")[2]
            # Either image brings a model.
            components = ("load", "compile") if image.startswith("${DOWNLOAD_COMPONENT") else None
            for component in components or (image.partition(":")[0],):
                of_compose.add((component, *service["command"]))
    steps = [step for some in CONTAINERS.values() for step in some if not step.tag_needed]
    assert {(step.component, step.name) for step in steps} <= of_compose
