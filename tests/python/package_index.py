"""A package index in a folder, for tests that install; pip and uv read it by its URL."""

import base64
import hashlib
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path


class PackageIndex:
    """An index without packages at first.

    Args:
        folder: the folder of its pages and files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    @property
    def address(self) -> str:
        """What `--index-url` takes."""
        return self.folder.as_uri()

    def add_wheel(
        self,
        name: str,
        version: str,
        *,
        tag: str = "py3-none-any",
        requires: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> str:
        """Publish a wheel of files, or of one module with its version; return its SHA-256."""
        dist = f"{name.replace('-', '_').replace('.', '_')}-{version}"
        info = f"{dist}.dist-info"
        contents = {
            **(files or {f"{name.replace('-', '_')}.py": f"version = {version!r}\n"}),
            f"{info}/METADATA": _metadata(name, version, requires),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        record = "".join(f"{path},{_record(text)}\n" for path, text in contents.items())
        data = BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for path, text in {**contents, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
                entry = zipfile.ZipInfo(path)
                # Scripts are executable.
                entry.external_attr = 0o100755 << 16
                archive.writestr(entry, text)
        return self._publish(name, f"{dist}-{tag}.whl", data.getvalue())

    def add_sources(self, name: str, version: str) -> str:
        """Publish sources without a wheel; return their SHA-256."""
        dist = f"{name.replace('-', '_')}-{version}"
        contents = {
            "PKG-INFO": _metadata(name, version, ()),
            "pyproject.toml": f"[project]\nname = {name!r}\nversion = {version!r}\n",
        }
        data = BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as archive:
            for path, text in contents.items():
                entry = tarfile.TarInfo(f"{dist}/{path}")
                entry.size = len(text.encode())
                archive.addfile(entry, BytesIO(text.encode()))
        return self._publish(name, f"{dist}.tar.gz", data.getvalue())

    def _publish(self, name: str, file: str, data: bytes) -> str:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / file).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        with (folder / "index.html").open("a") as page:
            page.write(f'<a href="{file}#sha256={digest}">{file}</a>\n')
        return digest


def pin(name: str, version: str, digest: str) -> str:
    """A line of a lock file."""
    return f"{name}=={version} \\\n    --hash=sha256:{digest}\n"


def _metadata(name: str, version: str, requires: Sequence[str]) -> str:
    lines = [f"Requires-Dist: {requirement}\n" for requirement in requires]
    return f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n{''.join(lines)}"


def _record(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"sha256={digest},{len(text.encode())}"
