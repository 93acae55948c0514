"""`mesh up lsh`, as a user runs it."""

import httpx

from mesh_command import printed_response, up


def test_server_starts_without_a_model_and_returns_the_printed_response(tmp_path):
    with up("lsh", tmp_path) as served:
        [output] = printed_response(served.command)["outputs"]
        assert len(output["signature"]) > 1
        metrics = httpx.get(f"{served.url}/metrics", trust_env=False).text
        assert 'route="/v1/model/{name}/predict",status="200"} 2.0' in metrics
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
