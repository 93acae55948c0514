"""Computes for a benchmark: reads inputs as lines of JSON, and writes outputs with their cost.

    python worker.py MODULE SETUP

MODULE has a function `load`, which makes the work of SETUP (JSON): a function of a list of inputs
that returns as many outputs.
"""

import importlib
import json
import os
import sys
import time


def main() -> None:
    """Compute until there is no more input."""
    module, setup = sys.argv[1:]
    # What the work prints goes elsewhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    work = importlib.import_module(module).load(json.loads(setup))
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        inputs = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        outputs = work(inputs)
        cost = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        print(json.dumps({"outputs": outputs, **cost}), file=answers, flush=True)


if __name__ == "__main__":
    main()
