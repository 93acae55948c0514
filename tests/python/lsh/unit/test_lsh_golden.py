"""Stored signatures: if one changes, raise SIGNATURE_VERSION and store a new file."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imported_modules import imported_by
from lsh.model import SIGNATURE_VERSION, sign
from lsh.schema import Configuration
from mesh.nlp.function_words import function_words
from mesh.nlp.stop_words import LANGUAGES

STORED = json.loads((Path(__file__).parents[1] / "data" / "signatures.json").read_text())

SIGN_ALL = """
import json, sys
from lsh.model import sign
from lsh.schema import Configuration
cases = json.load(sys.stdin)["cases"]
made = [sign(case["document"], Configuration(**case["configuration"])).signature for case in cases]
json.dump(made, sys.stdout)
"""


def test_signatures_are_those_that_were_stored():
    assert STORED["signature_version"] == SIGNATURE_VERSION
    made = [
        sign(case["document"], Configuration(**case["configuration"])).signature
        for case in STORED["cases"]
    ]
    assert made == [case["signature"] for case in STORED["cases"]]


def test_function_words_are_those_that_signatures_were_made_with():
    lists = {code: sorted(function_words(code)) for code in sorted(LANGUAGES)}
    assert hashlib.sha256(json.dumps(lists).encode()).hexdigest() == STORED["function_words"]


@pytest.mark.parametrize("seed", ["0", "4242"])
def test_another_process_makes_the_same_signatures(seed):
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    process = subprocess.run(
        [sys.executable, "-c", SIGN_ALL],
        input=json.dumps(STORED),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(process.stdout) == [case["signature"] for case in STORED["cases"]]


def test_server_imports_no_package_that_only_tests_need():
    assert imported_by("lsh.serve.model", {"datasketch", "scipy", "onnxruntime"}) == set()
