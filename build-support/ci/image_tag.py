"""Print the tag of the images that a run of CI builds, made from the repository's git tags.

image_tag.py pull_request RUN ATTEMPT   ci-<run>-<attempt>
image_tag.py merge_group RUN ATTEMPT    the same
image_tag.py push                       vYY.M.patch-pre.<sha>, with the tag of a release now
image_tag.py release                    vYY.M.patch, the first free one of this month
"""

import argparse
import datetime
import re
import subprocess
import sys
from collections.abc import Iterable

_RELEASE = re.compile(r"v(\d\d)\.(1?\d)\.(\d+)")


def next_release(tags: Iterable[str], day: datetime.date) -> str:
    """The release of a day's month that follows those in the tags; other tags are ignored."""
    month = (day.year % 100, day.month)
    patches = [
        int(found[3])
        for tag in tags
        if (found := _RELEASE.fullmatch(tag)) and (int(found[1]), int(found[2])) == month
    ]
    return f"v{day:%y}.{day.month}.{max(patches, default=-1) + 1}"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"image_tag.py: git {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


def _release(day: datetime.date) -> str:
    if _git("rev-parse", "--is-shallow-repository") == "true":
        sys.exit(
            "image_tag.py: this clone is shallow, so it may lack release tags; fetch all of it."
        )
    # A release that runs again on a released commit keeps its name.
    for tag in _git("tag", "--points-at", "HEAD").split():
        if _RELEASE.fullmatch(tag):
            return tag
    return next_release(_git("tag").split(), day)


def main(arguments: list[str]) -> str:
    """Make the tag that the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    today = datetime.datetime.now(datetime.UTC).date()
    parser.add_argument("--date", type=datetime.date.fromisoformat, default=today)
    parser.add_argument("event", choices=["pull_request", "merge_group", "push", "release"])
    parser.add_argument("run", type=int, nargs="?", default=0)
    parser.add_argument("attempt", type=int, nargs="?", default=1)
    options = parser.parse_args(arguments)
    if options.event in ("pull_request", "merge_group"):
        return f"ci-{options.run}-{options.attempt}"
    if options.event == "release":
        return _release(options.date)
    return f"{_release(options.date)}-pre.{_git('rev-parse', '--short=12', 'HEAD')}"


if __name__ == "__main__":
    print(main(sys.argv[1:]))
