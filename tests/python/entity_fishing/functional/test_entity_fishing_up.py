"""`mesh up entity-fishing`, as a user runs it."""

import httpx

from mesh_command import printed_answer
from mesh_command import up


def test_encoder_is_made_and_the_server_answers_what_was_printed(tmp_path):
    with up("entity-fishing", tmp_path) as (command, url):
        [output] = printed_answer(command)["outputs"]
        found = {entity["entity_text"]: entity["wikidata_id"] for entity in output["entities"]}
        assert found == {"Marie Curie": "Q7186", "Warsaw": "Q270", "Nobel Prize": "Q7191"}
        answer = httpx.post(
            f"{url}/v1/model/entity-fishing/predict",
            json={"inputs": [{"document": "Paris is the capital of France."}]},
            trust_env=False,
        )
        links = [entity["wiki_link"] for entity in answer.json()["outputs"][0]["entities"]]
        assert links == [f"https://www.wikidata.org/wiki/{name}" for name in ("Q90", "Q142")]
        metrics = httpx.get(f"{url}/metrics", trust_env=False).text
        assert 'route="/v1/model/{name}/predict",status="200"} 3.0' in metrics
    assert {path.name.partition("-")[0] for path in (tmp_path / "models").iterdir()} == {
        "ENCODER",
        "ENTITY",
    }
