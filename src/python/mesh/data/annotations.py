"""Rows as annotation tools export them: Label Studio, doccano, Prodigy, spaCy, Hugging Face.

Each becomes a row with `text` and `entities`, or `text` and `label`.
"""

import ast
import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mesh.data.tagged_tokens import Token, tagged_entities, tagged_text

_STARTS = ("start", "start_offset", "begin", "start_char")
_ENDS = ("end", "end_offset", "stop", "end_char")
_LABELS = ("label", "entity_type", "entity_group", "type", "tag")
_SURFACES = ("entity_text", "text", "surface", "word")
_SPANS = ("entities", "spans", "ents", "labels", "label")
_TAGS = ("ner_tags", "tags", "labels", "ner")


class AnnotationError(ValueError):
    """A row has no annotation that can be used; the message says why."""


def split_export(value: Any) -> Iterator[Any]:
    """The rows of a JSON file: those of its list, and of spaCy's documents."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and isinstance(item.get("paragraphs"), list):
            yield from item["paragraphs"]
        elif isinstance(item, list) and list(map(type, item)) == [str, dict]:
            yield {"text": item[0], **item[1]}
        else:
            yield item


def read_task(fields: Mapping[str, Any], *, has_entities: bool) -> dict[str, Any]:
    """A task of Label Studio as text with entities or label; other rows as they are.

    Args:
        has_entities: whether the project's rows have entities instead of a label.

    Raises:
        AnnotationError: the row was not annotated, or its annotators disagree or didn't accept it.
    """
    if str(fields.get("answer", "accept")) != "accept":
        raise AnnotationError(f"its answer is {fields['answer']!r}")
    if isinstance(fields.get("data"), dict) and fields.keys() & {"annotations", "completions"}:
        with _malformed():
            return _label_studio(fields, has_entities=has_entities)
    return dict(fields)


def read_annotations(fields: Mapping[str, Any], *, has_entities: bool) -> dict[str, Any]:
    """A row of any other of these tools as text with entities or label; other rows as they are.

    Args:
        has_entities: whether the project's rows have entities instead of a label.

    Raises:
        AnnotationError: its annotation is malformed, or there are several.
    """
    with _malformed():
        return _annotated(_parsed(fields)) if has_entities else _labelled(fields)


@contextlib.contextmanager
def _malformed() -> Iterator[None]:
    """Turn the errors of values of other types than a tool exports into a row's reason."""
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        raise AnnotationError(f"its annotation is malformed: {error}") from error


def _parsed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the lists that a table has as JSON, or in Python's notation."""
    parsed = dict(fields)
    for name in {*_SPANS, *_TAGS, "tokens", "words"} & fields.keys():
        value = fields[name]
        if isinstance(value, str) and value.lstrip().startswith("["):
            for read in (json.loads, ast.literal_eval):
                with contextlib.suppress(ValueError, SyntaxError, RecursionError):
                    parsed[name] = read(value)
                    break
    return parsed


def _annotated(fields: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(fields.get("sentences"), list):
        return _spacy_tokens(fields)
    tags = next((name for name in _TAGS if isinstance(fields.get(name), list)), None)
    tokens = fields.get("tokens", fields.get("words"))
    if tags and isinstance(tokens, list) and not _is_spans(fields[tags]):
        return _tokens(fields, tokens, tags)
    found = [name for name in _SPANS if _is_spans(fields.get(name))]
    # Tools write other lists of spans as empty ones.
    name = next((name for name in found if fields[name]), next(iter(found), None))
    if name is None:
        return dict(fields)
    rest = {key: value for key, value in fields.items() if key != name}
    return {**rest, "entities": [_entity(item) for item in fields[name]]}


def _label_studio(fields: Mapping[str, Any], *, has_entities: bool) -> dict[str, Any]:
    annotations = fields.get("annotations") or fields.get("completions") or []
    kept = [each for each in annotations if not each.get("was_cancelled")]
    if not kept:
        raise AnnotationError("it has no annotation")
    kept = [each for each in kept if each.get("ground_truth")] or kept
    read = _result_entities if has_entities else _result_label
    found = [read(each["result"]) for each in kept]
    if any(other != found[0] for other in found):
        raise AnnotationError(f"its {len(found)} annotations differ, and none is the ground truth")
    return {**fields["data"], "entities" if has_entities else "label": found[0]}


def _result_entities(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    entities = []
    for result in results:
        value = result.get("value", {})
        # Also `hypertextlabels` and others, whose places aren't those of characters.
        entities += [
            _entity({**value, "label": _only(value[name])})
            for name in value
            if name.endswith("labels")
        ]
    return sorted(entities, key=str)


def _result_label(results: Sequence[Mapping[str, Any]]) -> Any:
    values = [result.get("value", {}) for result in results]
    labels = [
        label
        for value in values
        for label in (*value.get("choices", ()), *([value["rating"]] if "rating" in value else ()))
    ]
    return _only(labels)


def _spacy_tokens(fields: Mapping[str, Any]) -> dict[str, Any]:
    tokens = [token for each in fields["sentences"] for token in each.get("tokens", ())]
    tags = [str(token.get("ner", "O")) for token in tokens]
    texts = [str(token["orth"]) for token in tokens]
    text = fields.get("raw")
    if not isinstance(text, str):
        pairs = zip(texts, tags, strict=True)
        return tagged_text([Token(each, tag, space_after=True) for each, tag in pairs])
    return {"text": text, "entities": tagged_entities(_places(texts, text), tags)}


def _places(tokens: Sequence[str], text: str) -> list[tuple[int, int]]:
    place = 0
    found = []
    for token in tokens:
        start = text.find(token, place)
        if start < 0:
            raise AnnotationError(f"its token {token!r} isn't in its text")
        place = start + len(token)
        found.append((start, place))
    return found


def _tokens(fields: Mapping[str, Any], tokens: Sequence[Any], tags: str) -> dict[str, Any]:
    if len(tokens) != len(fields[tags]):
        raise AnnotationError(f"it has {len(tokens)} tokens, but {len(fields[tags])} {tags}")
    names = [str(tag) for tag in fields[tags]]
    if any(name.isdecimal() for name in names):
        raise AnnotationError(
            f"its {tags} are numbers without names; name them in INGEST_VALUES, such as "
            f'{{"{tags}": {{"0": "O", "1": "B-PER"}}}}'
        )
    rest = {name: value for name, value in fields.items() if name not in ("tokens", "words", tags)}
    pairs = zip(tokens, names, strict=True)
    return {
        **rest,
        **tagged_text([Token(str(token), tag, space_after=True) for token, tag in pairs]),
    }


def _labelled(fields: Mapping[str, Any]) -> dict[str, Any]:
    label = fields.get("accept", fields.get("label"))
    if isinstance(label, list):
        return {**fields, "label": _only(label)}
    if "label" not in fields and isinstance(cats := fields.get("cats"), dict) and cats:
        best = max(map(float, cats.values()))
        return {**fields, "label": _only([name for name in cats if 0 < best == float(cats[name])])}
    return dict(fields)


def _is_spans(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return all(
        isinstance(item, dict) or (isinstance(item, list) and len(item) == 3) for item in value
    )


def _entity(item: Any) -> dict[str, Any]:
    if isinstance(item, list):
        start, end, label = item
        return {"start": start, "end": end, "label": label}
    found = {
        name: item[key]
        for name, keys in (
            ("start", _STARTS),
            ("end", _ENDS),
            ("label", _LABELS),
            ("surface", _SURFACES),
        )
        if (key := next((key for key in keys if key in item), None)) is not None
    }
    if "label" not in found and isinstance(item.get("labels"), list):
        found["label"] = _only(item["labels"])
    for name in ("start", "end"):
        if isinstance(value := found.get(name), float) and value.is_integer():
            found[name] = int(value)
    return found


def _only(values: Sequence[Any]) -> Any:
    if len(values) != 1:
        raise AnnotationError(f"it has {len(values)} labels where one is needed: {list(values)}")
    return values[0]
