"""The locations that pip installs from on this machine: the only settings of pip that count here.

Indexes, find-links, certificates and proxies decide where wheels come from. All other settings
(constraints, no-binary, require-virtualenv, target, user, no-index and the like) could change what
is installed, so they are ignored. Runs on any Python from 3.7 on.
"""

from __future__ import annotations

import configparser
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from progress import BootstrapError

# On PyPI torch for Linux comes with gigabytes of CUDA; the locks pin the CPU builds there.
TORCH_CPU_BUILDS = "https://download.pytorch.org/whl/cpu/torch/"
ETC = "/etc"
# The sources of uv's interpreters.
_UV_SOURCES = ("UV_PYTHON_DOWNLOADS_JSON_URL", "UV_PYTHON_INSTALL_MIRROR")
_DECIDING = ("PIP_", "UV_", "PYTHON")
# The later one overrides the earlier one.
_SECTIONS = ("global", "install")


@dataclass(frozen=True)
class Sources:
    """Where wheels come from.

    Args:
        index: URL of the main index; empty means pip's default.
        extra_indexes: URLs of indexes besides the main one.
        find_links: URLs and absolute paths.
        certificates: path of a file with certificate authorities, or nothing.
        proxy: URL, or nothing.
    """

    index: str
    extra_indexes: list[str]
    find_links: list[str]
    certificates: str
    proxy: str

    def pip_flags(self) -> list[str]:
        """The same as flags of pip, for an environment made by `clean_environment`."""
        flags = []
        for name, values in (
            ("--index-url", [self.index]),
            ("--extra-index-url", self.extra_indexes),
            ("--find-links", self.find_links),
            ("--cert", [self.certificates]),
            ("--proxy", [self.proxy]),
        ):
            for value in values:
                flags += [name, value] if value else []
        return flags

    def pants_environment(self) -> dict[str, str]:
        """The same as variables of Pants' options; `+` adds to the default."""
        on_linux = platform.system() == "Linux"
        links = [*self.find_links, *(self.torch_links() if on_linux else ())]
        environment = {"PANTS_PYTHON_REPOS_FIND_LINKS": repr(links)}
        if self.index:
            environment["PANTS_PYTHON_REPOS_INDEXES"] = repr([self.index, *self.extra_indexes])
        elif self.extra_indexes:
            environment["PANTS_PYTHON_REPOS_INDEXES"] = f"+{self.extra_indexes!r}"
        if self.certificates:
            environment["PANTS_CA_CERTS_PATH"] = self.certificates
        if self.proxy:
            names = ("http_proxy", "https_proxy")
            added = [f"{name}={self.proxy}" for name in names]
            environment["PANTS_SUBPROCESS_ENVIRONMENT_ENV_VARS"] = f"+{added!r}"
        return environment

    def torch_links(self) -> list[str]:
        """PyTorch's own list of CPU builds for Linux, unless one of the configured links may have them."""
        for link in self.find_links:
            if "://" in link or any(Path(link).glob("torch-*")):
                return []
        return [TORCH_CPU_BUILDS]


def read_sources() -> Sources:
    """Pip's configuration, from the places and in the order of its documentation.

    pip itself isn't called, since settings could make `pip config list` fail or print nothing.

    Raises:
        BootstrapError: a configuration file can't be read.
    """
    sections: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for file in _configuration_files():
        parser = configparser.RawConfigParser()
        try:
            with open(file, encoding="utf-8", errors="surrogateescape") as opened:
                parser.read_file(opened)
        except FileNotFoundError:
            continue
        except (OSError, configparser.Error) as error:
            raise BootstrapError(f"pip's configuration {file} can't be read: {error}") from error
        for section in _SECTIONS:
            if parser.has_section(section):
                sections[section].update(parser.items(section))
    found: dict[str, str] = {}
    for section in _SECTIONS:
        found.update((name.replace("_", "-"), value) for name, value in sections[section].items())
    for name in ("index-url", "extra-index-url", "find-links", "cert", "proxy"):
        value = os.environ.get(f"PIP_{name.replace('-', '_').upper()}")
        if value:
            found[name] = value
    return Sources(
        index=found.get("index-url", "").strip(),
        extra_indexes=found.get("extra-index-url", "").split(),
        find_links=[_absolute(link) for link in found.get("find-links", "").split()],
        certificates=os.path.expanduser(found.get("cert", "").strip()),
        proxy=found.get("proxy", "").strip(),
    )


def _configuration_files() -> list[str]:
    own = os.environ.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return []
    if sys.platform == "darwin":
        machine = ["/Library/Application Support/pip"]
        user = ["~/.pip", "~/Library/Application Support/pip", "~/.config/pip"]
    else:
        folders = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        machine = [*(f"{folder}/pip" for folder in folders.split(":") if folder), ETC]
        user = ["~/.pip", f"{os.environ.get('XDG_CONFIG_HOME') or '~/.config'}/pip"]
    # The caller's file replaces the user's.
    files = [*machine, *(user if not os.path.exists(own) else ())]
    paths = [os.path.expanduser(f"{folder}/pip.conf") for folder in files]
    environment = os.environ.get("VIRTUAL_ENV")
    return [*paths, *([f"{environment}/pip.conf"] if environment else ()), *([own] if own else ())]


def clean_environment(sources: Sources) -> dict[str, str]:
    """The environment for a pip or uv that gets its sources by flags and variables alone."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _UV_SOURCES or not name.startswith(_DECIDING)
    }
    kept["PIP_CONFIG_FILE"] = os.devnull
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    kept["PIP_ROOT_USER_ACTION"] = "ignore"
    kept["UV_NO_CONFIG"] = "1"
    if sources.certificates:
        kept["SSL_CERT_FILE"] = sources.certificates
    if sources.proxy:
        kept["HTTP_PROXY"] = kept["HTTPS_PROXY"] = sources.proxy
    return kept


def _absolute(link: str) -> str:
    return link if "://" in link else os.path.abspath(os.path.expanduser(link))
