"""The backend that summarises, and its service."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from mesh.core.settings import MeshSettings
from summarization.schema import Backend


class SummarizationSettings(MeshSettings):
    """Settings of the summaries."""

    model_config = SettingsConfigDict(env_prefix="SUMMARIZATION_")

    backend: Backend = Field(
        "extractive",
        description="`extractive` chooses sentences and needs no service; `chat` calls a language "
        "model.",
    )
    base_url: str = Field(
        "https://api.openai.com/v1",
        description="URL of the chat endpoint, which speaks OpenAI's protocol.",
    )
    model: str = Field("gpt-4o-mini", description="Name of the endpoint's model.")
    api_key: SecretStr | None = Field(None, description="The endpoint's key, if it needs one.")
    stream: bool = Field(
        False,
        description="Receive responses piece by piece, for endpoints behind impatient proxies.",
    )
    concurrency: int = Field(
        8, ge=1, description="Calls of the endpoint at the same time; more wait."
    )
    attempts: int = Field(3, ge=1, description="How many times a call is made at most.")
    deadline_seconds: float = Field(
        25,
        gt=0,
        description="All calls for a batch of requests end within this time; keep it below "
        "SERVE_DEADLINE_SECONDS.",
    )
    context_tokens: int = Field(
        8_000, ge=4_000, description="Tokens that one call may have, its response included."
    )
    document_tokens: int = Field(
        100_000, ge=1, description="Documents of more tokens, as estimated, are refused."
    )
