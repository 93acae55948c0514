"""`mesh up entity-fishing`, as a user runs it."""

import httpx

from mesh_command import Served, answered, printed_response


def test_encoder_is_made_and_the_server_returns_the_printed_response(served: Served) -> None:
    # `mesh up` has sent the request that it prints.
    before = answered(served)
    assert before
    [output] = printed_response(served.command)["outputs"]
    assert answered(served) == before + 1
    found = {entity["entity_text"]: entity["wikidata_id"] for entity in output["entities"]}
    assert found == {"Marie Curie": "Q7186", "Warsaw": "Q270", "Nobel Prize": "Q7191"}
    models = {path.name.partition("-")[0] for path in (served.workspace / "models").iterdir()}
    assert models == {"ENCODER", "ENTITY"}


def test_other_text_gets_its_own_links(served: Served) -> None:
    before = answered(served)
    answer = httpx.post(
        f"{served.url}/v1/model/entity-fishing/predict",
        json={"inputs": [{"document": "Paris is the capital of France."}]},
        trust_env=False,
    )
    links = [entity["wiki_link"] for entity in answer.json()["outputs"][0]["entities"]]
    assert links == [f"https://www.wikidata.org/wiki/{name}" for name in ("Q90", "Q142")]
    assert answered(served) == before + 1
