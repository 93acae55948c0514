"""The processes that train one network together, as torchrun starts them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mesh.compile.torch_device import missing_cuda, require_cuda
from mesh.core.devices import CPU, CUDA
from mesh.core.errors import MeshError

Decision = TypeVar("Decision")


@dataclass(frozen=True)
class Team:
    """This process among those that train together.

    Args:
        rank: the number of this process, from 0.
        size: how many processes there are; 1 without torchrun.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the first, which prepares, decides and publishes."""
        return self.rank == 0

    def agree(self, decide: Callable[[], Decision]) -> Decision:
        """What the first process decides; the others wait for it.

        All processes must call this, in the same order.
        """
        if self.size == 1:
            return decide()
        import torch.distributed

        found = [decide() if self.leads else None]
        torch.distributed.broadcast_object_list(found)
        return found[0]  # type: ignore[return-value]

    def leave(self) -> None:
        """Part from the other processes; there is nothing to agree on afterwards."""
        if self.size > 1:
            import torch.distributed

            torch.distributed.destroy_process_group()


ALONE = Team()


def team_size() -> int:
    """How many processes torchrun started; 1 without it."""
    return int(os.environ["WORLD_SIZE"]) if _is_started_by_torchrun() else 1


def find_team() -> Team:
    """This process and how many others torchrun started; they aren't connected yet."""
    if not _is_started_by_torchrun():
        return ALONE
    return Team(int(os.environ["RANK"]), team_size())


def check_device(device: str) -> None:
    """Make sure that the processes of this machine have the device that `TRAIN_DEVICE` names.

    Raises:
        MeshError: it isn't here, or there are fewer GPUs than processes.
    """
    if device == CUDA:
        require_cuda(f"TRAIN_DEVICE={device}")
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if _is_started_by_torchrun() else 1
    if processes > 1 and is_gpu_used(device):
        import torch

        if processes > (count := torch.cuda.device_count()):
            raise MeshError(
                f"torchrun starts {processes} processes on this machine, which has only {count} of "
                f"the GPUs that they need, one each: start {count}, or set TRAIN_DEVICE=cpu."
            )


def join_team(device: str) -> Team:
    """Connect with the other processes, if there are any: by NCCL on GPUs, else by Gloo.

    Raises:
        MeshError: the device isn't here, as for `check_device`.
    """
    check_device(device)
    team = find_team()
    if team.size > 1:
        import torch

        if is_gpu_used(device):
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        # Transformers and Accelerate find the group that exists.
        torch.distributed.init_process_group("nccl" if is_gpu_used(device) else "gloo")
    return team


def is_gpu_used(device: str) -> bool:
    """Whether a training with this `TRAIN_DEVICE` computes on GPUs of NVIDIA's kind."""
    return device != CPU and missing_cuda() is None


def _is_started_by_torchrun() -> bool:
    return "LOCAL_RANK" in os.environ
