"""`mesh up summarization`, as a user runs it."""

from mesh_command import Served, answered, printed_answer


def test_encoder_is_made_and_the_server_answers_what_was_printed(served: Served) -> None:
    [output] = printed_answer(served.command)["outputs"]
    assert output["summary"].startswith("Marie Curie")
    # What was printed, and what was asked just now.
    assert answered(served) >= 2
    models = {path.name.partition("-")[0] for path in (served.workspace / "models").iterdir()}
    assert models == {"ENCODER", "SUMMARIZATION"}
