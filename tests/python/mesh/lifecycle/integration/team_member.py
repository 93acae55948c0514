"""One of torchrun's processes: trains the owners of a folder, as `team_member.py FOLDER SETTINGS`."""

import json
import sys
from pathlib import Path
from typing import Any

import safetensors.torch

from mesh.lifecycle.training import network
from tiny_training import OWNERS, Tiny


def main(folder: Path, settings: dict[str, Any]) -> None:
    """Train, and store this process' weights in the file `rank-N.safetensors`."""
    calibrate = network._calibrate

    def store_weights(trainer: Any, *arguments: Any) -> float:
        rank = trainer.args.process_index
        safetensors.torch.save_file(trainer.model.state_dict(), folder / f"rank-{rank}.safetensors")
        return calibrate(trainer, *arguments)

    vars(network)["_calibrate"] = store_weights
    Tiny(folder, OWNERS).train(**settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
