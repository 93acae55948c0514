"""`mesh up summarization`, as a user runs it."""

from mesh_command import Served, answered, printed_response


def test_encoder_is_made_and_the_server_returns_the_printed_response(served: Served) -> None:
    [output] = printed_response(served.command)["outputs"]
    assert output["summary"].startswith("Marie Curie")
    # The printed request, and the one above.
    assert answered(served) >= 2
    models = {path.name.partition("-")[0] for path in (served.workspace / "models").iterdir()}
    assert models == {"ENCODER", "SUMMARIZATION"}
