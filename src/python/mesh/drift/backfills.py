"""Predictions in the output of a backfill."""

from pathlib import Path

from mesh.backfill.manifest import MANIFEST_FILE, SUCCESS_FILE, BackfillManifest, model_folder
from mesh.core.errors import UsageError
from mesh.core.files import read_model, safe_path
from mesh.core.project import Project
from mesh.drift.sample import Sample
from mesh.serve.facts import Facts
from mesh.serve.program import model_class

_MODELS = f"{model_folder('')}*"


def find_backfill(folder: Path) -> Path | None:
    """The folder of a model's results; None where this is no output of a backfill.

    Args:
        folder: it, or the output that has it.

    Raises:
        UsageError: it has the results of several models.
    """
    if folder.match(_MODELS):
        return folder
    found = sorted(folder.glob(_MODELS))
    if len(found) > 1:
        raise UsageError(
            f"{folder} has the results of several models ({', '.join(one.name for one in found)}); "
            "name the folder of one."
        )
    return found[0] if found else None


def read_backfill(folder: Path, project: Project) -> tuple[BackfillManifest, Sample]:
    """The facts of a backfill's predictions.

    Raises:
        UsageError: it isn't complete, is damaged, or is another project's.
    """
    if not (folder / SUCCESS_FILE).exists():
        raise UsageError(f"The backfill {folder} isn't complete; run it again.")
    manifest = read_model(BackfillManifest, folder / MANIFEST_FILE, "run the backfill again")
    if manifest.project != project.name:
        raise UsageError(f"{folder} has predictions of {manifest.project}, not of {project.name}.")
    facts = Facts(model_class(project).response_model)
    sample = Sample()
    for shard in manifest.shards:
        _read_shard(safe_path(folder, shard.data.path), facts, sample)
    if not sample.predictions:
        raise UsageError(f"The backfill {folder} has no predictions.")
    return manifest, sample


def _read_shard(file: Path, facts: Facts, sample: Sample) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches():
                for row in batch.to_pylist():
                    sample.add(facts.of_row(row), None, None)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(
            f"{file} can't be read ({str(error).splitlines()[0]}); run the backfill again."
        ) from error
