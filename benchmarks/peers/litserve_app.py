"""A task in LitServe: WORKERS processes, one thread for the network each, batches as they come."""

import os
import sys
from typing import Any

import litserve
import tasks


class Task(litserve.LitAPI):
    """The result of a document."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's signature
        self.task = tasks.load()

    def decode_request(self, request: dict[str, str]) -> str:
        return request["document"]

    def batch(self, inputs: list[str]) -> list[str]:
        return inputs

    def predict(self, documents: list[str]) -> list[Any]:
        return self.task(documents)

    def unbatch(self, output: list[Any]) -> list[Any]:
        return output

    def encode_response(self, output: Any) -> Any:
        return output


if __name__ == "__main__":
    api = Task(max_batch_size=8, batch_timeout=0.005)
    workers = int(os.environ["WORKERS"])
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=workers)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
