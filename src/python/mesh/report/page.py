"""A report as one HTML file that needs nothing else."""

from typing import Any

from mesh.lifecycle.about import PROMOTED
from mesh.lifecycle.lineage import nodes_of
from mesh.report.content import Comparison, Content, Report
from mesh.report.graph import lineage_section
from mesh.report.layout import Section, whole_page
from mesh.report.licences import licences
from mesh.report.markup import (
    Html,
    bullets,
    element,
    facts,
    folded,
    in_words,
    join,
    paragraph,
    table,
)
from mesh.report.quality import (
    NO_DETAILS,
    curves_part,
    errors_part,
    matrix_table,
    scores_part,
    training_curves,
    training_part,
)
from mesh.report.service import load_part, parity_part
from mesh.report.versus import changes_versus, promotion_part, rows_versus, scores_versus


def report_page(report: Report) -> str:
    """The report on a version."""
    content = report.content
    version = content.version
    sections = [
        Section("details", "Model details", _model_details(content)),
        Section("use", "Intended use", _use(content)),
        Section("limits", "Limits", _limits(content)),
        Section("data", "Data", _data(content)),
        Section("scores", "Scores", scores_part(content)),
        Section("errors", "Errors", _errors(content)),
        Section("curves", "Curves", _curves(content)),
        Section("training", "Training", training_part(content)),
        Section("prod", "Comparison with prod", _versus_prod(report)),
        Section("parity", "Parity and regression", parity_part(content)),
        Section("load", "Load test", load_part(content)),
        Section("lineage", "Lineage", lineage_section(content.lineage)),
        Section("licences", "Licences", _licences(content)),
    ]
    return whole_page(version.reference, version.card.description, sections)


def comparison_page(comparison: Comparison) -> str:
    """The report on two versions."""
    new, old = comparison.new, comparison.old
    names = [one.version.reference for one in (new, old)]
    both = dict(zip(names, (new, old), strict=True))
    sections = [
        Section("scores", "Scores", scores_versus(comparison)),
        Section("changes", "What was changed", changes_versus(comparison)),
        Section("rows", "Rows", rows_versus(comparison) or paragraph(NO_DETAILS)),
        Section("training", "Training", training_curves(both)),
        Section(
            "matrices",
            "Errors",
            join(_matrix(one, f"{name}: ") for name, one in both.items()),
        ),
        Section(
            "curves",
            "Curves",
            join(
                join((element("h3", name), _curves(one, name=f"curves-{number}")))
                for number, (name, one) in enumerate(both.items())
            ),
        ),
        Section(
            "details",
            "Model details",
            join(join((element("h3", name), _model_details(one))) for name, one in both.items()),
        ),
    ]
    return whole_page(" and ".join(names), "A comparison of two versions.", sections)


def _model_details(content: Content) -> Html:
    version = content.version
    card = version.card
    trained = content.trained
    settings = (trained.card if trained else card).settings
    return join(
        (
            facts(
                (
                    ("version", version.reference),
                    ("aliases", ", ".join(version.aliases) or "none"),
                    ("kind", card.model_type),
                    ("task", content.task),
                    ("registered", f"{version.created:%Y-%m-%d %H:%M} UTC"),
                    ("size", f"{version.manifest.size / 1e6:.1f} MB"),
                    ("base model", card.base_model.uri if card.base_model else None),
                    ("compiled from", card.trained_version),
                    ("data", card.data_version),
                    ("temperature", _text(card.metrics.get("temperature"))),
                    ("recorded as", _text(settings.get("run"))),
                    ("code", card.code_revision),
                    ("fingerprint", card.fingerprint),
                )
            ),
            _settings("Settings of the training", settings.get("training")),
            _settings("Settings of the compilation", card.settings.get("compile")),
            _settings("Packages and platform", card.environment),
        )
    )


def _settings(title: str, settings: Any) -> Html | None:
    if not settings:
        return None
    rows = [(name, in_words(value)) for name, value in settings.items()]
    return folded(title, table(title, ("name", "value"), rows, numbers=False))


def _text(value: Any) -> str | None:
    return None if value is None else in_words(value)


def _use(content: Content) -> Html:
    about = content.about
    if about is None:
        return paragraph("The project declares no intended use.", class_="note")
    return join(
        (
            paragraph(about.intended_use),
            element("h3", "It must not be used for"),
            bullets(about.unfit),
        )
    )


def _limits(content: Content) -> Html:
    about = content.about
    if about is None:
        return paragraph("The project declares no limits.", class_="note")
    return bullets(about.limits)


def _data(content: Content) -> Html:
    about = content.about
    features = next(
        (node for node in nodes_of(content.lineage) if node["kind"] == "features"), None
    )
    if features is None:
        return paragraph("No data of the project's own was used: the base model is as it is.")
    held_out = content.version.card.metrics.get("held_out") or {}
    return join(
        (
            facts(
                (
                    ("version", str(features["name"])),
                    ("rows in all splits", _text(features.get("rows"))),
                    ("test rows", _text(content.scores.get("rows"))),
                    ("held-out sets", ", ".join(held_out)),
                    ("no longer stored", _text(features.get("missing"))),
                )
            ),
            paragraph(about.data) if about and about.data else None,
            paragraph(
                "The test split is never trained on, and no near-duplicate of a training text is in it. The "
                "scores below are of that split, unless they say otherwise."
            ),
        )
    )


def _errors(content: Content) -> Html:
    if content.details is None:
        return paragraph(NO_DETAILS)
    return join((_matrix(content), element("h3", "The worst errors"), errors_part(content.details)))


def _matrix(content: Content, prefix: str = "") -> Html:
    if content.details is None:
        return paragraph(f"{prefix}{NO_DETAILS}")
    return matrix_table(
        content.details.matrix,
        f"{prefix}confusion matrix of {content.details.unit}",
    )


def _curves(content: Content, *, name: str = "curves") -> Html:
    if content.details is None:
        return paragraph(NO_DETAILS)
    return curves_part(content.details, name=name)


def _versus_prod(report: Report) -> Html:
    comparison = report.comparison
    parts: list[Html | None] = [promotion_part(report.content, report.conditions)]
    if comparison:
        parts += [
            element("h3", f"{comparison.old.version.reference}, which is prod"),
            scores_versus(comparison),
            rows_versus(comparison),
            element("h3", "What was changed"),
            changes_versus(comparison),
        ]
    elif PROMOTED not in report.content.version.aliases:
        parts.append(paragraph("No version is prod, so there is nothing to compare with."))
    return join(parts)


def _licences(content: Content) -> Html:
    version = content.version
    found = licences(version.card.project, content.about, version.card.base_model, content.lineage)
    if not found:
        return paragraph("Neither data nor a base model is recorded.")
    return table(
        "Licences",
        ("what", "kind", "licence"),
        found,
        numbers=False,
    )
