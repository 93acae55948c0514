"""What is left out of an image's packages, on small folders."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import pytest


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "app/lib/python3.11/site-packages"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, *paths: str, content: str = "") -> None:
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def install(site: Path, name: str, *files: str, requires: tuple[str, ...] = ()) -> None:
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    write(site, *files)
    write(site, f"{info}/METADATA", content="\n".join(lines))
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/METADATA", f"{info}/RECORD"])
    write(site, f"{info}/RECORD", content=record)


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in environment.walk(folder) if path.is_file()}


def test_distribution_goes_with_what_it_alone_requires(site: Path) -> None:
    install(site, "Tokens", requires=("fetch_hub>=1", "yaml"))
    install(site, "fetch-hub", requires=("fast.net<2", "yaml", "click", 'colour; extra == "cli"'))
    install(site, "fast-net", requires=("certs",))
    install(site, "certs")
    install(site, "click")
    install(site, "yaml")
    install(site, "colour")
    found = environment.found_distributions(site)

    assert environment.unneeded(found, ["Fetch.Hub"], direct={"click", "tokens", "colour"}) == {
        "fetch-hub",
        "fast-net",
        "certs",
    }
    assert environment.unneeded(found, ["absent"], direct=set()) == set()


def test_removed_distribution_leaves_nothing(site: Path) -> None:
    install(site, "one", "one/__init__.py", "one/part/data.txt", "space/one/a.py")
    install(site, "two", "space/two/a.py")

    environment.remove_distribution(environment.found_distributions(site)["one"], site)

    assert not (site / "one").exists()
    assert {path.split("/")[0] for path in left(site)} == {"space", "two-1.0.dist-info"}
    assert not (site / "space/one").exists()


@pytest.mark.parametrize(
    ("path", "stays"),
    [
        ("numpy/lib/tests/test_io.py", False),
        ("joblib/test/test_hashing.py", False),
        ("sympy/tests/__init__.py", False),
        ("numpy/testing/__init__.py", True),
        ("werkzeug/test.py", True),
        ("contest/a.py", True),
        ("onnxruntime/capi/libonnxruntime.so.1.31.1", False),
        ("onnxruntime/capi/onnxruntime_pybind11_state.so", True),
        ("onnxruntime/tools/a.py", False),
        ("openvino/libs/libopenvino_intel_cpu_plugin.so", True),
        ("openvino/libs/libopenvino_intel_gpu_plugin.so", False),
        ("openvino/libs/libopenvino_onnx_frontend.so.2641", True),
        ("openvino/libs/libopenvino_pytorch_frontend.so.2641", False),
        ("openvino/frontend/frontend.py", True),
        ("openvino/frontend/pytorch/a.py", False),
        ("openvino/tools/ovc/a.py", False),
        ("openvino_telemetry/main.py", False),
        ("pyarrow/libarrow_flight.so.2600", False),
        ("pyarrow/libarrow.so.2600", True),
        ("torch/bin/torch_shm_manager", True),
        ("torch/bin/protoc-3.13", False),
        ("torch/include/ATen/a.h", False),
        ("numpy/_core/include/numpy/a.h", False),
        ("numpy-2.dist-info/licenses/numpy/_core/include/numpy/LICENSE", True),
    ],
)
def test_what_no_program_loads_is_removed(site: Path, path: str, stays: bool) -> None:
    write(site, path)

    environment.remove_unused(site)

    assert (site / path).exists() == stays


def test_only_the_core_image_s_files_are_removed(site: Path) -> None:
    write(site, "torch/a.py", "torch/b/c.py", content="shared")
    shared = environment.digests(site)
    write(site, "own/a.py")

    environment.remove_shared(site, shared)

    assert left(site) == {"own/a.py"}
    assert not (site / "torch").exists()


@pytest.mark.parametrize("change", ["missing", "other"])
def test_core_image_with_other_packages_is_refused(site: Path, change: str) -> None:
    write(site, "torch/a.py", "torch/b.py", content="shared")
    shared = environment.digests(site)
    (site / "torch/a.py").unlink()
    if change == "other":
        write(site, "torch/a.py", content="another")

    with pytest.raises(SystemExit, match=r"don't import: torch/a\.py and 1 files in all"):
        environment.remove_shared(site, shared)


def test_accelerator_s_packages_replace_an_image_s_own(site: Path) -> None:
    install(site, "torch", "torch/__init__.py", "functorch/__init__.py")
    install(site, "onnxruntime", "onnxruntime/__init__.py")
    install(site, "protobuf", "google/protobuf/__init__.py")
    install(site, "google-auth", "google/auth/__init__.py")
    provided = ["torch", "torch/lib", "functorch", "torch_neuronx", "google", "google/protobuf"]

    environment.remove_provided(site, provided)

    assert set(environment.found_distributions(site)) == {"onnxruntime", "google-auth"}
    assert (site / "accelerator.pth").read_text() == "/opt/accelerator\n"


@pytest.mark.skipif(shutil.which("strip") is None, reason="there is no strip on PATH")
def test_stripped_library_still_loads(site: Path) -> None:
    [library] = [
        path
        for path in map(Path, sys.path)
        for path in path.glob("_bz2.*.so")
        if environment.is_library(path)
    ][:1] or pytest.skip("this Python has its modules built in")
    shutil.copy(library, site / library.name)
    write(site, "text.so", content="GROUP ( libc.so )")

    environment.strip(site)

    assert left(site) == {library.name, "text.so"}
    assert (site / library.name).stat().st_size <= library.stat().st_size
    code = "import _bz2; print(_bz2.__file__)"
    command = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(site / library.name)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_are_equal_whatever_the_umask_and_the_clock(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write(tmp_path, "app/lib/a.py")
        write(tmp_path, "app/bin/run")
        (tmp_path / "app/bin/run").chmod(0o700)
        (tmp_path / "app/lib/link").symlink_to("a.py")
        os.utime(tmp_path / "app/lib/a.py", (mask, 10**9 + mask))
    finally:
        os.umask(before)

    environment.make_equal(tmp_path / "app")

    found = {
        str(path.relative_to(tmp_path)): (path.lstat().st_mode & 0o777, path.lstat().st_mtime)
        for path in [tmp_path / "app", *environment.walk(tmp_path / "app")]
        if not path.is_symlink()
    }
    assert found == {
        "app": (0o755, 0),
        "app/bin": (0o755, 0),
        "app/bin/run": (0o755, 0),
        "app/lib": (0o755, 0),
        "app/lib/a.py": (0o644, 0),
    }
    assert (tmp_path / "app/lib/link").lstat().st_mtime == 0


def test_bytecode_holds_no_times(site: Path) -> None:
    write(site, "a.py", content="x = {'one', 'two', 'three'}\n")
    environment.compile_all(site)
    [bytecode] = site.rglob("*.pyc")
    first = bytecode.read_bytes()
    os.utime(site / "a.py", (1, 1))
    bytecode.unlink()

    environment.compile_all(site)

    assert bytecode.read_bytes() == first
    assert json.dumps(list(first[4:8])) == "[1, 0, 0, 0]"
