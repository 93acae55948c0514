"""The aliases of a model in MLflow; tags of the model record their moves."""

from dataclasses import dataclass

from mlflow import MlflowClient

from mesh.registry.history import AliasMove
from mesh.registry.mlflow.records import move_tag, read_model_moves
from mesh.registry.moving import AliasState


@dataclass(frozen=True)
class MlflowAliases:
    """The `Aliases` of a registered model; the methods' promises are documented there."""

    client: MlflowClient
    name: str

    def read(self) -> AliasState:
        model = self.client.get_registered_model(self.name)
        aliases = {alias: int(version) for alias, version in model.aliases.items()}
        moves, _ = read_model_moves(self.name, model.tags)
        return AliasState(aliases, moves)

    def record(self, move: AliasMove) -> None:
        self.client.set_registered_model_tag(self.name, *move_tag(move))

    def point(self, alias: str, version: int) -> None:
        self.client.set_registered_model_alias(self.name, alias, str(version))
