"""`register:register`: make a version of features for training from a raw version."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.data_names import LATEST
from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory, write_json_atomic, write_text_atomic
from mesh.core.inputs import Inputs, code_inputs, setting_inputs
from mesh.core.manifest import FileEntry
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.roots import NOT_REGISTERING, REGISTERING
from mesh.core.settings import MeshSettings
from mesh.core.status import NEVER_RUN, Status
from mesh.core.workspace import WorkspaceSettings
from mesh.data.account import ACCOUNT_FILE, REJECTS_FILE, Account, Rejects
from mesh.data.card import CARD_FILE, PAGE_FILE, DataCard, write_plots
from mesh.data.dataset import Dataset, load_dataset
from mesh.data.features import Preparation, Prepared, feature_schema, prepare
from mesh.data.labels import LabelCounts, known_labels
from mesh.data.manifest import DataManifest, describe_schema
from mesh.data.settings import DataSettings
from mesh.data.shards import Shard, write_shards
from mesh.data.splitting import SPLITS, Fractions
from mesh.data.status import status_of_data
from mesh.data.store import DataStore
from mesh.lifecycle.ingest import PART

logger = logging.getLogger(__name__)

_MISTAKES = ("clean-up", "conflict", "language")
_SPLITTING = ("seed", "test_share", "validation_share")


class RegisterSettings(MeshSettings):
    """Clean, check, deduplicate and split the rows of a raw version; store them as features."""

    model_config = SettingsConfigDict(env_prefix="REGISTER_")

    data: str = Field(LATEST, description="Raw version, or a prefix of its name.")
    validation_share: float = Field(0.1, gt=0, lt=1, description="Fraction of validation rows.")
    test_share: float = Field(0.1, gt=0, lt=1, description="Fraction of test rows.")
    seed: int = Field(1, description="Another seed gives other splits.")
    near_duplicate: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Similarity from which one of two texts with equal labels is dropped.",
    )
    related: float = Field(
        0.5, gt=0, le=1, description="Similarity from which texts are in the same split."
    )
    other_language: float = Field(
        0.9, gt=0, le=1, description="Probability of another language from which a row is dropped."
    )
    max_rejected_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Fraction of wrong rows (not duplicates) above which nothing is stored.",
    )
    force: bool = Field(False, description="Make the features even if nothing has changed.")

    @model_validator(mode="after")
    def _in_range(self) -> "RegisterSettings":
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share and test_share must leave rows for training")
        if self.related > self.near_duplicate:
            raise ValueError("related must not be above near_duplicate")
        return self

    @property
    def preparation(self) -> Preparation:
        """The settings that determine the features."""
        return Preparation(
            near_duplicate=self.near_duplicate,
            related=self.related,
            other_language=self.other_language,
            fractions=Fractions(self.validation_share, self.test_share),
            seed=self.seed,
        )


def register(
    dataset: Dataset, settings: RegisterSettings, workspace: WorkspaceSettings, data: DataSettings
) -> None:
    """Store features with their data card, unless that was already done.

    Raises:
        MeshError: there is no such raw version, it is damaged, too many rows are wrong, or a
            split is empty.
    """
    raw_store = DataStore(dataset.project, "raw", data)
    raw = raw_store.get(settings.data)
    made_from = register_inputs(dataset, settings, raw)
    inputs = fingerprint(made_from)
    store = DataStore(dataset.project, "features", data)
    if not settings.force and (found := store.find(inputs)):
        store.set_latest(found.version)
        logger.info("%s is up to date: nothing it depends on has changed", store.url(found.version))
        return
    output = workspace.output(dataset.project, "register")
    with atomic_directory(output, replace=True) as folder:
        with (
            raw_store.local(raw, folder) as local,
            (folder / REJECTS_FILE).open("w", encoding="utf-8") as file,
        ):
            rows = (dataset.row.model_validate(fields) for fields in local.rows(PART))
            earlier = _earlier_splits(store, settings, folder)
            rejects = Rejects(file)
            prepared = prepare(rows, settings.preparation, rejects, f"raw/{raw.version}", earlier)
        account = rejects.account(
            len(prepared.features),
            changed=prepared.changed,
            warnings=_warnings(prepared, dataset),
        )
        write_json_atomic(folder / ACCOUNT_FILE, account.model_dump())
        problem = _problem(prepared, raw.rows, settings)
        if not problem:
            manifest = _write(dataset, settings, raw, prepared, account, made_from, folder)
            known = manifest.version in store.versions()
            store.publish(folder, manifest)
            _log(store, manifest, prepared, known=known)
            # The card and the rejects stay for inspection; the rows are stored.
            for shard in manifest.shards:
                (folder / shard.path).unlink()
    account.show()
    if problem:
        raise MeshError(f"{problem}; see {output / REJECTS_FILE}.")


def _warnings(prepared: Prepared, dataset: Dataset) -> list[str]:
    known = known_labels(dataset.row)
    counts = {split: LabelCounts() for split in ("all", *SPLITS)}
    for feature in prepared.features:
        for split in ("all", feature.split):
            counts[split].add(feature.row)
    found = counts["all"].warnings(known)
    for split in SPLITS:
        missing = sorted(counts["all"].labels.keys() - counts[split].labels.keys())
        if missing:
            found.append(f"the {split} split has no {' or '.join(map(repr, missing))}")
    return found


def register_inputs(dataset: Dataset, settings: RegisterSettings, raw: DataManifest) -> Inputs:
    """Everything that determines a version of features."""
    return {
        "data": raw.digest,
        **setting_inputs(_chosen(settings)),
        **code_inputs((dataset.row.__module__, *REGISTERING), excluded=NOT_REGISTERING),
    }


def _earlier_splits(store: DataStore, settings: RegisterSettings, folder: Path) -> dict[str, str]:
    """The split of each row in the latest features, by its id; of none if other settings made them.

    They are no input: the same rows give the version that they gave before.
    """
    if not store.versions():
        return {}
    latest = store.get(LATEST)
    before = latest.source.get("settings", {})
    if any(before.get(name) != getattr(settings, name) for name in _SPLITTING):
        return {}
    with store.local(latest, folder) as local:
        return {str(row["id"]): split for split in SPLITS for row in local.rows(split)}


def _chosen(settings: RegisterSettings) -> dict[str, Any]:
    return settings.model_dump(mode="json", exclude={"data", "force"})


def _problem(prepared: Prepared, rows: int, settings: RegisterSettings) -> str:
    mistaken = sum(prepared.left_out.get(kind, 0) for kind in _MISTAKES)
    if mistaken > settings.max_rejected_share * rows:
        return (
            f"{mistaken} of {rows} rows ({mistaken / rows:.1%}) have mistakes, more than "
            f"REGISTER_MAX_REJECTED_SHARE={settings.max_rejected_share:g} allows"
        )
    found = {feature.split for feature in prepared.features}
    if empty := [split for split in SPLITS if split not in found]:
        names = " and ".join(empty)
        return f"{len(prepared.features)} rows are too few to split: none is left for {names}"
    return ""


def _write(
    dataset: Dataset,
    settings: RegisterSettings,
    raw: DataManifest,
    prepared: Prepared,
    account: Account,
    made_from: Inputs,
    folder: Path,
) -> DataManifest:
    schema = feature_schema(dataset.row)
    shards: list[Shard] = []
    for split in SPLITS:
        rows = (feature.fields() for feature in prepared.features if feature.split == split)
        shards += write_shards(rows, schema, folder, split)
    shown = _chosen(settings)
    accounts = {
        name: found
        for name, found in (("ingest", raw.source.get("account")), ("register", account.numbers))
        if found
    }
    card = DataCard.of(
        prepared,
        project=dataset.project.name,
        raw_version=raw.version,
        settings=shown,
        account=accounts,
    )
    plots = write_plots(card, prepared, folder)
    write_json_atomic(folder / CARD_FILE, card.model_dump(mode="json"))
    write_text_atomic(folder / PAGE_FILE, card.page(plots))
    names = (ACCOUNT_FILE, CARD_FILE, PAGE_FILE, REJECTS_FILE, *plots)
    return DataManifest(
        project=dataset.project.name,
        kind="features",
        row_schema=describe_schema(schema),
        shards=tuple(shards),
        files=tuple(FileEntry.of(folder / name, name) for name in names),
        inputs=fingerprint(made_from),
        made_from=made_from,
        source={
            "raw_version": raw.version,
            "raw_digest": raw.digest,
            "settings": shown,
            # On the card of a model, too.
            "account": accounts,
        },
    )


def _log(store: DataStore, manifest: DataManifest, prepared: Prepared, *, known: bool) -> None:
    logger.info(
        "%s %s: %s; dropped: %s",
        store.url(manifest.version),
        "already has these rows" if known else "is stored",
        ", ".join(f"{shard.rows} {shard.part}" for shard in manifest.shards),
        ", ".join(f"{count} {kind}" for kind, count in sorted(prepared.left_out.items())) or "none",
    )


def status(
    dataset: Dataset, settings: RegisterSettings, _workspace: WorkspaceSettings, data: DataSettings
) -> Status:
    """Whether the features that would be made now are stored."""
    raw = DataStore(dataset.project, "raw", data)
    if not raw.versions():
        return NEVER_RUN
    inputs = register_inputs(dataset, settings, raw.get(settings.data))
    return status_of_data(DataStore(dataset.project, "features", data), inputs)


def program(project: Project) -> Program:
    """The program `register:register` of a project."""
    return Program(
        component=f"{project.package}.register",
        name="register",
        run=partial(register, load_dataset(project)),
        status=partial(status, load_dataset(project)),
        settings=(RegisterSettings, WorkspaceSettings, DataSettings),
    )
