"""Start and stop an EC2 machine that runs one job of GitHub Actions.

runner.py start --name NAME --instance-type inf2.xlarge --image AMI --subnet S --security-group G
runner.py stop --name NAME

The name is also the label in the job's `runs-on`. `start` ends when GitHub sees the machine waiting
for work, or fails and terminates everything that it started. `stop` can be repeated, and needs only
the name. A machine also terminates itself when its job is done, and in any case after --minutes.

Needs the `aws` command with credentials, and in RUNNER_TOKEN a token that may administer GITHUB_REPOSITORY's runners.
"""

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_TAG = "mesh-runner"
# A machine gets its job by its name, and the name is part of a script that the machine runs.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_POLL_SECONDS = float(os.environ.get("RUNNER_POLL_SECONDS", "10"))
_ALIVE = ("pending", "running")
# Families of machines with AWS's own accelerators.
_NEURON = ("inf", "trn")


class RunnerError(Exception):
    """One sentence for a person."""


class GitHub:
    """The part of GitHub's REST API that administers a repository's runners."""

    def __init__(self, api: str, repository: str, token: str) -> None:
        self._root = f"{api.rstrip('/')}/repos/{repository}/actions/runners"
        self._token = token

    def call(self, method: str, path: str = "", body: object = None) -> Any:
        """Make one request; None if there is no body, or the thing to get or delete is gone."""
        request = urllib.request.Request(  # noqa: S310
            self._root + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                text = response.read()
        except urllib.error.HTTPError as error:
            if error.code == 404 and method in ("GET", "DELETE"):
                return None
            raise RunnerError(
                f"GitHub answered {error.code} to {method} {request.selector}."
            ) from None
        except OSError as error:
            raise RunnerError(f"GitHub can't be reached at {self._root}: {error}.") from None
        return json.loads(text) if text else None

    def register(self, name: str) -> tuple[int, str]:
        """The id of a new runner, and its configuration for a machine, valid for one job."""
        answer = self.call(
            "POST", "/generate-jitconfig", {"name": name, "runner_group_id": 1, "labels": [name]}
        )
        return answer["runner"]["id"], answer["encoded_jit_config"]

    def download(self) -> tuple[str, str]:
        """URL and SHA-256 of the runner's program for Linux on x86-64."""
        for file in self.call("GET", "/downloads") or []:
            if (file["os"], file["architecture"]) == ("linux", "x64") and file.get(
                "sha256_checksum"
            ):
                return file["download_url"], file["sha256_checksum"]
        raise RunnerError("GitHub offers no runner with a checksum for Linux on x86-64.")

    def is_online(self, runner: int) -> bool:
        """Whether a runner waits for work."""
        found = self.call("GET", f"/{runner}")
        return found is not None and found["status"] == "online"

    def unregister(self, name: str) -> None:
        """Remove a runner by name; a runner that did its job is gone already."""
        page = 1
        while runners := (self.call("GET", f"?per_page=100&page={page}") or {}).get("runners"):
            for runner in runners:
                if runner["name"] == name:
                    self.call("DELETE", f"/{runner['id']}")
                    return
            page += 1


def aws(*arguments: str) -> str:
    """Run the AWS CLI and return what it prints."""
    command = ["aws", "ec2", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RunnerError(f"aws ec2 {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def user_data(download: tuple[str, str], config: str, instance_type: str, minutes: int) -> str:
    """The script that the machine runs at its start, as root."""
    url, checksum = download
    needs = "compose neuron" if instance_type.startswith(_NEURON) else "compose"
    prepare = (Path(__file__).parent / "prepare-runner").read_text()
    return f"""#!/bin/bash
set -euo pipefail
# The instance terminates when it shuts down: after its job, after a failure here, and at its limit.
shutdown --poweroff +{minutes}
trap 'shutdown --poweroff now' EXIT
cat >/opt/prepare-runner <<'END_OF_PREPARE_RUNNER'
{prepare}END_OF_PREPARE_RUNNER
bash /opt/prepare-runner {needs}
useradd --create-home --groups docker runner
cd /home/runner
curl --silent --show-error --fail --location --retry 3 --output runner.tar.gz {shlex.quote(url)}
echo {shlex.quote(checksum + '  runner.tar.gz')} | sha256sum --check --quiet
tar --extract --gzip --file runner.tar.gz
./bin/installdependencies.sh
chown --recursive runner: .
# Not as an argument, which every process can read.
export ACTIONS_RUNNER_INPUT_JITCONFIG={shlex.quote(config)}
HOME=/home/runner runuser --user runner -- ./run.sh
"""


def find_instances(name: str) -> list[str]:
    """Instances of that name that still cost money."""
    found = aws(
        "describe-instances",
        "--filters",
        f"Name=tag:{_TAG},Values={name}",
        "Name=instance-state-name,Values=pending,running,stopping,stopped",
        "--query=Reservations[].Instances[].InstanceId",
        "--output=text",
    )
    return found.split()


def stop(github: GitHub, name: str) -> None:
    """Terminate the machine of that name, and remove it from GitHub; can be repeated."""
    instances = find_instances(name)
    if instances:
        aws("terminate-instances", "--instance-ids", *instances)
    github.unregister(name)
    print(f"runner.py: terminated {' '.join(instances) or 'nothing, there was no such machine'}")


def _launch(options: argparse.Namespace, script: str) -> str:
    # Not on the command line: the script holds the configuration of the runner.
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        return aws(
            "run-instances",
            f"--image-id={options.image}",
            f"--instance-type={options.instance_type}",
            f"--subnet-id={options.subnet}",
            f"--security-group-ids={options.security_group}",
            f"--user-data=file://{file.name}",
            # The same name can't start two machines.
            f"--client-token={options.name}",
            "--instance-initiated-shutdown-behavior=terminate",
            "--metadata-options=HttpTokens=required,HttpPutResponseHopLimit=1",
            f"--block-device-mappings=DeviceName=/dev/sda1,Ebs={{VolumeSize={options.disk},VolumeType=gp3,Encrypted=true}}",
            f"--tag-specifications=ResourceType=instance,Tags=[{{Key={_TAG},Value={options.name}}}]",
            "--query=Instances[0].InstanceId",
            "--output=text",
        )


def start(github: GitHub, options: argparse.Namespace) -> None:
    """Start a machine and wait until GitHub sees it."""
    download = github.download()
    runner, config = github.register(options.name)
    try:
        instance = _launch(
            options, user_data(download, config, options.instance_type, options.minutes)
        )
        print(f"runner.py: started {instance}, {options.instance_type}")
        deadline = time.monotonic() + options.wait
        while not github.is_online(runner):
            state = aws(
                "describe-instances",
                f"--instance-ids={instance}",
                "--query=Reservations[0].Instances[0].State.Name",
                "--output=text",
            )
            if state not in _ALIVE:
                raise RunnerError(
                    f"{instance} is {state} before it took a job; see its console output in EC2."
                )
            if time.monotonic() > deadline:
                raise RunnerError(
                    f"{instance} is {state}, but did not report to GitHub within {options.wait} s."
                )
            time.sleep(_POLL_SECONDS)
    except BaseException:
        stop(github, options.name)
        raise
    print(f"runner.py: {options.name} waits for its job")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    starting = verbs.add_parser("start")
    stopping = verbs.add_parser("stop")
    for verb in (starting, stopping):
        verb.add_argument("--name", required=True, help="lower-case letters, digits and hyphens")
    for option in ("--instance-type", "--image", "--subnet", "--security-group"):
        starting.add_argument(option, required=True)
    starting.add_argument("--disk", type=int, default=100, help="GiB (default: %(default)s)")
    starting.add_argument("--minutes", type=int, default=240, help="longest life (default: 240)")
    starting.add_argument("--wait", type=int, default=900, help="seconds to start (default: 900)")
    options = parser.parse_args(arguments)
    if not _NAME.fullmatch(options.name):
        parser.error(f"--name {options.name!r}: use lower-case letters, digits and hyphens")
    return options


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    options = parse(arguments)
    missing = [name for name in ("GITHUB_REPOSITORY", "RUNNER_TOKEN") if not os.environ.get(name)]
    if missing:
        raise RunnerError(f"set {' and '.join(missing)}.")
    github = GitHub(
        os.environ.get("GITHUB_API_URL", "https://api.github.com"),
        os.environ["GITHUB_REPOSITORY"],
        os.environ["RUNNER_TOKEN"],
    )
    # A cancelled job gets SIGINT or SIGTERM: both must clean up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.verb == "start":
        start(github, options)
    else:
        stop(github, options.name)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RunnerError as error:
        sys.exit(f"runner.py: {error}")
