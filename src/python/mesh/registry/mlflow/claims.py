"""Claims on fingerprints in MLflow: tags of the runs that carry new versions' files."""

from collections.abc import Collection
from dataclasses import dataclass

from mesh.core.digest import fingerprint
from mesh.registry.base import ModelVersion
from mesh.registry.mlflow.records import find_fingerprint
from mesh.registry.mlflow.store import Store, all_pages

_CLAIM_TAG = "mesh.claim"


@dataclass(frozen=True)
class MlflowClaims:
    """The `Claims` on a fingerprint of a registered model; the methods are documented there."""

    store: Store
    name: str
    fingerprint: str
    run_id: str

    def find(self) -> ModelVersion | None:
        record = find_fingerprint(self.store.client, self.name, self.fingerprint)
        return record.version if record else None

    def claim(self) -> None:
        self.store.client.set_tag(self.run_id, _CLAIM_TAG, self._value)

    def withdraw(self) -> None:
        self.store.client.delete_tag(self.run_id, _CLAIM_TAG)

    def others(self) -> Collection[str]:
        client = self.store.client
        condition = f"tags.`{_CLAIM_TAG}` = '{self._value}'"
        claimed = all_pages(client.search_runs, [self.store.experiment()], condition)
        runs = {run.info.run_id for run in claimed} - {self.run_id}
        return [run for run in runs if not client.search_model_versions(f"run_id = '{run}'")]

    @property
    def _value(self) -> str:
        # Fingerprints may have any characters, and conditions may not.
        return fingerprint([self.name, self.fingerprint])
