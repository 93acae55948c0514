"""`mesh up summarization`, as a user runs it."""

import httpx

from mesh_command import printed_answer
from mesh_command import up


def test_encoder_is_made_and_the_server_answers_what_was_printed(tmp_path):
    with up("summarization", tmp_path) as (command, url):
        [output] = printed_answer(command)["outputs"]
        assert output["summary"].startswith("Marie Curie")
        metrics = httpx.get(f"{url}/metrics", trust_env=False).text
        assert 'route="/v1/model/{name}/predict",status="200"} 2.0' in metrics
    assert {path.name.partition("-")[0] for path in (tmp_path / "models").iterdir()} == {
        "ENCODER",
        "SUMMARIZATION",
    }
