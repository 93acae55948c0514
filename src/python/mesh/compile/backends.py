"""What serves a compiled model, by its backend."""

import logging
from collections.abc import Mapping

from mesh.compile.spec import Backend

logger = logging.getLogger(__name__)

_OTHERS = (
    "the program serve:serve and the images for serving carry ONNX Runtime alone, so they serve only "
    "the backend 'onnx'"
)

_SERVED_BY: Mapping[Backend, str] = {
    "openvino": f"`mesh up` serves it, where OpenVINO has packages: on Linux with x86-64, and on "
    f"macOS; compile for 'onnx' elsewhere, as on Linux with ARM; {_OTHERS}",
    "generic": f"`mesh up` serves it, since its environment has torch; {_OTHERS}",
    "neuron": "`mesh up` serves it on a machine with a Neuron device, from an environment with torch "
    f"and the AWS Neuron SDK; {_OTHERS}",
}


def served_by(backend: Backend) -> str | None:
    """A sentence on what serves a model of a backend; None if every way of serving does."""
    where = _SERVED_BY.get(backend)
    return f"A model compiled for the backend {backend!r}: {where}." if where else None


def warn_of_serving(backend: Backend) -> None:
    """Log what serves a model of a backend, unless every way of serving does."""
    if sentence := served_by(backend):
        logger.warning("%s", sentence)
