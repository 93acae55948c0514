"""What killed publishes have left in MLflow: runs of the experiment `mesh` that no version names."""

import time
from collections.abc import Iterator

from mlflow.entities import Run

from mesh.registry.base import Leftover
from mesh.registry.mlflow import files
from mesh.registry.mlflow.store import EXPERIMENT, MODEL_TAG, Store, all_pages
from mesh.registry.transfer import KEPT_SECONDS


def find_leftovers(store: Store, name: str | None, *, delete: bool) -> list[Leftover]:
    """Find the runs that no version names, and remove those that no publish uses.

    Whether one uses them is known beside an SQLite file. Elsewhere, a killed publisher can't be
    told from a slow one, and a run is in use for a week.
    """
    with store.alone() as alone:
        found = []
        for run in _unnamed(store, name):
            run_id, uri = run.info.run_id, run.info.artifact_uri
            age = time.time() - run.info.start_time / 1000
            in_use = not alone if alone is not None else age < KEPT_SECONDS
            sizes = files.stored_sizes(store.repository(run_id, uri, files.FILES))
            what = f"run {run_id} of {run.data.tags[MODEL_TAG]}"
            found.append(Leftover(what, sum(sizes.values()), in_use))
            if delete and not in_use:
                for folder in (files.FILES, files.ATTACHMENTS):
                    files.remove(store, run_id, uri, folder)
                store.client.delete_run(run_id)
        return found


def _unnamed(store: Store, name: str | None) -> list[Run]:
    # Versions are read last: a publish that ends meanwhile is among them.
    runs = [run for run in _runs(store) if MODEL_TAG in run.data.tags]
    if name is not None:
        runs = [run for run in runs if run.data.tags[MODEL_TAG] == name]
    named = _named(store) if runs else set()
    return [run for run in runs if run.info.run_id not in named]


def _runs(store: Store) -> Iterator[Run]:
    experiment = store.client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        yield from all_pages(store.client.search_runs, [experiment.experiment_id])


def _named(store: Store) -> set[str]:
    versions = all_pages(store.client.search_model_versions)
    return {version.run_id for version in versions if version.run_id}
