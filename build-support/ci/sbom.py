"""Write what an image or a folder of packages is made of, as CycloneDX 1.6: `sbom.py image NAME FILE`.

    sbom.py image NAME FILE     the Python distributions and Debian packages in an image, with licences
    sbom.py folder PATH FILE    the Python distributions in a folder of packages

An image is read from its own files, whatever made them: the METADATA of distributions, dpkg's list,
and copyright files. A licence that isn't there is NOASSERTION. If the list of the system's packages
can't be read (an image that isn't Debian's), the document says that it is incomplete.
"""

import argparse
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote

from licence_names import NOASSERTION, is_expression, of_debian, of_python

_METADATA = re.compile(r"([^/]+?)-([^/-]+)[^/]*\.(?:dist-info/METADATA|egg-info/PKG-INFO)$")
_STATUS = "var/lib/dpkg/status"
_COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright$")
_DOCUMENTATION = re.compile(r"usr/share/doc/([^/]+)$")
_RELEASE = "usr/lib/os-release"


class SbomError(Exception):
    """An image that can't be read; the message is for people."""


@dataclass
class Contents:
    """What is read of an image: texts of files by path, and linked folders of documentation."""

    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def is_read(path: str) -> bool:
    """Whether a file tells what an image is made of."""
    return bool(path in (_STATUS, _RELEASE) or _METADATA.search(path) or _COPYRIGHT.match(path))


def read_archive(stream: IO[bytes]) -> Contents:
    """The contents of an image's file system, by `docker export`."""
    found = Contents()
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = str(PurePosixPath(member.name))
            if member.issym() and (folder := _DOCUMENTATION.match(path)):
                found.links[folder[1]] = PurePosixPath(member.linkname).name
            elif is_read(path) and (file := archive.extractfile(member)):
                found.files[path] = file.read().decode(errors="replace")
    return found


def read_image(name: str) -> Contents:
    """The contents of an image that docker has."""
    container = _docker("create", name).strip()
    try:
        command = ["docker", "export", container]
        with tempfile.TemporaryFile() as archive:
            if subprocess.run(command, stdout=archive, check=False).returncode:
                raise SbomError(f"docker can't export {name}, see above.")
            archive.seek(0)
            try:
                return read_archive(archive)
            except tarfile.TarError as error:
                raise SbomError(f"the files of {name} can't be read: {error}") from error
    finally:
        _docker("rm", container)


def read_folder(folder: Path) -> Contents:
    """The distributions in a folder."""
    paths = (path for path in folder.rglob("*") if is_read(path.relative_to(folder).as_posix()))
    return Contents(
        {path.relative_to(folder).as_posix(): path.read_text(errors="replace") for path in paths}
    )


def python_components(contents: Contents) -> Iterator[dict[str, Any]]:
    """The Python distributions, by where they are."""
    for path, text in sorted(contents.files.items()):
        if match := _METADATA.search(path):
            metadata = message_from_string(text)
            name, version = metadata.get("Name") or match[1], metadata.get("Version") or match[2]
            normalized = re.sub(r"[-_.]+", "-", name).lower()
            purl = f"pkg:pypi/{normalized}@{quote(version, safe='')}"
            folder = str(PurePosixPath(path).parent.parent)
            yield _component(name, version, purl, of_python(metadata), folder)


def debian_components(contents: Contents) -> Iterator[dict[str, Any]]:
    """The installed Debian packages, by dpkg's list."""
    release = dict(
        re.findall(r'^(\w+)="?([^"\n]*)', contents.files.get(_RELEASE, ""), re.MULTILINE)
    )
    distribution = f"{release.get('ID', 'debian')}-{release.get('VERSION_ID', 'unknown')}"
    stanzas = map(message_from_string, contents.files.get(_STATUS, "").split("\n\n"))
    installed = [one for one in stanzas if one.get("Status", "").split()[-1:] == ["installed"]]
    # A package may leave its copyright file to another one of the same source.
    of_source = {_source(entry): text for entry in installed if (text := _own(contents, entry))}
    for entry in installed:
        name, version, arch = entry["Package"], entry["Version"], entry["Architecture"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={arch}&distro={distribution}"
        text = _own(contents, entry) or of_source.get(_source(entry), "")
        yield _component(name, version, purl, of_debian(text), "var/lib/dpkg")


def _source(entry: Message) -> str:
    """The source package of an entry of dpkg's list; its version may follow."""
    return str(entry.get("Source", entry["Package"])).partition(" ")[0]


def _own(contents: Contents, entry: Message) -> str:
    """The copyright file of a package; empty if there is none."""
    name = entry["Package"]
    folder = contents.links.get(name, name)
    return contents.files.get(f"usr/share/doc/{folder}/copyright", "")


def _component(name: str, version: str, purl: str, licence: str, place: str) -> dict[str, Any]:
    """One entry of the list."""
    licences: list[dict[str, Any]] = [{"license": {"name": licence}}]
    if is_expression(licence):
        licences = [{"expression": licence}]
    return {
        "type": "library",
        "bom-ref": f"{purl}#{place}",
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": licences,
    }


def document(name: str, contents: Contents, properties: Mapping[str, str]) -> dict[str, Any]:
    """The CycloneDX document; the same contents make the same one.

    Args:
        name: the image, with registry and tag, or the folder.
        contents: what was read of it.
        properties: what else is known of it, such as its id.
    """
    # In one place, and with one version, a package is installed once.
    components = {
        entry["bom-ref"]: entry
        for entry in (*python_components(contents), *debian_components(contents))
    }
    identity = json.dumps([name, sorted(components), sorted(properties.items())])
    root = {
        "type": "container" if properties else "file",
        "bom-ref": "subject",
        "name": name,
        "properties": [{"name": key, "value": value} for key, value in properties.items()],
    }
    complete = not properties or _STATUS in contents.files
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {"component": root},
        "components": list(components.values()),
        "dependencies": [{"ref": "subject", "dependsOn": list(components)}],
        "compositions": [
            {
                "aggregate": "complete" if complete else "incomplete",
                "assemblies": ["subject"],
            }
        ],
    }


def of_image(name: str) -> dict[str, Any]:
    """The document of an image that docker has."""
    described = json.loads(_docker("image", "inspect", name))[0]
    labels = (described.get("Config") or {}).get("Labels") or {}
    revision = "org.opencontainers.image.revision"
    properties = {"docker:image:id": described["Id"]}
    if revision in labels:
        properties[revision] = labels[revision]
    return document(name, read_image(name), properties)


def without_licence(components: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the entries whose licence isn't known."""
    unknown = [{"license": {"name": NOASSERTION}}]
    return [entry["name"] for entry in components if entry["licenses"] == unknown]


def _docker(*arguments: str) -> str:
    command = ["docker", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SbomError(f"docker {arguments[0]} failed: {result.stderr.strip()}")
    return result.stdout


def main() -> None:
    """Write the document that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=["image", "folder"])
    parser.add_argument("subject", metavar="NAME", help="an image's name, or a folder")
    parser.add_argument("file", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.kind == "image":
        found = of_image(options.subject)
    elif Path(options.subject).is_dir():
        found = document(options.subject, read_folder(Path(options.subject)), {})
    else:
        raise SbomError(f"there is no folder {options.subject}.")
    options.file.write_text(json.dumps(found, indent=1) + "\n")
    unknown = without_licence(found["components"])
    print(
        f"sbom.py: {options.subject}: {len(found['components'])} packages, {len(unknown)} without a"
        " licence in their files"
    )


if __name__ == "__main__":
    try:
        main()
    except SbomError as error:
        sys.exit(f"sbom.py: {error}")
