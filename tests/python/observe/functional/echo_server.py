"""A program that serves the model of the tests which repeats its input."""

import sys

from echo_model import Echo
from mesh.core.logs import LogSettings, configure_logging
from mesh.core.process import run_and_exit
from mesh.core.settings import load_settings
from mesh.serve.server import run_server
from mesh.serve.settings import ServeSettings

if __name__ == "__main__":
    settings, log = load_settings([ServeSettings, LogSettings], flags=sys.argv[1:])
    configure_logging("echo-serve", log)
    run_and_exit(lambda: run_server(Echo(), settings))
