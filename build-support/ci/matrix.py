"""Print the parts of a plan that ci.yaml's jobs need, as lines for GITHUB_OUTPUT: `matrix.py PLAN`.

checks    true or false
shards    JSON list of the shards of the tests, such as ["0/2", "1/2"]
images    JSON list of the parts with images to build or containers to test (image_parts.py)
vendors   JSON list of the parts on a vendor's base
train     JSON list of the projects to train
compile   JSON list of the projects to compile, with EC2 machines ("": GitHub's runner)
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from image_parts import parts, vendor_parts

# A shard needs some minutes for its environments before its first test.
TESTS_OF_A_SHARD = 40
MOST_SHARDS = 4
NEURON_MACHINE = "inf2.xlarge"


def shards(tests: int) -> list[str]:
    """Shards for a number of test targets, each as `./pants test --test-shard` takes it."""
    count = min(MOST_SHARDS, -(-tests // TESTS_OF_A_SHARD))
    return [f"{number}/{count}" for number in range(count)]


def machine(settings: str) -> str:
    """The EC2 machine for compiling, by the component's settings; empty if any machine will do."""
    pairs = [line.partition("=") for line in settings.splitlines() if not line.startswith("#")]
    backend = {name.strip(): value.strip() for name, _, value in pairs}.get("COMPILE_BACKEND")
    return NEURON_MACHINE if backend == "neuron" else ""


def project_of(item: Mapping[str, Any]) -> str:
    """The project of a plan's entry, which names the package, as images name it."""
    return str(item["target"]).replace("_", "-")


def _compile_settings(root: Path, project: str) -> str:
    """The text of the env file that compiles for production; none if all defaults hold."""
    file = root / "src/python" / project.replace("-", "_") / "compile/config/prod.env"
    return file.read_text() if file.exists() else ""


def jobs(root: Path, plan: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The outputs for the workflow's jobs."""
    compiled = [
        {
            "project": project_of(item),
            "machine": machine(_compile_settings(root, project_of(item))),
        }
        for item in plan["models"]
    ]
    return {
        "checks": bool(plan["checks"]),
        "shards": shards(len(plan["tests"])),
        "images": list(parts(root, plan)),
        "vendors": list(vendor_parts(plan)),
        "train": [project_of(item) for item in plan["models"] if item["first"] == "train:train"],
        "compile": compiled,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", type=Path, metavar="PLAN", help="written by plan --json")
    found = jobs(Path.cwd(), json.loads(parser.parse_args().plan.read_text()))
    for name, value in found.items():
        print(f"{name}={json.dumps(value)}")
