"""`mesh up summarization`, as a user runs it."""

from mesh_command import Served, answered, printed_response


def test_encoder_is_made_and_the_server_returns_the_printed_response(served: Served) -> None:
    # `mesh up` has sent the request that it prints.
    before = answered(served)
    assert before
    [output] = printed_response(served.command)["outputs"]
    assert answered(served) == before + 1
    assert output["summary"].startswith("Marie Curie")
    models = {path.name.partition("-")[0] for path in (served.workspace / "models").iterdir()}
    assert models == {"ENCODER", "SUMMARIZATION"}
