"""The Open Inference Protocol over gRPC, on a port of its own.

A server that has no such port imports nothing of it.
"""

import os

# Before gRPC is imported: clients' mistakes aren't errors of the server, which logs calls itself.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
