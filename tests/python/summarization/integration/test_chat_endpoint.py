"""Responses of endpoints that speak the protocol each in their own way."""

import asyncio
import json

import pytest
from pydantic import SecretStr

from mesh.core.tracing import program_span, tracing
from mesh.serve.upstream import UpstreamError
from summarization.endpoint import Endpoint
from summarization.settings import SummarizationSettings
from trace_collector import collecting

KEY = "sk-secret-key"


def endpoint(chat, **settings):
    return Endpoint(
        SummarizationSettings(
            backend="chat", base_url=chat.url, api_key=SecretStr(KEY), model="tiny", **settings
        )
    )


def call(endpoint, times=1):
    async def calls():
        return [await endpoint.call("Summarise.", "Trams ring.", 40) for _ in range(times)]

    return asyncio.run(calls())[-1]


def failure(endpoint):
    with pytest.raises(UpstreamError) as raised:
        call(endpoint)
    return raised.value


def body(message=None, finish_reason="stop", **more):
    message = {"role": "assistant", "content": "Trams."} if message is None else message
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return json.dumps({"choices": [choice], **more}).encode()


def stream(*events, done=True, usage=None, kind="text/event-stream; charset=utf-8"):
    """An answer of events, each a delta and a finish reason."""
    lines = [
        {"choices": [{"delta": delta, "finish_reason": reason}], "usage": usage}
        for delta, reason in events
    ]
    ends = ["[DONE]"] if done else []
    content = "".join(f"data: {line}\n\n" for line in [*map(json.dumps, lines), *ends]).encode()
    return lambda handler, received: handler.answer(200, content, {"Content-Type": kind})


@pytest.mark.parametrize(
    "reason",
    ["stop", "STOP", "end_turn", "eos", "eos_token", "stop_sequence", "COMPLETE", "", None],
)
def test_complete_response_is_taken_whatever_its_end_is_called(chat, reason):
    chat.answers = [chat.raw(body(finish_reason=reason))]
    assert call(endpoint(chat)) == "Trams."


def test_response_without_a_finish_reason_is_complete(chat):
    chat.answers = [chat.raw(b'{"choices": [{"message": {"content": "Trams."}}]}')]
    assert call(endpoint(chat)) == "Trams."


@pytest.mark.parametrize(
    ("reason", "sentence", "transient"),
    [
        ("length", "an incomplete response (finish_reason 'length')", True),
        ("max_tokens", "an incomplete response", True),
        ("MAX_TOKENS", "an incomplete response", True),
        ("model_length", "an incomplete response", True),
        ("tool_calls", "an incomplete response", True),
        ("error", "an incomplete response", True),
        ("OTHER", "an incomplete response", True),
        ("content_filter", "withheld its response (finish_reason 'content_filter')", False),
        ("SAFETY", "withheld its response", False),
        ("RECITATION", "withheld its response", False),
        ("refusal", "withheld its response", False),
    ],
)
def test_response_with_another_end_is_refused(chat, reason, sentence, transient):
    chat.answers = [chat.raw(body(finish_reason=reason))]
    error = failure(endpoint(chat))
    assert sentence in str(error)
    assert (error.status, error.transient) == (502, transient)


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        (
            "max_tokens",
            {
                "error": {
                    "message": "Unsupported parameter: 'max_tokens' is not supported with this "
                    "model. Use 'max_completion_tokens' instead.",
                    "param": "max_tokens",
                }
            },
        ),
        ("temperature", {"error": "temperature must be 1"}),
        ("stream_options", {"detail": [{"loc": ["body", "stream_options"], "msg": "extra"}]}),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_refused_argument_is_left_out_from_then_on(chat, name, refusal, status):
    def picky(handler, received):
        if name in received:
            handler.answer(status, json.dumps(refusal).encode())
        else:
            chat.completion("Trams.")(handler, received)

    chat.answers = [picky]
    assert call(endpoint(chat, stream=True), times=3) == "Trams."
    assert [name in sent for sent in chat.bodies] == [True, False, False, False]
    limits = ("max_tokens", "max_completion_tokens")
    assert [[sent.get(limit) for limit in limits].count(40) for sent in chat.bodies] == [1] * 4


def test_argument_that_is_refused_under_both_names_is_a_failure_and_not_remembered(chat):
    refusal = b'{"error": {"message": "max_tokens and max_completion_tokens are too large"}}'
    chat.answers = [lambda handler, received: handler.answer(400, refusal)]
    refusing = endpoint(chat)
    for _ in range(2):
        assert "max_tokens and max_completion_tokens are too large" in str(failure(refusing))
    assert ["max_tokens" in sent for sent in chat.bodies] == [True, False] * 2


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 20, "completion_tokens": 5}, (20, 5)),
        ({"prompt_tokens": None, "completion_tokens": 5}, (0, 5)),
        ({"prompt_tokens": "many"}, (0, 0)),
        (None, (0, 0)),
        ([], (0, 0)),
        ("none", (0, 0)),
    ],
)
def test_usage_of_any_form_is_counted_where_it_can_be(chat, usage, counted):
    chat.answers = [
        chat.raw(body(usage=usage)),
        stream(({"content": "Tr"}, None), ({"content": "ams."}, "stop"), usage=usage),
    ]
    for streaming in (False, True):
        calling = endpoint(chat, stream=streaming)
        assert call(calling) == "Trams."
        samples = next(iter(calling.tokens.collect())).samples
        counts = {
            sample.labels["kind"]: sample.value
            for sample in samples
            if sample.name.endswith("_total")
        }
        assert (counts["prompt"], counts["completion"]) == counted


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "Tra"}, {"type": "text", "text": "ms."}],
        [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, "Trams."],
        [{"type": "reasoning", "text": "Hm."}, {"type": "output_text", "text": "Trams."}],
        "<think>Hm.</think>\n\nTrams.",
        "Hm.</think>Trams.",
    ],
)
def test_text_is_found_among_parts_and_reasoning(chat, content):
    message = {"role": "assistant", "content": content, "reasoning_content": "Hm."}
    chat.answers = [chat.raw(body(message)), stream((message, "stop"))]
    assert call(endpoint(chat)) == "Trams."
    assert call(endpoint(chat, stream=True)) == "Trams."


def test_reasoning_without_an_end_is_not_a_summary(chat):
    chat.answers = [chat.raw(body({"content": "<think>Hm. Trams."}))]
    assert "returned reasoning without an end" in str(failure(endpoint(chat)))


@pytest.mark.parametrize("done", [True, False])
def test_stream_without_a_finish_reason_must_end_by_its_mark(chat, done):
    chat.answers = [stream(({"content": "Trams."}, None), done=done)]
    streaming = endpoint(chat, stream=True)
    if done:
        assert call(streaming) == "Trams."
    else:
        assert "an incomplete response (finish_reason None)" in str(failure(streaming))


def test_separators_in_a_text_do_not_part_events(chat):
    choice = {"delta": {"content": "Tra\u2028ms.\x85"}, "finish_reason": "stop"}
    event = json.dumps({"choices": [choice]}, ensure_ascii=False)
    content = f": ping\r\n\r\nevent: message\r\ndata: {event}\r\n\r\ndata: [DONE]".encode()
    kind = {"Content-Type": "text/event-stream"}
    chat.answers = [lambda handler, received: handler.answer(200, content, kind)]
    assert call(endpoint(chat, stream=True)) == "Tra\u2028ms."


def test_stream_is_read_whatever_it_is_called(chat):
    chat.answers = [stream(({"content": "Trams."}, "stop"), kind="text/plain")]
    assert call(endpoint(chat, stream=True)) == "Trams."


def test_endpoint_that_does_not_stream_is_understood(chat):
    chat.answers = [chat.raw(body())]
    assert call(endpoint(chat, stream=True)) == "Trams."


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_response_that_breaks_off_is_a_failed_connection(chat, kind):
    def break_off(handler, received):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'data: {"choices": []}\n\n')

    chat.answers = [break_off]
    error = failure(endpoint(chat, stream=True))
    assert (error.status, error.transient) == (503, True)


@pytest.mark.parametrize("choices", [[], None])
def test_response_without_choices_is_refused(chat, choices):
    chat.answers = [chat.raw(json.dumps({"choices": choices}).encode())]
    assert "returned a response without choices" in str(failure(endpoint(chat)))


def test_refusal_of_the_model_is_passed_on(chat):
    chat.answers = [chat.raw(body({"content": None, "refusal": "I can't help with that."}))]
    error = failure(endpoint(chat))
    assert "withheld its response" in str(error)
    assert "I can't help with that." in str(error)
    assert not error.transient


@pytest.mark.parametrize(
    ("status", "answer", "sentence", "shown"),
    [
        (
            400,
            {"error": {"message": "No such model: tiny."}},
            "status 400: No such model: tiny.",
            502,
        ),
        (404, [{"error": {"message": "Not found"}}], "status 404: Not found", 502),
        (422, {"detail": [{"loc": ["body"], "msg": "Too long"}]}, "status 422: Too long", 502),
        (500, {"message": "Out of memory"}, "status 500: Out of memory", 502),
        (500, {"error": None}, "status 500.", 502),
        (503, {"error": "Model is loading"}, "(status 503): Model is loading", 503),
        (401, {"error": {"message": f"Bad key {KEY}"}}, "key (status 401): Bad key ***", 502),
        (402, {"error": {"message": "Top up"}}, "no quota left for this server's key: Top up", 503),
        (
            200,
            {"error": {"message": "Provider is down"}},
            "returned an error: Provider is down",
            502,
        ),
    ],
)
def test_sentence_of_the_endpoint_is_passed_on_without_the_key(
    chat, status, answer, sentence, shown
):
    content = json.dumps(answer).encode()
    chat.answers = [lambda handler, received: handler.answer(status, content)]
    for streaming in (False, True):
        error = failure(endpoint(chat, stream=streaming))
        assert error.status == shown
        assert sentence in str(error)
        assert KEY not in str(error)


def test_page_instead_of_a_sentence_is_not_passed_on(chat):
    chat.answers = [lambda handler, received: handler.answer(502, b"<html>nginx</html>")]
    assert str(failure(endpoint(chat))).endswith("failed with status 502.")


def test_credentials_of_the_address_are_not_shown(chat):
    url = chat.url.replace("http://", "http://user:password@")
    settings = SummarizationSettings(backend="chat", base_url=url, model="tiny")
    assert "password" not in Endpoint(settings).failures.service


@pytest.mark.parametrize("streams", [False, True])
def test_calls_are_part_of_a_trace(chat, monkeypatch, streams):
    chat.answers = [chat.status(500), chat.completion("Trams.")]
    with collecting() as collector:
        for name, value in collector.environment.items():
            monkeypatch.setenv(name, value)
        with tracing("test"), program_span("program"):
            tried = endpoint(chat, stream=streams)
            failure(tried)
            assert call(tried) == "Trams."
    [program] = collector.wait_for("program")
    failed, answered = (span for span in collector.spans if span.name == "chat tiny")
    assert chat.traces == [f"00-{program.trace}-{each.id}-03" for each in (failed, answered)]
    assert (failed.failed, failed.parent) == (True, program.id)
    assert (answered.failed, answered.parent) == (False, program.id)
    assert failed.attributes["error.type"] == "InternalServerError"
    assert answered.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": chat.server_address[1],
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "tiny",
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 5,
    }
    sent = b"".join(collector.bodies)
    for secret in (KEY, "Summarise.", "Trams"):
        assert secret.encode() not in sent


def test_calls_outside_of_traces_have_no_context(chat):
    call(endpoint(chat))
    assert chat.traces == [None]
