"""Which backend links, and how it reaches other services."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from entity_fishing.schema import Backend
from mesh.core.settings import MeshSettings


class EntityFishingSettings(MeshSettings):
    """How names are found and linked."""

    model_config = SettingsConfigDict(env_prefix="ENTITY_FISHING_")

    backend: Backend = Field(
        "embedded",
        description="`embedded` uses a knowledge base and needs no service; `service` asks an entity-fishing server.",
    )
    knowledge_base: Path | None = Field(
        None,
        description="File that knowledge_base:build made, for `embedded`; by default a small sample.",
    )
    mentions: Literal["backend", "ner"] = Field(
        "backend",
        description="Who finds names where a request has none: the backend itself, or the ner service.",
    )
    service_url: str = Field(
        "http://127.0.0.1:8090", description="Address of the entity-fishing server."
    )
    ner_url: str = Field("http://127.0.0.1:8003", description="Address of the ner service.")
    concurrency: int = Field(8, ge=1, description="Calls of a service at the same time; more wait.")
    attempts: int = Field(3, ge=1, description="How often a failed call is made at most.")
    attempt_seconds: float = Field(10, gt=0, description="How long one call may take.")
    deadline_seconds: float = Field(
        25,
        gt=0,
        description="All calls for a batch of requests end within this time; keep it below SERVE_DEADLINE_SECONDS.",
    )
    breaker_failures: int = Field(
        5, ge=1, description="After so many failed calls in a row a service is left alone."
    )
    breaker_seconds: float = Field(
        10, gt=0, description="For how long; then one call tries whether it works again."
    )
