"""Fail if a job failed or was cancelled: `gate.py --required plan`, with GitHub's `needs` object, as JSON, in NEEDS.

A skipped job had nothing to do; a required job must have succeeded.
"""

import argparse
import json
import os
import sys
from collections.abc import Collection, Mapping


def problems(results: Mapping[str, str], required: Collection[str]) -> list[str]:
    """One sentence for each job whose result is not acceptable."""
    found = [f"{job}: isn't among the jobs waited for" for job in required if job not in results]
    for job, result in results.items():
        accepted = {"success"} if job in required else {"success", "skipped"}
        if result not in accepted:
            found.append(f"{job}: {result}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--required", action="append", default=[], help="a job that must not be skipped"
    )
    required = parser.parse_args().required
    if not os.environ.get("NEEDS"):
        sys.exit("gate.py: set NEEDS to GitHub's `needs` object, as JSON.")
    results = {job: outcome["result"] for job, outcome in json.loads(os.environ["NEEDS"]).items()}
    for job, result in results.items():
        print(f"{result:10} {job}")
    if found := problems(results, required):
        sys.exit("\n".join(["gate.py: not passed:", *(f"  {problem}" for problem in found)]))
