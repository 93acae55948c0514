"""`mesh up summarization`, as a user runs it."""

from mesh_command import Served, answered, printed_response


def test_server_returns_the_printed_response_and_needs_no_model(served: Served) -> None:
    # `mesh up` has sent the request that it prints.
    before = answered(served)
    assert before
    [output] = printed_response(served.command)["outputs"]
    assert answered(served) == before + 1
    assert output["summary"].startswith("Marie Curie")
    assert not (served.workspace / "models").exists()
