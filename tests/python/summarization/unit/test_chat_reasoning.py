import pytest

from summarization.reasoning import without_reasoning


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ("Trams.", "Trams."),
        (" <think>\nHm.\n</think>\n\nTrams.\n", "Trams."),
        ("<think></think>Trams.", "Trams."),
        ("<THINK>Hm.</Think>Trams.", "Trams."),
        ("<thinking>Hm <think> hm.</thinking>Trams.", "Trams."),
        ("<thought>Hm.</thought><reasoning>Hm.</reasoning>Trams.", "Trams."),
        ("<seed:think>Hm.</seed:think>Trams.", "Trams."),
        ("[THINK]Hm.[/THINK]Trams.", "Trams."),
        ("◁think▷Hm.◁/think▷Trams.", "Trams."),
        ("It rings. <think>Really?</think>Trams.", "It rings. Trams."),
        ("Hm. Trams?</think>Trams.", "Trams."),
        ("<think>a<think>b</think>c</think>Trams.", "Trams."),
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final"
            "<|message|>Trams.<|return|>",
            "Trams.",
        ),
        ("<|channel|>analysis<|message|>Hm.<|end|>", ""),
        ("<think>Hm.</think>", ""),
        ("<think>Trams.", None),
        ("Trams. <think>Hm.", None),
        ("<think>Hm.</thinking>Trams.", None),
        ("I think <thin> trams ring.", "I think <thin> trams ring."),
    ],
)
def test_reasoning_is_removed_and_without_an_end_there_is_no_response(content, response):
    assert without_reasoning(content) == response
