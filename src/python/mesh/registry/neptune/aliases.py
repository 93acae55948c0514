"""The aliases of a model in Neptune; fields of the model record their moves."""

from dataclasses import dataclass

from mesh.registry.history import AliasMove
from mesh.registry.moving import AliasState
from mesh.registry.neptune import layout
from mesh.registry.neptune.client import WRITE
from mesh.registry.neptune.lookup import Lookup


@dataclass(frozen=True)
class NeptuneAliases:
    """The `Aliases` of a model; the methods' promises are documented there."""

    lookup: Lookup
    name: str

    def read(self) -> AliasState:
        fields = self.lookup.fields(self.name)
        moves, _ = layout.read_model_moves(self.name, fields)
        return AliasState(layout.read_aliases(fields), moves)

    def record(self, move: AliasMove) -> None:
        with self.lookup.client.model(self.name, WRITE) as model:
            model[f"{layout.MOVES}/{move.id}"] = move.stored

    def point(self, alias: str, version: int) -> None:
        with self.lookup.client.model(self.name, WRITE) as model:
            model[f"{layout.ALIASES}/{alias}"] = version
