"""Rows as annotation tools export them: Label Studio, doccano, Prodigy, spaCy, Hugging Face.

Each becomes a row with `text` and `entities`, or `text` and `label`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mesh.data.conll import Token, tagged_entities, tagged_text

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
        elif isinstance(item, list) and len(item) == 2 and isinstance(item[1], dict):
            yield {"text": item[0], **item[1]}
        else:
            yield item


def read_annotations(fields: Mapping[str, Any], *, has_entities: bool) -> dict[str, Any]:
    """A row of any of these tools as text with entities or label; other rows as they are.

    Args:
        has_entities: whether the project's rows have entities instead of a label.

    Raises:
        AnnotationError: the row was not annotated, or its annotator didn't accept it.
    """
    if str(fields.get("answer", "accept")) != "accept":
        raise AnnotationError(f"its answer is {fields['answer']!r}")
    if isinstance(fields.get("data"), dict) and fields.keys() & {"annotations", "completions"}:
        return _label_studio(fields)
    if not has_entities:
        return _labelled(fields)
    if isinstance(fields.get("sentences"), list):
        return _spacy_tokens(fields)
    tags = next((name for name in _TAGS if isinstance(fields.get(name), list)), None)
    tokens = fields.get("tokens", fields.get("words"))
    if tags and isinstance(tokens, list) and len(tokens) == len(fields[tags]):
        return _tokens(fields, tokens, tags)
    name = next((name for name in _SPANS if _is_spans(fields.get(name))), None)
    if name is None:
        return dict(fields)
    rest = {key: value for key, value in fields.items() if key != name}
    return {**rest, "entities": [_entity(item) for item in fields[name]]}


def _label_studio(fields: Mapping[str, Any]) -> dict[str, Any]:
    annotations = fields.get("annotations") or fields.get("completions") or []
    kept = [each for each in annotations if not each.get("was_cancelled")]
    if not kept:
        raise AnnotationError("it has no annotation")
    data = dict(fields["data"])
    entities = []
    for result in kept[0].get("result", []):
        value = result.get("value", {})
        if "labels" in value:
            entities.append(_entity({**value, "label": _only(value["labels"])}))
        elif "choices" in value:
            data["label"] = _only(value["choices"])
    return {**data, "entities": entities} if "label" not in data else data


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
        return {**fields, "label": max(cats, key=lambda name: float(cats[name]))}
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
    return found


def _only(values: Sequence[Any]) -> Any:
    if len(values) != 1:
        raise AnnotationError(f"it has {len(values)} labels where one is needed: {list(values)}")
    return values[0]
