"""Ray: started inside this process, or joined."""

import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.backfill.settings import BackfillSettings
from mesh.core.errors import MeshError
from mesh.core.urls import mask_url

logger = logging.getLogger(__name__)

_SECONDS_OF_ANSWER = 2.0
_STARTS = 4
"""Ray gives up a start whose processes take long to begin, as on a busy machine."""


@dataclass(frozen=True)
class Cluster:
    """A connection to Ray.

    Args:
        embedded: whether it was started inside this process.
    """

    embedded: bool

    def slots(self, settings: BackfillSettings) -> int:
        """How many shards can be computed at once now."""
        import ray

        resources = ray.cluster_resources()
        slots = int(resources.get("CPU", 0))
        if settings.gpus_per_worker:
            slots = min(slots, int(resources.get("GPU", 0) / settings.gpus_per_worker))
        return min(slots, settings.workers or slots)


@contextlib.contextmanager
def connected(settings: BackfillSettings, variables: Mapping[str, str]) -> Iterator[Cluster]:
    """Join the cluster of the settings, or start one inside this process and end it afterwards.

    What is started here listens on no network and has no dashboard. No use is reported.

    Args:
        variables: what workers of a cluster get of this process's environment.

    Raises:
        MeshError: there is no such cluster, or it can't be started.
    """
    _set_variables(settings)
    import ray

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        address = find_cluster(settings.ray)
        if address:
            _join(address, variables)
        else:
            _start(settings)
        # Ray sets its own.
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield Cluster(embedded=not address)
    finally:
        ray.shutdown()


def find_cluster(wanted: str) -> str:
    """The address of the cluster to join; empty to start one inside this process.

    Args:
        wanted: the setting `ray`; auto is what `RAY_ADDRESS` names, or else the cluster that `ray start`
            has started on this machine, if it still answers.
    """
    if wanted == "auto":
        import ray

        # Ray's own "auto" also finds what other programs have started for themselves, and waits for
        # minutes for a cluster that is gone.
        found = ray._private.services.find_bootstrap_address(None) or ""
        wanted = os.environ.get("RAY_ADDRESS") or (found if _answers(found) else "local")
    return "" if wanted == "local" else wanted


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_SECONDS_OF_ANSWER).close()
    except (OSError, ValueError):
        return False
    return True


def _join(address: str, variables: Mapping[str, str]) -> None:
    import ray

    try:
        ray.init(
            address=address,
            log_to_driver=True,
            logging_level=logging.WARNING,
            runtime_env={"env_vars": {**variables, "PYTHONPATH": _python_path()}},
        )
    except ConnectionError as error:
        raise MeshError(f"The Ray cluster {mask_url(address)} can't be reached: {error}") from error
    logger.info("joined the Ray cluster at %s", mask_url(address))


def _start(settings: BackfillSettings) -> None:
    import ray

    # So that Ray takes this machine's address to be 127.0.0.1, where nobody else can reach it. The
    # variable is for processes that it starts; this one has read it already.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    ray._private.ray_constants.ENABLE_RAY_CLUSTER = False
    options: dict[str, Any] = {"num_cpus": settings.workers} if settings.workers else {}
    for number in range(1, _STARTS + 1):
        try:
            ray.init(
                address="local",
                include_dashboard=False,
                object_store_memory=settings.object_store_mb * 1024 * 1024,
                log_to_driver=True,
                logging_level=logging.ERROR,
                **options,
            )
        except Exception as error:
            ray.shutdown()
            if number == _STARTS:
                raise MeshError(f"Ray can't be started: {error}") from error
            logger.warning("Ray didn't start, which is tried again: %s", error)
            time.sleep(number)
        else:
            cores = Cluster(embedded=True).slots(settings)
            logger.info("started Ray inside this process, on %d cores", cores)
            return


def _set_variables(settings: BackfillSettings) -> None:
    """Set what Ray reads when it is imported, and what its workers inherit."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    # One model for each core has one thread; tokenizers would start others.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["PYTHONPATH"] = _python_path()
    own = settings.ray in ("auto", "local") and "RAY_ADDRESS" not in os.environ
    given = any(name.startswith("RAY_AUTH_") for name in os.environ)
    if own and not given and not (Path.home() / ".ray" / "auth_token").exists():
        # Ray would keep one in the home, which a container may not write.
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _python_path() -> str:
    """Where workers on this machine find modules: where this process does, beside Python's own."""
    own = (sys.prefix, sys.base_prefix)
    paths = [path for path in sys.path if path and not path.startswith(own)]
    return os.pathsep.join(dict.fromkeys([*paths, *filter(None, [os.environ.get("PYTHONPATH")])]))
