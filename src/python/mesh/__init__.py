"""Libraries of the ML mesh; each folder is one library, layered as docs/architecture.md shows.

Importing any of them switches off what packages of others report about their use. Some read these
variables when they are imported, so nothing else may come first.
"""

import os
import sys
from collections.abc import Mapping

SILENT: Mapping[str, str] = {
    "BENTOML_DO_NOT_TRACK": "True",
    # Hugging Face and others.
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # DVC's other packages.
    "ITERATIVE_DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # ONNX Runtime also keeps a device id and a database below the home folder's cache.
    "ORT_DISABLE_TELEMETRY": "1",
    "PANTS_ANONYMOUS_TELEMETRY_ENABLED": "false",
    # Its plugins see all values, and are looked for in the metadata of each installed package.
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Variables that switch off reports of use; child processes inherit them."""

os.environ.update(SILENT)
# OpenVINO's reports, of each import, can't be switched off by a variable. Without their package, it
# uses a stand-in of its own that sends nothing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
