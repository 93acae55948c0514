"""The script `pants`, with interpreters in disguise and a package index of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pip_settings
import pytest
from pip_settings import TORCH_CPU_BUILDS, Sources, clean_environment, read_sources
from progress import BootstrapError

from build_support.unit.bootstrap_machine import Machine
from hostile_pip import SETTINGS, hostile_value, hostile_variable, write_hostile_file
from package_index import PackageIndex, pin


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.add_python("3.9")
    machine.add_python("3.11")
    return machine


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with an installation that was made under every hostile setting at once."""
    folder = tmp_path_factory.mktemp("installed")
    machine = Machine(folder)
    machine.add_python("3.9")
    machine.add_python("3.11")
    settings = {name: hostile_value(name, folder) for name in SETTINGS}
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    machine.add(folder / "hostile/pip/pip.conf", f"[global]\n{lines}")
    variables = dict(hostile_variable(name, folder) for name in SETTINGS)
    (folder / "constraints.txt").write_text("pex<1\npantsbuild.pants<1\n")
    code, out, err = machine.run(
        "test", "::", XDG_CONFIG_DIRS=str(folder / "hostile"), PYTHONPATH="/nowhere", **variables
    )
    assert code == 0, err
    assert out.splitlines()[0] == "started test ::"
    (folder / "first").write_text(err)
    return machine


def test_first_start_says_what_is_installed(installed: Machine) -> None:
    said = (installed.home.parent / "first").read_text()

    assert "this first start installs Pants (98 MB to download)" in said.splitlines()[0]
    assert "models: 2 packages" in said


def test_second_start_installs_nothing(installed: Machine) -> None:
    code, out, err = installed.run("list", "a b", "")

    assert (code, out.splitlines()[0], err) == (0, "started list a b ", "")


def test_where_pip_installs_from_reaches_pants(installed: Machine) -> None:
    _, out, _ = installed.run(
        "list", PIP_FIND_LINKS="/my/torch-wheels https://more", PIP_CERT="/my.pem", PIP_PROXY="http://p:1"
    )  # fmt: skip

    assert "PANTS_CA_CERTS_PATH=/my.pem" in out.splitlines()
    assert "PANTS_PYTHON_REPOS_FIND_LINKS=['/my/torch-wheels', 'https://more']" in out.splitlines()
    assert f"PANTS_PYTHON_REPOS_INDEXES=['{installed.index.address}']" in out.splitlines()
    added = "+['http_proxy=http://p:1', 'https_proxy=http://p:1']"
    assert f"PANTS_SUBPROCESS_ENVIRONMENT_ENV_VARS={added}" in out.splitlines()


def test_options_of_the_caller_come_first(installed: Machine) -> None:
    _, out, _ = installed.run("list", PANTS_PYTHON_REPOS_FIND_LINKS="[]")

    assert "PANTS_PYTHON_REPOS_FIND_LINKS=[]" in out.splitlines()


# What Pants' own launcher does, by its documentation, where pants.toml says `delegate_bootstrap`.
LAUNCHER = """#!/bin/bash
root=$PWD
while [[ ! -e $root/pants.toml ]]; do root=${root%/*}; done
while read -r line; do
    [[ $line != "delegate_bootstrap = true" ]] || exec "$root/pants" "$@"
done <"$root/pants.toml"
exit 99
"""


@pytest.mark.parametrize("folder", ["", "3rdparty/python"])
def test_launcher_of_pants_hands_over(installed: Machine, folder: str) -> None:
    shutil.copy("pants.toml", installed.root)
    launcher = installed.home / "launcher" / "pants"
    installed.add(launcher, LAUNCHER)

    started = subprocess.run(
        [launcher, "list", "::"],
        cwd=installed.root / folder,
        env=installed.environment,
        capture_output=True,
        text=True,
    )

    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("started list ::\n")


def test_exit_code_is_that_of_pants(installed: Machine) -> None:
    assert installed.run("list", EXIT_CODE="3")[0] == 3


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            "ERROR: No matching distribution found for torch==2.13.0+cpu",
            "lacks a package of the lock",
        ),
        ("NewConnectionError: Temporary failure in name resolution", "can't be reached"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "isn't the one in the lock"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
    ],
)
def test_failed_installation_is_explained_before_the_traceback(
    installed: Machine, message: str, sentence: str
) -> None:
    said = (
        "10:00:00.00 [INFO] Starting: Installing 3rdparty/python/models.lock for the resolve `x`\n"
        "10:00:09.00 [ERROR] 1 Exception encountered:\n\n"
        f"ProcessExecutionFailure: Process 'x' failed with exit code 1.\n{message}\n"
    )

    code, _, err = installed.run("list", SAY=said, EXIT_CODE="1")

    assert code == 1
    assert "models.lock has 2 packages" in err
    assert err.index(sentence) < err.index("[ERROR] 1 Exception") < err.index(message)


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_of_pip_changes_nothing(tmp_path: Path, name: str) -> None:
    index = PackageIndex(tmp_path / "index")
    (tmp_path / "lock").write_text(pin("tiny", "1.0", index.add_wheel("tiny", "1.0")))
    write_hostile_file(name, tmp_path, tmp_path / "xdg/pip/pip.conf")
    variable, value = hostile_variable(name, tmp_path)
    caller = {
        "XDG_CONFIG_DIRS": str(tmp_path / "xdg"),
        variable: value,
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    sources = Sources(index.address, [], [], "", "")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path / "to")]
    command += ["--require-hashes", "--requirement", str(tmp_path / "lock"), *sources.pip_flags()]

    with pytest.MonkeyPatch.context() as patch:
        for each in list(os.environ):
            patch.delenv(each)
        for each, text in caller.items():
            patch.setenv(each, text)
        environment = clean_environment(sources)
    subprocess.run(command, check=True, env=environment)

    assert (tmp_path / "to/tiny.py").exists()


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sources]:
    """Reads pip's configuration from files of a machine, and of a user, with these contents."""
    for variable in [name for name in os.environ if name.startswith(("PIP_", "XDG_", "VIRTUAL"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "etc"))
    monkeypatch.setattr(pip_settings, "ETC", str(tmp_path / "nothing"))

    def read(machine: str = "", user: str = "", **variables: str) -> Sources:
        for folder, text in (("etc/pip", machine), (".config/pip", user)):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "pip.conf").write_text(text)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return read_sources()

    return read


@pytest.mark.skipif(sys.platform != "linux", reason="pip looks elsewhere on other systems")
class TestConfigurationOfPip:
    def test_nearer_file_overrides(self, configured: Callable[..., Sources]) -> None:
        sources = configured(
            "[global]\nindex-url = https://machine\nproxy = http://p:1\n",
            "[global]\nindex-url = https://user:p%40ss@one/simple\n"
            "extra-index-url =\n  https://two\n  https://three\n[install]\ncert = ~/own.pem\n",
            PIP_FIND_LINKS="https://links relative",
        )

        assert sources.index == "https://user:p%40ss@one/simple"
        assert sources.extra_indexes == ["https://two", "https://three"]
        assert sources.find_links == ["https://links", os.path.abspath("relative")]
        assert sources.certificates == f"{os.environ['HOME']}/own.pem"
        assert sources.proxy == "http://p:1"

    def test_file_of_the_caller_takes_the_place_of_the_users(
        self, configured: Callable[..., Sources], tmp_path: Path
    ) -> None:
        own = tmp_path / "own.conf"
        own.write_text("[global]\nindex-url = https://own\n")
        texts = ("[global]\ncert = /machine.pem\n", "[global]\nproxy = http://p:1\n")

        sources = configured(*texts, PIP_CONFIG_FILE=str(own))
        assert (sources.index, sources.certificates, sources.proxy) == ("https://own", "/machine.pem", "")  # fmt: skip
        assert configured(*texts, PIP_CONFIG_FILE=os.devnull).certificates == ""

    def test_file_that_is_not_a_configuration_is_named(
        self, configured: Callable[..., Sources]
    ) -> None:
        with pytest.raises(BootstrapError, match=r"pip\.conf can't be read"):
            configured(user="index-url = https://no-section\n")

    def test_pip_finds_the_same(self, configured: Callable[..., Sources]) -> None:
        sources = configured(
            "[global]\nindex-url = https://machine\nfind_links = /a\n[install]\nproxy = http://p:1\n",
            "[global]\nfind-links = /b\n",
        )
        listed = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
        ).stdout  # fmt: skip

        for line in (f"index-url='{sources.index}'", f"find-links='{sources.find_links[0]}'"):
            assert line in listed
        assert f"install.proxy='{sources.proxy}'" in listed

    def test_torch_comes_from_configured_links_that_may_have_it(
        self, configured: Callable[..., Sources], tmp_path: Path
    ) -> None:
        folder = tmp_path / "wheels"
        folder.mkdir()

        assert configured(PIP_FIND_LINKS=str(folder)).torch_links() == [TORCH_CPU_BUILDS]
        (folder / "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl").touch()
        assert configured().torch_links() == []
        assert configured(PIP_FIND_LINKS="https://links").torch_links() == []


def test_shim_without_an_interpreter_is_passed_over(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.add(machine.bin / "python3.9", "#!/bin/bash\nexit 127\n")
    versions = machine.home / ".pyenv/versions"
    machine.add_python("3.9", versions / "3.9.18/bin/python")
    machine.add_python("3.11", versions / "3.11.7/bin/python")

    code, out, err = machine.run("list")

    assert code == 0, err
    assert f"PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH=['{versions}/3.11.7/bin']" in out


def test_machine_without_python_is_told_what_to_install(tmp_path: Path) -> None:
    code, out, err = Machine(tmp_path).run("list")

    assert (code, out) == (1, "")
    assert "found no Python 3. Install one with pip: on Debian and Ubuntu `apt-get" in err


@pytest.mark.parametrize(
    ("present", "missing"), [("3.11", "Python 3.9 or 3.8 or 3.7"), ("3.8", "Python 3.11")]
)
def test_missing_interpreter_is_named_where_uv_is_not_on_the_index(
    tmp_path: Path, present: str, missing: str
) -> None:
    machine = Machine(tmp_path)
    machine.add_python(present)

    code, out, err = machine.run("list")

    assert (code, out) == (1, "")
    sentence = err.splitlines()[-1]
    assert f"{missing} is needed" in sentence
    assert "Installing uv failed" in sentence
    assert "on Fedora" in sentence
    assert not list(machine.cache.glob("pants-*"))


def test_uv_brings_missing_interpreters(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.add_python("3.11")
    uv = """
import os, shutil, sys
target = os.environ["UV_PYTHON_INSTALL_DIR"] + "/cpython-3.9.1-here/bin"
os.makedirs(target)
shutil.copy(os.environ["STAND_IN"], target + "/python3")
"""
    stand_in = tmp_path / "stand-in"
    machine.add_python("3.9", stand_in)
    script = f"#!{os.path.realpath(sys.executable)}\n{uv}"
    line = machine.publish("uv", "0.13.8", {"uv-0.13.8.data/scripts/uv": script})
    (machine.root / "build-support/uv.lock").write_text(line)

    code, out, err = machine.run("list", STAND_IN=str(stand_in))

    assert code == 0, err
    assert out.startswith("started list")
    assert "it is installed from the package index" in err
    assert "uv installs Python 3.9 into" in err


@pytest.mark.parametrize("environment", [{"HOME": ""}, {"HOME": "", "XDG_CACHE_HOME": "relative"}])
def test_no_home_is_a_sentence(machine: Machine, environment: dict[str, str]) -> None:
    code, out, err = machine.run("list", **environment)

    assert (code, out) == (1, "")
    assert "HOME is not set; set it, or XDG_CACHE_HOME" in err


def test_cache_that_cannot_be_written_is_a_sentence(machine: Machine) -> None:
    (machine.home / ".cache").write_text("a file\n")

    code, _, err = machine.run("list")

    assert code == 1
    assert "can't be written" in err.splitlines()[-1]
    assert "XDG_CACHE_HOME" in err.splitlines()[-1]


def _says_first(process: "subprocess.Popen[str]") -> str:
    """Read what a process says until it waits for another or is at the gate."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "waiting for another" in line:
            return "waiting"
        if "at the gate" in line:
            return "installing"
    pytest.fail(f"ended without waiting: {said}")


@contextmanager
def installation_at_a_gate(machine: Machine) -> Iterator["subprocess.Popen[str]"]:
    """A start whose installation has begun and doesn't end by itself."""
    gate = machine.home / "gate"
    os.mkfifo(gate)
    with machine.start("list", GATE=str(gate)) as process:
        assert _says_first(process) == "installing"
        yield process


def test_killed_installation_is_repeated(machine: Machine) -> None:
    with installation_at_a_gate(machine) as process:
        os.killpg(process.pid, signal.SIGKILL)
    assert not list(machine.cache.glob("pants-*"))
    assert list(machine.cache.glob("building.*"))

    code, out, err = machine.run("list")

    assert (code, out.splitlines()[0]) == (0, "started list"), err
    assert not list(machine.cache.glob("building.*"))


def test_interrupted_installation_is_a_sentence(machine: Machine) -> None:
    with installation_at_a_gate(machine) as process:
        # As a terminal does.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=300)

    assert process.returncode == 130
    assert err == "./pants: interrupted; the next start begins again\n"
    assert machine.run("list")[0] == 0


def test_two_at_once_install_once(machine: Machine) -> None:
    gate = machine.home / "gate"
    os.mkfifo(gate)
    with (
        machine.start("first", GATE=str(gate)) as first,
        machine.start("second", GATE=str(gate)) as second,
    ):
        # Whichever of them is first.
        ended = []
        waiting = [each for each in (first, second) if _says_first(each) == "waiting"]
        assert len(waiting) == 1
        # Opened for both directions, a pipe does not wait for its reader.
        with open(os.open(gate, os.O_RDWR), "w") as opened:
            print("go on", file=opened, flush=True)
            for process in (first, second):
                out, _ = process.communicate(timeout=300)
                ended.append((process.returncode, out.splitlines()[0]))

    assert ended == [(0, "started first"), (0, "started second")]
