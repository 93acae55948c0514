"""The backend `service` through the HTTP app, with services on this machine."""

import asyncio
import json
import re
import time
from typing import Any

import httpx
import pytest

from entity_fishing.serve.model import EntityFishingModel
from entity_fishing.settings import EntityFishingSettings
from mesh.serve.app import create_app
from mesh.serve.settings import ServeSettings

PATH = "/v1/model/entity-fishing/predict"


class Answers:
    """The app's responses, and its metrics afterwards."""

    def __init__(self, responses: list[httpx.Response], metrics: str) -> None:
        self.responses = responses
        self.metrics = metrics

    @property
    def one(self) -> httpx.Response:
        [response] = self.responses
        return response

    @property
    def entities(self) -> list[dict[str, Any]]:
        [output] = self.one.json()["outputs"]
        entities: list[dict[str, Any]] = output["entities"]
        return entities

    def calls(self, service: str, outcome: str) -> float:
        name = re.escape(f'upstream_calls_total{{outcome="{outcome}",service="{service}"}}')
        other = re.escape(f'upstream_calls_total{{service="{service}",outcome="{outcome}"}}')
        [value] = re.findall(rf"^(?:{name}|{other}) (.+)$", self.metrics, re.MULTILINE) or ["0"]
        return float(value)


def predict(url: str, *bodies: dict[str, Any], in_turn: bool = False, **settings: Any) -> Answers:
    """Post requests to an app with its entity-fishing server at `url`, together or one by one."""

    async def post() -> Answers:
        model = EntityFishingModel(
            None, EntityFishingSettings(backend="service", service_url=url, **settings)
        )
        app = create_app(model, ServeSettings())
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client,
        ):
            while (await client.get("/v1/ready")).status_code != 200:
                await asyncio.sleep(0)
            if in_turn:
                responses = [await client.post(PATH, json=body) for body in bodies]
            else:
                responses = await asyncio.gather(*(client.post(PATH, json=body) for body in bodies))
            return Answers(list(responses), (await client.get("/metrics")).text)

    return asyncio.run(post())


def request(text: str, *entities: dict[str, Any], language: str = "en") -> dict[str, Any]:
    document: dict[str, Any] = {"document": text}
    if entities:
        document["entities"] = list(entities)
    return {"configuration": {"language": language}, "inputs": [document]}


def entity(
    start: int, end: int, wikidata_id: str | None, score: Any = 0.9, **more: Any
) -> dict[str, Any]:
    """An entity in a response."""
    fields = {"rawName": "x", "offsetStart": start, "offsetEnd": end, "confidence_score": score}
    return {**fields, **({"wikidataId": wikidata_id} if wikidata_id else {}), **more}


def test_server_finds_and_links_names(fishing):
    text = "Paris sits in <b>France</b>."
    found = (entity(14, 20, "Q142"), entity(0, 5, "Q90", type="LOCATION", domains=["Geography"]))
    fishing.answers = [fishing.entities(*found)]
    answers = predict(fishing.url, request(text, language="de"))
    [(path, body)] = fishing.received
    assert path == "/service/disambiguate"
    assert body["mentions"] == ["ner", "wikipedia"]
    assert body["language"] == {"lang": "de"}
    assert "entities" not in body
    assert answers.entities[0] == {
        "entity_text": "Paris",
        "entity_type": "LOCATION",
        "start": 0,
        "end": 5,
        "score": 0.9,
        "wikidata_id": "Q90",
        "wiki_link": "https://www.wikidata.org/wiki/Q90",
        "label": None,
        "description": None,
        "reason": None,
    }
    second = answers.entities[1]
    assert second["wikidata_id"] == "Q142"
    assert text[second["start"] : second["end"]] == "France"
    assert answers.one.json()["backend"] == "service"
    assert answers.calls("entity-fishing server", "answered") == 1


def test_given_names_are_sent_with_their_places_in_the_text(fishing):
    text = "🚋 <p>Zürich &amp; C++ (a)</p> Zürich"
    given = [
        {"entity_text": "Zürich"},
        {"entity_text": "C++"},
        {"entity_text": "(a"},
        {"entity_text": "Oz"},
    ]

    def answer(handler: Any, body: dict[str, Any]) -> None:
        units = body["text"].encode("utf-16-le")
        for sent in body["entities"]:
            part = units[2 * sent["offsetStart"] : 2 * sent["offsetEnd"]]
            assert part.decode("utf-16-le") == sent["rawName"]
        links = [
            entity(sent["offsetStart"], sent["offsetEnd"], "Q72")
            for sent in body["entities"]
            if sent["rawName"] == "Zürich"
        ]
        fishing.entities(*links)(handler, body)

    fishing.answers = [answer]
    entities = predict(fishing.url, request(text, *given)).entities
    assert [(item["entity_text"], item["reason"]) for item in entities] == [
        ("Zürich", None),
        ("Zürich", None),
        ("C++", "unknown"),
        ("(a", "unknown"),
        ("Oz", "not_in_document"),
    ]
    for item in entities[:4]:
        assert text[item["start"] : item["end"]] == item["entity_text"]
    assert entities[1]["start"] > entities[0]["start"]
    assert fishing.received[0][1]["mentions"] == []


def test_best_candidate_is_chosen_by_span_and_score_and_not_by_order(fishing):
    fishing.answers = [
        fishing.entities(
            entity(0, 5, "Q830149", "0.2"),
            entity(0, 12, "Q47899", 0.99),
            entity(0, 5, "Q90", "0.7"),
            entity(0, 5, None, 1.0),
        )
    ]
    [found] = predict(fishing.url, request("Paris Hilton", {"entity_text": "Paris"})).entities
    assert (found["wikidata_id"], found["score"]) == ("Q90", 0.7)


def test_overlapping_names_that_the_server_finds_give_the_most_certain(fishing):
    fishing.answers = [fishing.entities(entity(0, 5, "Q90", 0.4), entity(0, 12, "Q47899", 0.9))]
    [found] = predict(fishing.url, request("Paris Hilton sings.")).entities
    assert found["wikidata_id"] == "Q47899"


def test_spans_outside_the_text_are_dropped(fishing):
    fishing.answers = [
        fishing.entities(entity(0, 500, "Q1"), entity(1, 2, "Q2"), entity(5, 5, "Q3"))
    ]
    assert predict(fishing.url, request("🚋🚋 trams")).entities == []


def test_text_without_names_to_link_needs_no_call(fishing):
    body = {"inputs": [{"document": ""}, {"document": "Paris", "entities": []}]}
    outputs = predict(fishing.url, body).one.json()["outputs"]
    assert [output["entities"] for output in outputs] == [[], []]
    assert fishing.received == []


def test_names_come_from_the_ner_service(fishing, ner):
    text = "Maria met <i>Merkel</i>."
    found = [
        {
            "entity_type": "PER",
            "entity_text": "Merkel",
            "score": 0.9,
            "sentence_index": 0,
            "start": 10,
            "end": 16,
        }
    ]
    ner.answers = [ner.raw(json.dumps({"outputs": [{"entities": found}]}).encode())]
    fishing.answers = [fishing.entities(entity(10, 16, "Q567"))]
    answers = predict(fishing.url, request(text), mentions="ner", ner_url=ner.url)
    [linked] = answers.entities
    assert (linked["entity_type"], linked["wikidata_id"]) == ("PER", "Q567")
    assert text[linked["start"] : linked["end"]] == "Merkel"
    [(path, body)] = ner.received
    assert path == "/v1/model/ner/predict"
    assert body == {
        "configuration": {"language": "en", "markup": "plain"},
        "inputs": [{"document": "Maria met Merkel."}],
    }
    assert answers.calls("ner service", "answered") == 1


def test_failing_ner_service_is_named(fishing, ner):
    ner.answers = [ner.status(500)]
    response = predict(
        fishing.url, request("Paris."), mentions="ner", ner_url=ner.url, attempts=1
    ).one
    assert response.status_code == 502
    assert response.json()["detail"].startswith("The ner service 127.0.0.1:")
    assert fishing.received == []


@pytest.mark.parametrize(
    ("name", "arguments", "status", "calls", "sentence"),
    [
        ("status", (500,), 502, 2, "failed with status 500"),
        ("status", (400,), 502, 1, "failed with status 400"),
        ("status", (302, {"Location": "http://127.0.0.1:1/"}), 502, 1, "failed with status 302"),
        ("status", (406,), 422, 1, "does not take this document"),
        ("status", (503,), 503, 2, "takes no more requests for now"),
        ("status", (429, {"Retry-After": "60"}), 503, 1, "takes no more requests for now"),
        ("raw", (b"<html>rubbish</html>",), 502, 2, "can't be used"),
        ("raw", (b'{"entities": {}}',), 502, 2, "can't be used"),
        ("raw", (b'{"entities": [{"offsetStart": -1, "offsetEnd": 2}]}',), 502, 2, "can't be used"),
        (
            "raw",
            (b'{"entities": [{"offsetStart": 0, "offsetEnd": 2, "wikidataId": "../x"}]}',),
            502,
            2,
            "used",
        ),
    ],
)
def test_failure_is_a_problem_that_names_the_server(
    fishing, name, arguments, status, calls, sentence
):
    fishing.answers = [getattr(fishing, name)(*arguments)]
    answers = predict(fishing.url, request("Paris sings."), attempts=2)
    problem = answers.one.json()
    assert (answers.one.status_code, problem["status"]) == (status, status)
    assert problem["detail"].startswith("The entity-fishing server 127.0.0.1:")
    assert sentence in problem["detail"]
    assert "secret" not in answers.one.text
    assert len(fishing.received) == calls
    assert answers.calls("entity-fishing server", str(status)) == calls


def test_failures_are_followed_by_a_good_response(fishing):
    fishing.answers = [fishing.status(500), fishing.cut_off, fishing.entities(entity(0, 5, "Q90"))]
    [found] = predict(fishing.url, request("Paris sings.")).entities
    assert found["wikidata_id"] == "Q90"


@pytest.mark.parametrize("setting", ["attempt_seconds", "deadline_seconds"])
def test_silent_server_is_given_up(fishing, setting):
    fishing.answers = [fishing.silence]
    settings: dict[str, Any] = {"attempts": 1, setting: 0.3}
    answers = predict(fishing.url, request("Paris sings."), **settings)
    assert answers.one.status_code == 504
    assert "did not respond" in answers.one.json()["detail"]


def test_unreachable_server_is_unavailable(fishing):
    url = fishing.url.replace("http://", "http://user:password@")
    fishing.server_close()
    response = predict(url, request("Paris sings."), attempts=1).one
    assert response.status_code == 503
    assert "can't be reached" in response.json()["detail"]
    assert "password" not in response.text


def test_circuit_breaker_of_a_broken_server_opens(fishing):
    fishing.answers = [fishing.status(500), fishing.status(500), fishing.entities()]
    settings: dict[str, Any] = {"attempts": 1, "breaker_failures": 2}
    bodies = [request("Paris sings.")] * 4
    answers = predict(fishing.url, *bodies, in_turn=True, breaker_seconds=60, **settings)
    assert [response.status_code for response in answers.responses] == [502, 502, 503, 503]
    assert "circuit breaker is open" in answers.responses[3].json()["detail"]
    assert int(answers.responses[3].headers["Retry-After"]) <= 60
    assert len(fishing.received) == 2


def test_one_client_s_failure_is_not_another_s(fishing):
    def picky(handler: Any, body: dict[str, Any]) -> None:
        (fishing.status(400) if "boats" in body["text"] else fishing.entities())(handler, body)

    fishing.answers = [picky]
    bodies = [request("Trams ring."), request("All boats sink."), request("Trams stop.")]
    statuses = [response.status_code for response in predict(fishing.url, *bodies).responses]
    assert statuses == [200, 502, 200]


def test_no_more_calls_at_the_same_time_than_allowed(fishing):
    running, most = [], []

    def watch(handler: Any, body: dict[str, Any]) -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()
        fishing.entities()(handler, body)

    fishing.answers = [watch]
    body = {"inputs": [{"document": "Trams ring."}] * 10}
    assert predict(fishing.url, body, concurrency=3).one.is_success
    assert len(most) == 10
    assert max(most) <= 3
