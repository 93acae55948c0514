"""Settings of the summarising backend and its service."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings, Url
from summarization.schema import Backend


class SummarizationSettings(MeshSettings):
    """Settings for summaries."""

    model_config = SettingsConfigDict(env_prefix="SUMMARIZATION_")

    backend: Backend = Field(
        "extractive",
        description="`extractive` chooses sentences and needs no service; `chat` calls a language "
        "model.",
    )
    base_url: Url = Field(
        "https://api.openai.com/v1",
        description="URL of the chat endpoint, which speaks OpenAI's protocol.",
    )
    model: str = Field("gpt-4o-mini", description="Name of the endpoint's model.")
    api_key: SecretStr | None = Field(None, description="The endpoint's key, if it needs one.")
    stream: bool = Field(
        False,
        description="Stream responses, for endpoints behind proxies with short timeouts.",
    )
    concurrency: int = Field(8, ge=1, description="Simultaneous calls to the endpoint; more wait.")
    attempts: int = Field(3, ge=1, description="Maximum number of attempts of a call.")
    deadline_seconds: float = Field(
        25,
        gt=0,
        description="All calls for a batch of requests end within this time; keep it below "
        "SERVE_DEADLINE_SECONDS.",
    )
    context_tokens: int = Field(
        8_000, ge=4_000, description="Maximum number of tokens in one call, including its response."
    )
    reasoning_tokens: int = Field(
        0,
        ge=0,
        description="Tokens of a response beyond the summary, for models that reason before they "
        "answer; the response has at most half of SUMMARIZATION_CONTEXT_TOKENS.",
    )
    document_tokens: int = Field(
        100_000, ge=1, description="Documents with more (estimated) tokens are refused."
    )
