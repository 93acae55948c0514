"""Runs a plan: `run-plan FILE`."""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from planning.errors import PlanError
from planning.plan import ALL_CHECKS, PARTS, Plan
from planning.report import from_json

_SHARD = re.compile(r"(\d+)/([1-9]\d*)")


def commands(
    root: Path, plan: Plan, parts: Sequence[str], shard: str | None, scratch: Path
) -> Iterator[list[str]]:
    """The commands of some parts of a plan, in order; lists of targets are written into a folder."""
    for part in parts:
        items = plan.part(part)
        if not items:
            continue
        if part == "models":
            for item in items:
                program = ["./pants", "run", "src/python/mesh/cli:mesh", "--", "run", item.target]
                yield [*program, "--from", item.first or "train:train"]
            continue
        targets = scratch / part
        targets.write_text("".join(f"{item.target}\n" for item in items), encoding="utf-8")
        specs = f"--spec-files={targets}"
        if part == "checks":
            everything = items[0].target == ALL_CHECKS
            yield ["./pants", "checks"] if everything else ["./pants", specs, *_checks(root)]
        elif part == "tests":
            yield ["./pants", specs, "test", *([f"--test-shard={shard}"] if shard else [])]
        else:
            yield ["./pants", specs, "package"]


def _checks(root: Path) -> list[str]:
    """The goals of `./pants checks`, for some targets instead of all."""
    sections = tomllib.loads((root / "pants.toml").read_text(encoding="utf-8"))
    words = shlex.split(sections["cli"]["alias"]["checks"])
    return [
        word
        for word in words
        if word != ALL_CHECKS and not word.startswith("--filter-address-regex")
    ]


def run_plan(root: Path, plan: Plan, parts: Sequence[str] = PARTS, shard: str | None = None) -> int:
    """Run parts of a plan; after a failure, the others still run.

    Returns:
        The exit code: 1 if anything failed.
    """
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        for command in commands(root, plan, parts, shard, Path(scratch)):
            print(f"\n== {shlex.join(command)}", flush=True)
            started = time.monotonic()
            if subprocess.run(command, cwd=root).returncode:
                failed.append(shlex.join(command))
            print(f"== took {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        print("\n".join(f"failed: {line}" for line in failed), file=sys.stderr)
    return 1 if failed else 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that choose the parts of a plan."""
    parser.add_argument(
        "--only",
        metavar="PARTS",
        default=",".join(PARTS),
        help="some of %(default)s; all by default",
    )
    parser.add_argument("--shard", metavar="K/N", help="the K-th (from 0) of N parts of the tests")


def chosen(arguments: argparse.Namespace) -> list[str]:
    """The parts to run, in their order.

    Raises:
        PlanError: there is no such part or shard.
    """
    names = arguments.only.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise PlanError(f"A plan has no part {unknown[0]!r}; it has {', '.join(PARTS)}.")
    if arguments.shard:
        match = _SHARD.fullmatch(arguments.shard)
        if not match or int(match[1]) >= int(match[2]):
            raise PlanError(
                f"{arguments.shard!r} isn't a shard; write one such as 0/3, 1/3 or 2/3."
            )
    return [name for name in PARTS if name in names]


def main(root: Path, arguments: Sequence[str]) -> int:
    """Run a plan from a file.

    Raises:
        PlanError: the file holds no plan.
    """
    parser = argparse.ArgumentParser(prog="run-plan", description="Run a plan.")
    parser.add_argument("file", type=Path, help="written by plan --json")
    add_arguments(parser)
    parsed = parser.parse_args(arguments)
    parts = chosen(parsed)
    try:
        plan = from_json(json.loads(parsed.file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise PlanError(f"{parsed.file} can't be read as a plan: {error}") from error
    return run_plan(root, plan, parts, parsed.shard)
