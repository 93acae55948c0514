"""A rolling update as a Deployment does it, of two real servers behind one address.

The servers get the arguments and settings of the manifests. In place of a cluster, a switch sends
each new connection to the servers in turn, and takes an ending one out only after a while.
"""

import contextlib
import functools
import signal
import time
from typing import Any

from mesh.core.project import Project
from mesh.deploy.pod import GRACE_SECONDS, pod
from mesh.deploy.release import Release
from mesh.loadtest.responses import equal
from rolling_traffic import Switch, Traffic

UPDATES = 2
LAG_SECONDS = 0.6
"""How long the switch goes on with a server that ends."""
# Longer than the lag, as in the manifests, where both are longer.
QUICK = {"SERVE_DRAIN_DELAY_SECONDS": "1.2"}

PREDICT = "/v1/model/tiny/predict"
BODY = {"inputs": [{"document": "one"}, {"document": "three"}]}
RESPONSE = {"outputs": [{"letters": 3, "share": 0.03}, {"letters": 5, "share": 0.05}]}


def test_update_loses_no_request(tiny: Any, other: Any) -> None:
    [container] = pod(Release(project=Project(name="tiny", description="", port=1), name="tiny"))[
        "containers"
    ]
    assert container["args"] == ["serve"]
    settings = {one["name"]: one["value"] for one in container["env"]} | QUICK
    process = tiny.serve(**settings)
    with contextlib.closing(Switch()) as switch:
        switch.use([tiny.url])
        traffic = Traffic(switch.url, PREDICT, BODY, functools.partial(equal, RESPONSE))
        try:
            ending, starting = tiny, other
            for _ in range(UPDATES):
                newer = starting.serve(**settings)
                switch.use([ending.url, starting.url])
                process.send_signal(signal.SIGTERM)
                time.sleep(LAG_SECONDS)
                switch.use([starting.url])
                assert process.wait(GRACE_SECONDS) == 0
                process, ending, starting = newer, starting, ending
        finally:
            outcomes = traffic.end()
    assert outcomes.keys() == {"right"}, outcomes
    assert outcomes["right"] > 100
