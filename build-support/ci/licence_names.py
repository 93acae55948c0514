"""The licences of packages, as their metadata names them.

A licence is an expression of SPDX identifiers where the metadata has one, or what can be read as one
without doubt; else the words of the metadata; else `NOASSERTION`.
"""

import re
from email.message import Message

NOASSERTION = "NOASSERTION"
BSD = "BSD (unspecified)"
"""The licence of packages that don't say with how many clauses."""

IDENTIFIERS = frozenset(
    "0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0"
    " CC0-1.0 CNRI-Python EPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND"
    " ISC LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later LLVM-exception MIT MIT-0"
    " MIT-CMU MPL-2.0 PSF-2.0 Python-2.0 Unlicense ZPL-2.1 Zlib".split()
)
"""SPDX identifiers of licences that packages here have."""
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": BSD,
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_WORDS = {
    "apache": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "the mit license": "MIT",
    "bsd": BSD,
    "mpl 2.0": "MPL-2.0",
    "psf license": "PSF-2.0",
}
_OPERATORS = re.compile(r"\s+(?:AND|OR|WITH)\s+|[()]")
_LONGEST = 100
"""Characters of a licence's name; longer ones are the licence's text."""


def of_python(metadata: Message) -> str:
    """The licence of a Python distribution, by its METADATA."""
    if expression := metadata.get("License-Expression"):
        return str(expression).strip()
    words = str(metadata.get("License") or "").strip()
    if known := _known(words):
        return known
    prefix = "License :: "
    named = [
        value.removeprefix(prefix).rpartition(" :: ")[2]
        for value in metadata.get_all("Classifier", [])
        if value.startswith(prefix)
    ]
    if found := sorted({_CLASSIFIERS.get(name, name) for name in named} - {"OSI Approved"}):
        # Which of several applies, the classifiers don't say.
        return found[0] if len(found) == 1 else " and ".join(found)
    is_name = words and "\n" not in words and len(words) <= _LONGEST and words != "UNKNOWN"
    return words if is_name else NOASSERTION


def of_debian(copyright_file: str) -> str:
    """The licences of a Debian package, by a copyright file that is machine-readable."""
    if not copyright_file.startswith("Format:"):
        return NOASSERTION
    found = re.findall(r"^License:[ \t]*(\S.*?)[ \t]*$", copyright_file, re.MULTILINE)
    return " and ".join(sorted(set(found))) or NOASSERTION


def is_expression(text: str) -> bool:
    """Whether a licence is an expression of known SPDX identifiers."""
    words = [word.strip() for word in _OPERATORS.split(text)]
    return all(word in IDENTIFIERS for word in words if word) and any(words)


def _known(words: str) -> str:
    """The expression that some words mean; empty if they are none."""
    if is_expression(words):
        return words
    return _WORDS.get(words.lower(), "")
