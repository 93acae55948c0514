"""Base models by address: a Hugging Face repository, an installed package, or a folder."""

import importlib.metadata
import importlib.util
import logging
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from mesh.core.card import BaseModelSource
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError
from mesh.core.files import safe_path
from mesh.core.manifest import FileEntry, Manifest

logger = logging.getLogger(__name__)

MODEL_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
"""The files of a model: configuration, vocabulary and weights; never pickles or code."""

_HUB = re.compile(r"hf://(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
_PACKAGE = re.compile(r"package://(?P<package>[A-Za-z_]\w*)(/(?P<folder>.+))?")


@dataclass(frozen=True)
class BaseModel:
    """A base model on the local disk: its source, its folder and its files."""

    source: BaseModelSource
    folder: Path
    files: tuple[str, ...]

    def copy_to(self, directory: Path) -> None:
        """Copy the model's files into a directory."""
        for name in self.files:
            target = safe_path(directory, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / name, target)


def resolve_base_model(address: str, *, download: bool = True) -> BaseModel:
    """Find a base model, downloading it if it is on the hub.

    Args:
        address: `hf://org/name@revision`, `package://module/folder` or the path of a folder.
        download: whether to call the hub; otherwise only earlier downloads are found.

    Raises:
        MeshError: the address is malformed, the model doesn't exist or can't be reached, or it has
            no safetensors weights.
    """
    revision: str | None
    if address.startswith("hf://"):
        folder, revision = _from_hub(address, download=download)
    elif address.startswith("package://"):
        folder, revision = _from_package(address)
    elif "://" in address:
        raise MeshError(
            f"{address!r} is not the address of a base model: use hf://org/name@revision, "
            "package://module/folder or a folder."
        )
    else:
        folder, revision = Path(address), None
    files = _model_files(folder, address)
    entries = tuple(
        FileEntry(path=name, size=(folder / name).stat().st_size, sha256=sha256_file(folder / name))
        for name in files
    )
    return BaseModel(
        BaseModelSource(uri=address, revision=revision, digest=Manifest(files=entries).digest),
        folder,
        files,
    )


def _model_files(folder: Path, address: str) -> tuple[str, ...]:
    if not folder.is_dir():
        raise MeshError(f"The base model {address} doesn't exist: {folder} isn't a folder.")
    _check_links(folder, address)
    files = sorted(
        {
            path.relative_to(folder).as_posix()
            for pattern in MODEL_FILES
            for path in folder.rglob(pattern)
            if path.is_file()
        }
    )
    if "config.json" not in files:
        raise MeshError(
            f"The base model {address} has no config.json, so it is not a transformers model."
        )
    if not any(name.endswith(".safetensors") for name in files):
        raise MeshError(
            f"The base model {address} has no weights in safetensors format; convert it first, "
            "pickled weights are not loaded."
        )
    return tuple(files)


def _check_links(folder: Path, address: str) -> None:
    """Refuse links that hide files of a model; those to files are followed, as the hub has them."""
    for path in sorted(folder.rglob("*")):
        if not path.is_symlink() or path.is_file():
            continue
        if any(path.match(pattern) or any(path.glob(pattern)) for pattern in MODEL_FILES):
            reason = "a folder: put it in its place" if path.is_dir() else "nothing: repair it"
            raise MeshError(
                f"The base model {address} can't be used: {path} is a link to {path.readlink()}, which is "
                f"{reason}, or choose another base model."
            )


def _from_package(address: str) -> tuple[Path, str | None]:
    match = _PACKAGE.fullmatch(address)
    if match is None:
        raise MeshError(
            f"{address!r} is malformed: write package://module or package://module/folder."
        )
    package = match["package"]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MeshError(
            f"The package {package!r} of {address} is not installed; install it, or choose another "
            "base model."
        )
    root = Path(spec.submodule_search_locations[0])
    distributions = importlib.metadata.packages_distributions().get(package, [])
    revision = importlib.metadata.version(distributions[0]) if distributions else None
    return (safe_path(root, match["folder"]) if match["folder"] else root), revision


def _from_hub(address: str, *, download: bool) -> tuple[Path, str]:
    match = _HUB.fullmatch(address)
    if match is None:
        raise MeshError(
            f"{address!r} is malformed: write hf://organisation/name or "
            "hf://organisation/name@revision."
        )
    import huggingface_hub
    from huggingface_hub import errors

    if download:
        logger.info("downloading %s", address)
    try:
        folder = huggingface_hub.snapshot_download(
            match["repository"],
            revision=match["revision"],
            allow_patterns=list(MODEL_FILES),
            local_files_only=not download,
        )
    except errors.HFValidationError as error:
        raise MeshError(f"{address!r} is malformed: {error}") from error
    except errors.RevisionNotFoundError as error:
        raise MeshError(f"{address} has no revision {match['revision']!r}.") from error
    except errors.RepositoryNotFoundError as error:
        raise MeshError(
            f"{address} does not exist on the hub, or HF_TOKEN gives no access to it."
        ) from error
    except errors.LocalEntryNotFoundError as error:
        if not download:
            raise MeshError(f"{address} was not downloaded yet.") from error
        raise _unreachable(address, error) from error
    except (errors.HfHubHTTPError, errors.OfflineModeIsEnabled, OSError) as error:
        raise _unreachable(address, error) from error
    commit = Path(folder).name
    return Path(folder), commit


def _unreachable(address: str, error: Exception) -> MeshError:
    return MeshError(
        f"The hub can't be reached for {address} ({type(error).__name__}); "
        "check the network or HF_ENDPOINT, or name a local folder."
    )
