"""Runs in MLflow, in an experiment of each project."""

import contextlib
import datetime
import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException

from mesh.registry.mlflow.errors import registry_errors
from mesh.registry.mlflow.files import upload
from mesh.registry.mlflow.store import Store, all_pages
from mesh.registry.reference import ModelReference
from mesh.registry.runs import VERSION_TAG, Figure, Run, State

RUN_TAG = "mesh.run"
"""Tag of a version: the run that made it."""

_STATUS: Mapping[State, str] = {
    "running": "RUNNING",
    "finished": "FINISHED",
    "failed": "FAILED",
    "interrupted": "KILLED",
    "pruned": "KILLED",
}
_STATES: Mapping[str, State] = {
    "RUNNING": "running",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "interrupted",
}
_PRUNED_TAG = "mesh.pruned"
_LOST_SECONDS = 300
_HEARTBEAT = "system/cpu_utilization_percentage"
# MLflow's limits.
_FIGURES, _ITEMS, _PARAMETER, _TAG = 1000, 100, 6000, 5000


@dataclass(frozen=True)
class MlflowRuns:
    """The `Runs` of a connected MLflow; its methods' promises are documented there."""

    store: Store

    def start(
        self,
        experiment: str,
        name: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        started: int,
    ) -> str:
        client = self.store.client
        with registry_errors(self.store.settings):
            said = {"mlflow.user": self.store.settings.who, "mlflow.source.type": "LOCAL", **tags}
            cut = {key: value[:_TAG] for key, value in said.items()}
            run = client.create_run(self.store.experiment(experiment), started, cut, run_name=name)
            params = [Param(key, value[:_PARAMETER]) for key, value in parameters.items()]
            for start in range(0, len(params), _ITEMS):
                client.log_batch(run.info.run_id, params=params[start : start + _ITEMS])
            return str(run.info.run_id)

    def resume(self, run_id: str) -> bool:
        with registry_errors(self.store.settings):
            try:
                run = self.store.client.get_run(run_id)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return False
            if run.info.lifecycle_stage != "active":
                return False
            self.store.client.update_run(run_id, "RUNNING")
            return True

    def record(self, run_id: str, figures: Sequence[Figure]) -> None:
        metrics = [Metric(each.name, each.value, each.time, each.step) for each in figures]
        with registry_errors(self.store.settings):
            for start in range(0, len(metrics), _FIGURES):
                self.store.client.log_batch(run_id, metrics=metrics[start : start + _FIGURES])

    def attach(self, run_id: str, files: Sequence[Path], folder: str) -> None:
        with registry_errors(self.store.settings):
            uri = self.store.client.get_run(run_id).info.artifact_uri
            repository = self.store.repository(run_id, uri, folder)
            for file in files:
                upload(repository, file, file.name)

    def link(self, run_id: str, reference: str) -> None:
        client, version = self.store.client, ModelReference.parse(reference)
        with registry_errors(self.store.settings):
            run = client.get_run(run_id)
            number = str(version.version)
            made_by = f"Made by the run [{run.info.run_name}](#/experiments/{run.info.experiment_id}/runs/{run_id})."
            client.update_model_version(version.name, number, made_by)
            client.set_model_version_tag(version.name, number, RUN_TAG, run_id)
            made = f"Made the version [{reference}](#/models/{version.name}/versions/{number})."
            self._tag(run_id, {VERSION_TAG: reference, "mlflow.note.content": made})

    def end(self, run_id: str, state: State, tags: Mapping[str, str]) -> None:
        with registry_errors(self.store.settings):
            self._tag(run_id, {**tags, **({_PRUNED_TAG: "true"} if state == "pruned" else {})})
            self.store.client.set_terminated(run_id, _STATUS[state])

    def list(self, experiment: str) -> Sequence[Run]:
        with registry_errors(self.store.settings):
            found = self.store.client.get_experiment_by_name(experiment)
            if found is None:
                return []
            runs = all_pages(self.store.client.search_runs, [found.experiment_id])
            return [self._read(run) for run in runs]

    def history(self, run_id: str, name: str) -> Sequence[Figure]:
        with registry_errors(self.store.settings):
            # A resumed training repeats steps.
            found = {
                metric.step: Figure(name, metric.value, metric.step, metric.timestamp)
                for metric in sorted(
                    self.store.client.get_metric_history(run_id, name),
                    key=lambda metric: metric.timestamp,
                )
            }
        return [found[step] for step in sorted(found)]

    def machine(self) -> Mapping[str, float]:
        figures: dict[str, float] = {}
        for monitor in _monitors():
            monitor.collect_metrics()
            figures |= monitor.aggregate_metrics()
            monitor.clear_metrics()
        return {f"system/{name}": float(value) for name, value in figures.items()}

    def _tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        if tags:
            cut = [RunTag(key, value[:_TAG]) for key, value in tags.items()]
            self.store.client.log_batch(run_id, tags=cut)

    def _read(self, run: MlflowRun) -> Run:
        info = run.info
        state = _STATES.get(info.status, "running")
        if state == "running" and self._is_lost(run):
            state = "lost"
        elif state == "interrupted" and _PRUNED_TAG in run.data.tags:
            state = "pruned"
        return Run(
            id=info.run_id,
            name=info.run_name or "",
            state=state,
            started=_moment(info.start_time),
            ended=_moment(info.end_time) if info.end_time else None,
            parameters=run.data.params,
            figures=run.data.metrics,
            tags=run.data.tags,
        )

    def _is_lost(self, run: MlflowRun) -> bool:
        beats = self.store.client.get_metric_history(run.info.run_id, _HEARTBEAT)
        last = max([run.info.start_time, *(beat.timestamp for beat in beats)])
        return bool(time.time() - last / 1000 > _LOST_SECONDS)


def _moment(milliseconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)


@functools.cache
def _monitors() -> list[Any]:
    """MLflow's monitors of this machine; that of GPUs needs a package that may be absent."""
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    found: list[Any] = []
    kinds: list[Any] = [CPUMonitor, DiskMonitor, NetworkMonitor, GPUMonitor]
    for kind in kinds:
        with contextlib.suppress(ImportError, RuntimeError):
            monitor = kind()
            # It measures from one call to the next.
            monitor.collect_metrics()
            monitor.clear_metrics()
            found.append(monitor)
    return found
