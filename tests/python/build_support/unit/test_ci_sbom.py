"""What images are made of, with a `docker` that exports a file system of the test."""

import io
import json
import os
import subprocess
import sys
import tarfile
from email import message_from_string
from pathlib import Path
from typing import Any

import licence_names
import pytest
import sbom

STATUS = """Package: libc6
Source: glibc
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u13
Description: library
 with more lines

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libstdc++6
Status: install ok installed
Architecture: amd64
Version: 1:12.2.0-14

Package: libc-bin
Source: glibc (2.36)
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u13
"""
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: LGPL-2.1+

License: GPL-2+
 text

License: LGPL-2.1+
"""
SITE = "app/lib/python3.11/site-packages"
FILES = {
    "var/lib/dpkg/status": STATUS,
    "usr/lib/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "usr/share/doc/libc6/copyright": COPYRIGHT,
    "usr/share/doc/gcc-12-base/copyright": "Written by hand.\n",
    f"{SITE}/Torch_x-2.13.0+cpu.dist-info/METADATA": "Name: Torch_x\nVersion: 2.13.0+cpu\n"
    "License-Expression: BSD-3-Clause AND MIT\n\nText\nVersion: 9\n",
    f"{SITE}/odd-1.0.dist-info/METADATA": "\xff\n",
    f"{SITE}/odd/data.txt": "Name: none\n",
    "usr/lib/python3/dist-packages/old.egg-info/PKG-INFO": "Name: old\nVersion: 1\n",
    "usr/lib/python3/dist-packages/older-2.egg-info/PKG-INFO": "Name: older\nVersion: 2\n",
}


def archive(files: dict[str, str], links: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        for path, target in links.items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return made.getvalue()


def run(
    folder: Path, *arguments: str, content: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program beside a docker that exports the content."""
    links = {"usr/share/doc/libstdc++6": "gcc-12-base", "etc/localtime": "/usr/share/zone"}
    (folder / "image.tar").write_bytes(archive(FILES, links) if content is None else content)
    labels = {"org.opencontainers.image.revision": "abc-dirty", "other": "x"}
    inspected = json.dumps([{"Id": "sha256:12", "Config": {"Labels": labels}}])
    program = folder / "bin/docker"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"""#!/bin/bash
echo "$*" >>{folder}/commands
case "$*" in
    *missing*) echo "No such image: missing" >&2; exit 1 ;;
    create*) echo c1 ;;
    export*) cat {folder}/image.tar ;;
    "image inspect"*) echo '{inspected}' ;;
esac
""")
    program.chmod(0o755)
    return subprocess.run(
        [sys.executable, sbom.__file__, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def by_purl(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in document["components"]:
        [licence] = entry["licenses"]
        found[entry["purl"]] = licence.get("expression") or licence["license"]["name"]
    return found


def test_image_is_listed_with_licences(tmp_path: Path) -> None:
    process = run(tmp_path, "image", "registry/keywords-serve:v1", "made.json")

    assert process.returncode == 0, process.stderr
    document = json.loads((tmp_path / "made.json").read_text())
    debian = "?arch=amd64&distro=debian-12"
    assert by_purl(document) == {
        "pkg:pypi/torch-x@2.13.0%2Bcpu": "BSD-3-Clause AND MIT",
        "pkg:pypi/odd@1.0": "NOASSERTION",
        "pkg:pypi/older@2": "NOASSERTION",
        f"pkg:deb/debian/libc6@2.36-9%2Bdeb12u13{debian}": "GPL-2+ and LGPL-2.1+",
        # Of the same source.
        f"pkg:deb/debian/libc-bin@2.36-9%2Bdeb12u13{debian}": "GPL-2+ and LGPL-2.1+",
        f"pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14{debian}": "NOASSERTION",
    }
    subject = document["metadata"]["component"]
    assert (subject["type"], subject["name"]) == ("container", "registry/keywords-serve:v1")
    assert {entry["name"]: entry["value"] for entry in subject["properties"]} == {
        "docker:image:id": "sha256:12",
        "org.opencontainers.image.revision": "abc-dirty",
    }
    assert document["compositions"][0]["aggregate"] == "complete"
    references = [entry["bom-ref"] for entry in document["components"]]
    assert document["dependencies"] == [{"ref": "subject", "dependsOn": references}]
    assert "6 packages, 3 without a licence" in process.stdout
    # The container is removed.
    commands = (tmp_path / "commands").read_text().splitlines()
    assert commands[-1] == "rm c1"


SCHEMAS = """
import importlib.resources, pathlib, sys
for file in importlib.resources.files("cyclonedx.schema").joinpath("_res").iterdir():
    if file.name.endswith(".json"):
        name = file.name.replace(".SNAPSHOT", "")
        pathlib.Path(sys.argv[1], name).write_bytes(file.read_bytes())
"""


@pytest.mark.parametrize("properties", [{"docker:image:id": "sha256:12"}, {}])
def test_document_fits_the_schema_of_cyclonedx(
    tmp_path: Path, python_of_pip_audit: list[str], properties: dict[str, str]
) -> None:
    subprocess.run([*python_of_pip_audit, "-c", SCHEMAS, str(tmp_path)], check=True)
    (tmp_path / "made.json").write_text(
        json.dumps(sbom.document("image", sbom.Contents(dict(FILES)), properties))
    )
    command = [sys.executable, "-m", "check_jsonschema", "--base-uri", f"{tmp_path.as_uri()}/"]
    schema = str(tmp_path / "bom-1.6.schema.json")

    process = subprocess.run(
        [*command, "--schemafile", schema, str(tmp_path / "made.json")],
        env={name: value for name, value in os.environ.items() if name != "PEX_INTERPRETER"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 0, process.stdout + process.stderr


def test_same_contents_make_the_same_document() -> None:
    made = [sbom.document("image", sbom.Contents(dict(FILES)), {"id": "1"}) for _ in range(2)]
    other = sbom.document("image", sbom.Contents(dict(FILES)), {"id": "2"})

    assert made[0] == made[1]
    assert other["serialNumber"] != made[0]["serialNumber"]


def test_image_of_another_system_is_said_to_be_incomplete() -> None:
    files = {path: text for path, text in FILES.items() if "dpkg" not in path}

    document = sbom.document("image", sbom.Contents(files), {"docker:image:id": "sha256:12"})

    assert document["compositions"][0]["aggregate"] == "incomplete"


@pytest.mark.parametrize(
    ("arguments", "content", "said"),
    [
        (["image", "missing", "made.json"], None, "No such image"),
        (["image", "name", "made.json"], b"no archive" * 100, "can't be read"),
        (["folder", "nowhere", "made.json"], None, "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    tmp_path: Path, arguments: list[str], content: bytes | None, said: str
) -> None:
    process = run(tmp_path, *arguments, content=content)

    assert process.returncode == 1
    assert said in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "made.json").exists()


def test_folder_of_packages(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / "f" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / path).write_text(text)

    assert run(tmp_path, "folder", f"f/{SITE}", "made.json").returncode == 0
    document = json.loads((tmp_path / "made.json").read_text())
    assert set(by_purl(document)) == {"pkg:pypi/torch-x@2.13.0%2Bcpu", "pkg:pypi/odd@1.0"}


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: Apache-2.0\nLicense: other", "Apache-2.0"),
        ("License-Expression: LicenseRef-Own", "LicenseRef-Own"),
        ("License: MIT", "MIT"),
        ("License: Apache License, Version 2.0", "Apache-2.0"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT"),
        ("License: see file\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: License :: OSI Approved", "NOASSERTION"),
        (
            "Classifier: License :: OSI Approved :: MIT License\n"
            "Classifier: License :: OSI Approved :: Apache Software License",
            "Apache-2.0 and MIT",
        ),
        ("Classifier: License :: Free To Use But Restricted", "Free To Use But Restricted"),
        ("License: Own Licence 1", "Own Licence 1"),
        ("License: UNKNOWN", "NOASSERTION"),
        ("License: Copyright\n        and a long text", "NOASSERTION"),
        ("Name: a", "NOASSERTION"),
    ],
)
def test_licence_is_what_the_metadata_says(metadata: str, licence: str) -> None:
    assert licence_names.of_python(message_from_string(f"{metadata}\n\n")) == licence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", True),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("MIT License", False),
        ("Apache-2.0 and MIT", False),
        ("", False),
        ("()", False),
    ],
)
def test_expressions(text: str, expected: bool) -> None:
    assert licence_names.is_expression(text) is expected
