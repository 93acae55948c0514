"""Links by an entity-fishing server, over its `/service/disambiguate`."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from prometheus_client import Counter
from pydantic import AliasChoices, BaseModel, Field

from entity_fishing.json_service import JsonService
from entity_fishing.linker import Link, Mention, Task
from entity_fishing.schema import Reason
from entity_fishing.settings import EntityFishingSettings
from entity_fishing.utf16 import Utf16Offsets
from mesh.serve.upstream import EventLoop

PATH = "/service/disambiguate"

# Minimum overlap of a found name with the given one, as a fraction of their characters.
_SHARED = 0.5


class _Entity(BaseModel):
    offset_start: int = Field(alias="offsetStart", ge=0)
    offset_end: int = Field(alias="offsetEnd", ge=0)
    wikidata_id: str | None = Field(None, alias="wikidataId", pattern=r"^Q[1-9][0-9]{0,17}$")
    type: str | None = None
    label: str | None = Field(None, alias="preferredTerm")
    # Its name differs between versions of the server; some write it as a string.
    score: float = Field(
        0.0,
        ge=0,
        le=1,
        validation_alias=AliasChoices("confidence_score", "nerd_selection_score", "nerd_score"),
    )


class _Response(BaseModel):
    entities: list[_Entity] = []


class ServiceLinker:
    """Links by an entity-fishing server, which can also find names."""

    def __init__(self, settings: EntityFishingSettings, loop: EventLoop, calls: Counter) -> None:
        self._service = JsonService(
            "The entity-fishing server",
            settings.service_url,
            PATH,
            settings,
            loop=loop,
            calls=calls,
            refusals={
                406: "does not take this document: it is too short, or its language is "
                "unknown to the server."
            },
        )

    def link(self, tasks: Sequence[Task], end: float) -> list[list[Link] | Exception]:
        """Link the names of several texts at the same time."""
        return self._service.run(self._link, tasks, end)

    async def _link(self, task: Task, end: float) -> list[Link]:
        """Link the names of a text.

        Returns:
            One link for each mention of the task, in their order; without mentions, one for each
            name that the server found, in the text's order.

        Raises:
            UpstreamError: the server fails.
            UsageError: it doesn't know the language.
        """
        mentions = task.mentions
        if not task.text or (mentions is not None and not mentions):
            return []
        offsets = Utf16Offsets(task.text)
        body: dict[str, Any] = {
            "text": task.text,
            "language": {"lang": task.language},
            "nbest": False,
            "sentence": False,
        }
        if mentions is None:
            body["mentions"] = ["ner", "wikipedia"]
        else:
            body["mentions"] = []
            body["entities"] = [_query(task.text, mention, offsets) for mention in mentions]
        response = await self._service.call(body, _Response, end)
        found = _links(response.entities, task.text, offsets)
        if mentions is None:
            return _without_overlaps(found)
        return [_best(mention, found) for mention in mentions]


def _query(text: str, mention: Mention, offsets: Utf16Offsets) -> dict[str, Any]:
    return {
        "rawName": text[mention.start : mention.end],
        "offsetStart": offsets.to_utf16(mention.start),
        "offsetEnd": offsets.to_utf16(mention.end),
    }


def _links(entities: Sequence[_Entity], text: str, offsets: Utf16Offsets) -> list[Link]:
    """The links that the server found, most certain first, without those outside the text."""
    links = []
    for entity in entities:
        start, end = offsets.from_utf16(entity.offset_start), offsets.from_utf16(entity.offset_end)
        if start is not None and end is not None and start < end <= len(text):
            links.append(_link(Mention(start, end), entity))
    return sorted(links, key=lambda link: -link.score)


def _link(mention: Mention, entity: _Entity) -> Link:
    return Link(
        mention,
        entity.score,
        wikidata_id=entity.wikidata_id,
        reason=None if entity.wikidata_id else Reason.UNKNOWN,
        entity_type=entity.type,
        label=entity.label,
    )


def _best(mention: Mention, found: Sequence[Link]) -> Link:
    """The most certain link with the mention's span, or else the link that overlaps it most."""

    def quality(link: Link) -> tuple[bool, float, float]:
        other = link.mention
        common = min(other.end, mention.end) - max(other.start, mention.start)
        union = max(other.end, mention.end) - min(other.start, mention.start)
        return link.wikidata_id is not None, common / union, link.score

    best = max(found, key=quality, default=None)
    if best is None or best.wikidata_id is None or quality(best)[1] < _SHARED:
        return Link(mention, 0.0, reason=Reason.UNKNOWN)
    return Link(
        mention,
        best.score,
        wikidata_id=best.wikidata_id,
        entity_type=best.entity_type,
        label=best.label,
    )


def _without_overlaps(found: Sequence[Link]) -> list[Link]:
    """The most certain links that don't overlap, in the text's order."""
    kept: list[Link] = []
    for link in found:
        place = bisect_left(kept, link.mention.start, key=_start)
        starts_inside = place > 0 and kept[place - 1].mention.end > link.mention.start
        reaches_next = place < len(kept) and kept[place].mention.start < link.mention.end
        if not starts_inside and not reaches_next:
            kept.insert(place, link)
    return kept


def _start(link: Link) -> int:
    return link.mention.start
