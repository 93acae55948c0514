"""The keywords server with the compiled model in BENCHMARK_MODEL, outside any version."""

import os
import sys
from pathlib import Path

from keywords.serve.model import KeywordsModel
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.settings import load_settings
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings


class CompiledKeywords(KeywordsModel):
    """Keywords without a model card."""

    def load(self) -> None:
        self.load_compiled(self._directory)
        self.warm_up()


if __name__ == "__main__":
    settings, log = load_settings([ServeSettings, LogSettings], flags=sys.argv[1:])
    configure_logging("benchmarks.apps", log)
    run_and_exit(
        lambda: run_server(CompiledKeywords(Path(os.environ["BENCHMARK_MODEL"])), settings)
    )
