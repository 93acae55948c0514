"""Make the environment that an image copies: `environment.py deps|srcs [--option VALUE]`.

It runs as root in a stage of an image's build, on /deps.pex or /srcs.pex, and leaves /out/app: for
`deps` the packages, without what no program loads; for `srcs` the sources alone. Equal PEX files
make equal files, times and modes on every machine.
"""

import argparse
import compileall
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import Distribution, distributions
from pathlib import Path
from py_compile import PycInvalidationMode

SITE_PACKAGES = "lib/python3.11/site-packages"
UNUSED = (
    # For programs in C; the module for Python holds all of it itself.
    "onnxruntime/capi/libonnxruntime.so*",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    # OpenVINO's other devices, other formats than ONNX, tools, and reports of its use.
    "openvino/libs/*_gpu_plugin*",
    "openvino/libs/*_npu_plugin*",
    "openvino/libs/*_auto*_plugin*",
    "openvino/libs/*_hetero_plugin*",
    "openvino/libs/cache.json",
    "openvino/libs/*_gguf_frontend*",
    "openvino/libs/*_ir_frontend*",
    "openvino/libs/*_jax_frontend*",
    "openvino/libs/*_paddle_frontend*",
    "openvino/libs/*_pytorch_frontend*",
    "openvino/libs/*_tensorflow*_frontend*",
    "openvino/libs/libopenvino_c.*",
    "openvino/libs/libtbbmalloc*",
    "openvino/frontend/[jpt]*",
    "openvino/cmake",
    "openvino/tools",
    "openvino/torch",
    "openvino_telemetry",
    # Arrow's protocol for servers of tables; only pyarrow.flight loads it.
    "pyarrow/*flight*",
    # Programs that torch is tested with, and a compiler that nothing starts.
    "torch/bin/test_*",
    "torch/bin/protoc*",
    # Headers, for compiling extensions.
    "*/include",
    "*/_core/include",
)
"""What no program loads, as patterns below site-packages, besides folders of tests."""
TESTS = ("test", "tests")
ACCELERATOR = "/opt/accelerator"
"""The folder of an accelerator's packages in the image of its vendor."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def normalized(name: str) -> str:
    """The name of a distribution, as all spellings of it are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def found_distributions(site_packages: Path) -> dict[str, Distribution]:
    """The installed distributions by their normalized names."""
    found = distributions(path=[str(site_packages)])
    return {normalized(distribution.name): distribution for distribution in found}


def required(distribution: Distribution) -> set[str]:
    """The distributions that one requires, without extras."""
    names = (_NAME.match(text) for text in distribution.requires or () if "extra ==" not in text)
    return {normalized(name[0]) for name in names if name}


def unneeded(
    found: dict[str, Distribution], without: Iterable[str], direct: Collection[str]
) -> set[str]:
    """Unwanted distributions, and those that nothing else requires.

    Args:
        found: all distributions by name.
        without: names of unwanted ones.
        direct: names that programs import themselves.
    """
    gone = {normalized(name) for name in without}
    needs = {name: required(distribution) for name, distribution in found.items()}
    while True:
        left = found.keys() - gone
        kept = {*direct, *(need for name in left for need in needs[name])}
        orphans = {need for name in gone & found.keys() for need in needs[name]} - kept - gone
        if not orphans & found.keys():
            return gone & found.keys()
        gone |= orphans


def modules(distribution: Distribution, site_packages: Path) -> set[str]:
    """The modules of a distribution: `torch`, or `google/protobuf` in a namespace."""
    found = set()
    for file in distribution.files or ():
        first, *others = file.parts
        if first in ("..", "__pycache__") or first.endswith((".dist-info", ".data")):
            continue
        namespace = others and not (site_packages / first / "__init__.py").exists()
        found.add("/".join(file.parts[: 2 if namespace else 1]))
    return found


def remove_distribution(distribution: Distribution, site_packages: Path) -> None:
    """Remove the files of a distribution, and the folders that it leaves empty."""
    for file in distribution.files or ():
        path = site_packages / file
        path.unlink(missing_ok=True)
        folder = path.parent
        while folder != site_packages and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def remove_unused(site_packages: Path) -> None:
    """Remove tests and what no program loads."""
    folders = (folder for name in TESTS for folder in site_packages.rglob(f"{name}/"))
    patterns = (path for pattern in UNUSED for path in site_packages.glob(pattern))
    for path in [*folders, *patterns]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def strip(site_packages: Path) -> None:
    """Remove symbols that only debuggers read from shared libraries, where that is possible."""
    libraries = [path for path in site_packages.rglob("*.so*") if is_library(path)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_strip, libraries))


def is_library(path: Path) -> bool:
    """Whether a file is an ELF object itself."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _strip(library: Path) -> None:
    """Strip a library, unless its loader would refuse the outcome."""
    stripped = library.with_name(f"{library.name}.stripped")
    command = ["strip", "--strip-unneeded", "-o", str(stripped), str(library)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode == 0 and is_aligned(stripped):
        stripped.replace(library)
    else:
        print(f"environment.py: {library} keeps its symbols. {result.stderr.strip()}")
        stripped.unlink(missing_ok=True)


def is_aligned(library: Path) -> bool:
    """Whether each segment's place in the file and in memory agree, as the loader requires."""
    command = ["readelf", "--program-headers", "--wide", str(library)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    segments = [line.split() for line in result.stdout.splitlines() if line.split()[:1] == ["LOAD"]]
    return bool(segments) and all(
        (int(words[1], 16) - int(words[2], 16)) % int(words[-1], 16) == 0 for words in segments
    )


def digests(site_packages: Path) -> dict[str, str]:
    """The digest of each file, by its path below site-packages."""
    return {
        str(path.relative_to(site_packages)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in walk(site_packages)
        if path.is_file() and not path.is_symlink()
    }


def remove_shared(site_packages: Path, shared: dict[str, str]) -> None:
    """Remove the files that the core image has.

    Raises:
        SystemExit: a file of the core image is missing here, or differs.
    """
    here = digests(site_packages)
    if differing := sorted(path for path in shared if here.get(path) != shared[path]):
        raise SystemExit(
            "environment.py: the core image has packages that these programs don't import: "
            f"{', '.join(differing[:5])} and {len(differing)} files in all."
        )
    for path in shared:
        (site_packages / path).unlink()
    for folder in sorted(site_packages.rglob("*/"), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def remove_provided(site_packages: Path, provided: Collection[str]) -> None:
    """Remove the distributions whose modules an accelerator's folder has, and add that folder."""
    for distribution in found_distributions(site_packages).values():
        own = modules(distribution, site_packages)
        if own and own <= set(provided):
            remove_distribution(distribution, site_packages)
    (site_packages / "accelerator.pth").write_text(f"{ACCELERATOR}\n")


def walk(folder: Path) -> Iterator[Path]:
    """All files, links and folders in a folder."""
    for directory, folders, files in os.walk(folder):
        yield from (Path(directory) / name for name in [*folders, *files])


def make_equal(folder: Path) -> None:
    """Give a folder and all in it the times and modes that they have on every machine."""
    for path in [folder, *walk(folder)]:
        if not path.is_symlink():
            runnable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runnable else 0o644)
        os.utime(path, (0, 0), follow_symlinks=False)


def compile_all(site_packages: Path) -> None:
    """Write bytecode that holds no times; a module for a newer Python is left out."""
    compileall.compile_dir(
        site_packages,
        quiet=1,
        workers=0,
        rx=re.compile("py312_"),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scope", choices=["deps", "srcs"])
    parser.add_argument(
        "--without", action="append", default=[], help="a distribution to leave out"
    )
    parser.add_argument("--shared", type=Path, help="the list of the core image's files")
    parser.add_argument(
        "--list", action="store_true", help="list the files, for images on this one"
    )
    parser.add_argument("--provided", type=Path, help="the list of an accelerator's modules")
    options = parser.parse_args()
    pex, app = Path(f"/{options.scope}.pex"), Path("/app")
    site_packages = app / SITE_PACKAGES
    command = [sys.executable, f"{pex}/__main__.py", "venv", f"--scope={options.scope}", str(app)]
    tools = {"PEX_TOOLS": "1", "PEX_ROOT": "/pex"}
    subprocess.run(command, check=True, env={**os.environ, **tools})
    if options.scope == "deps":
        found = found_distributions(site_packages)
        requirements = json.loads((pex / "PEX-INFO").read_text())["requirements"]
        direct = {normalized(match[0]) for text in requirements if (match := _NAME.match(text))}
        for name in unneeded(found, options.without, direct):
            remove_distribution(found[name], site_packages)
        remove_unused(site_packages)
        if options.provided:
            remove_provided(site_packages, options.provided.read_text().split("\n"))
        strip(site_packages)
        if options.list:
            (app / "packages.json").write_text(json.dumps(digests(site_packages), sort_keys=True))
        if options.shared:
            remove_shared(site_packages, json.loads(options.shared.read_text()))
    else:
        # The rest of the environment comes with the packages.
        for path in app.iterdir():
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.name != "lib":
                shutil.rmtree(path)
    compile_all(site_packages)
    out = Path("/out")
    out.mkdir()
    app.rename(out / "app")
    make_equal(out)


if __name__ == "__main__":
    main()
