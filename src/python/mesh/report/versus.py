"""The parts of a report that compare two versions."""

from collections.abc import Sequence

from mesh.lifecycle.about import PROMOTED
from mesh.lifecycle.comparison import SameRows, SliceLoss
from mesh.lifecycle.promotion import Condition
from mesh.lifecycle.training.details import WrongRow
from mesh.report.content import Comparison, Content
from mesh.report.markup import Html, bullets, element, folded, join, paragraph, table

_SHOWN_ROWS = 10


def scores_versus(comparison: Comparison) -> Html:
    """Scores and slices of both versions on the same rows."""
    same = comparison.same
    new, old = (one.version.reference for one in (comparison.new, comparison.old))
    if isinstance(same, str):
        return paragraph(f"{same[0].upper()}{same[1:]}.", class_="note")
    slices = list(same.slices)
    return join(
        (
            paragraph(f"Both were scored on the {same.rows} test rows of {new}."),
            _scores(same, new, old),
            (
                table(
                    "By label, domain, language and length",
                    ("", "rows", "score", new, old, "difference"),
                    [_slice(one) for one in slices],
                )
                if slices
                else None
            ),
        )
    )


def _scores(same: SameRows, new: str, old: str) -> Html:
    return table(
        "Scores on the same rows",
        ("score", new, old, "difference"),
        [
            (name, f"{one:.3f}", f"{other:.3f}", _difference(one - other))
            for name, (one, other) in same.scores.items()
        ],
    )


def _slice(one: SliceLoss) -> tuple[str, ...]:
    return (
        f"{one.kind} {one.name}",
        f"{one.rows}",
        one.score,
        f"{one.new:.3f}",
        f"{one.old:.3f}",
        _difference(-one.loss),
    )


def _difference(value: float) -> Html:
    """A signed difference; its sign, and not only its colour, says which version is better."""
    kind = None if round(value, 3) == 0 else "yes" if value > 0 else "no"
    return element("span", f"{value:+.3f}" if kind else "0", class_=kind)


def changes_versus(comparison: Comparison) -> Html:
    """The inputs that differ."""
    changed = comparison.changed
    if not changed:
        return paragraph("Both were made from the same inputs.")
    code = [one for one in changed if one.startswith(("file ", "package "))]
    others = [one for one in changed if one not in code]
    return join(
        (
            bullets(others) if others else None,
            folded(f"{len(code)} files and packages", bullets(code)) if code else None,
        )
    )


def rows_versus(comparison: Comparison) -> Html | None:
    """The rows that one version has right and the other one wrong; None if they can't be known."""
    new, old = comparison.new, comparison.old
    if not (new.details and old.details) or (
        new.version.card.data_version != old.version.card.data_version
    ):
        return None
    wrong = {one.row: one for one in new.details.wrong}
    before = {one.row: one for one in old.details.wrong}
    worse = [one for row, one in wrong.items() if row not in before]
    better = [one for row, one in before.items() if row not in wrong]
    return join(
        (
            paragraph(
                f"{new.version.reference} has {len(better)} rows right that {old.version.reference} has "
                f"wrong, and {len(worse)} the other way round; {len(wrong) - len(worse)} are wrong in both."
            ),
            _rows(f"Wrong in {new.version.reference} only", worse),
            _rows(f"Wrong in {old.version.reference} only", better),
        )
    )


def _rows(caption: str, rows: Sequence[WrongRow]) -> Html | None:
    shown = [one for one in rows if one.text][:_SHOWN_ROWS]
    if not shown:
        return None
    return table(
        f"{caption}: the worst {len(shown)} of {len(rows)}",
        ("text", "true", "predicted"),
        [(one.text, one.true, one.predicted) for one in shown],
        numbers=False,
    )


def promotion_part(content: Content, conditions: Sequence[Condition]) -> Html:
    """The conditions under which a version becomes `prod`, and whether they are met."""
    if PROMOTED in content.version.aliases:
        return paragraph("This version is prod.")
    if not conditions:
        return paragraph("Nothing is asked of a version that becomes prod.")
    met = [one.found for one in conditions if one.met]
    unmet = [one.found for one in conditions if not one.met]
    said = f"{len(met)} of {len(conditions)} conditions of becoming prod are met."
    return join(
        (
            paragraph(element("span", said, class_="no" if unmet else "yes")),
            bullets(f"Not met: {one}" for one in unmet) if unmet else None,
            folded("Conditions that are met", bullets(met)) if met else None,
        )
    )
