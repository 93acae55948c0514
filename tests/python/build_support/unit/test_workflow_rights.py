"""What workflows may do: whose actions they run, with which permissions, and who gets credentials."""

import re

from build_support.unit.workflow_files import (
    ACTIONS,
    FOLDER,
    SCRIPTS,
    WORKFLOWS,
    jobs,
    load,
    steps,
    uses,
)

# GitHub's own, AWS's and Sigstore's.
OWNERS = ("actions", "aws-actions", "sigstore")
LOGIN = "aws-actions/configure-aws-credentials@"
PUSH = "./.github/actions/push"


def test_values_of_others_reach_scripts_as_environment_only() -> None:
    """An expression inside a script is replaced before bash reads it: a branch's name could be a command."""
    assert [name for name, script in SCRIPTS if "${{" in script] == []


def test_actions_are_pinned_to_commits() -> None:
    used = [
        line.strip().removeprefix("- ")
        for path in (*WORKFLOWS, *ACTIONS)
        for line in path.read_text().splitlines()
        if line.strip().removeprefix("- ").startswith("uses:") and "./" not in line
    ]

    assert used
    for line in used:
        owners = "|".join(OWNERS)
        pattern = rf"uses: ({owners})/[\w-]+@[0-9a-f]{{40}} # v\d+\.\d+\.\d+"
        assert re.fullmatch(pattern, line), line
    # One commit for each action.
    assert len(set(used)) == len({line.split("@")[0] for line in used})


def test_permissions_are_the_least() -> None:
    for path in WORKFLOWS:
        assert load(path)["permissions"] == {"contents": "read"}, path
    writers = {
        name
        for name, job in jobs()
        if "write"
        in {
            value
            for key, value in job.get("permissions", {}).items()
            if key not in ("id-token", "attestations")
        }
    }
    assert writers == {"release.yaml:release", "supply-chain.yaml:propose"}
    attesting = {name for name, job in jobs() if "attestations" in job.get("permissions", {})}
    assert {name for name, job in jobs() if uses(job, PUSH)} == {
        name for name in attesting if name.startswith("_images")
    }


def test_only_what_logs_in_has_an_identity() -> None:
    """What pushes images builds and tests none, so no test can ask for credentials."""
    with_identity = {
        name for name, job in jobs() if "steps" in job and "id-token" in job.get("permissions", {})
    }

    assert with_identity == {name for name, job in jobs() if uses(job, LOGIN) or uses(job, PUSH)}
    for name, job in jobs():
        if uses(job, PUSH):
            others = [step for step in job["steps"] if step.get("uses", "").startswith("./")]
            assert [step["uses"] for step in others] == [PUSH], name
            assert not [step for step in job["steps"] if "run" in step], name


def test_credentials_last_as_long_as_the_job() -> None:
    [of_push] = [
        step["with"]
        for name, step in steps()
        if name == "push" and step.get("uses", "").startswith(LOGIN)
    ]
    found = 0
    for name, job in jobs():
        logins = [step["with"] for step in job.get("steps", ()) if LOGIN in step.get("uses", "")]
        for given in [*logins, *([of_push] if uses(job, PUSH) else [])]:
            found += 1
            assert given["role-duration-seconds"] == job["timeout-minutes"] * 60, name
    assert found >= 5


def test_forks_get_no_credentials() -> None:
    """A pull request's code never runs where there are secrets or an identity."""
    workflow = load(FOLDER / "ci.yaml")
    assert set(workflow["on"]) == {"pull_request", "merge_group", "push"}
    for path in WORKFLOWS:
        assert not {"pull_request_target", "workflow_run"} & set(load(path)["on"]), path
    push = workflow["jobs"]["images"]["with"]["push"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in push
    assert "github.actor != 'dependabot[bot]'" in push
    for name in ("train", "compile"):
        assert "github.event_name == 'push'" in workflow["jobs"][name]["if"]
    for name in ("plan", "verify", "gate"):
        given = workflow["jobs"][name].get("permissions", {})
        assert "write" not in given.values(), name
        assert "secrets" not in str(workflow["jobs"][name]), name
    images = load(FOLDER / "_images.yaml")["jobs"]
    assert {name for name, job in images.items() if "permissions" in job} == {
        "push",
        "push-vendors",
    }
    assert images["push"]["if"] == "inputs.push && vars.IMAGE_REGISTRY != ''"


def test_code_is_checked_out_without_leaving_a_token() -> None:
    for name, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name


def test_secrets_are_named_one_by_one() -> None:
    """Never inherited as a whole, and only where they are used."""
    for name, job in jobs():
        assert job.get("secrets", {}) != "inherit", name
    for name, step in steps():
        assert "secrets." not in str(step.get("run", "")), name
