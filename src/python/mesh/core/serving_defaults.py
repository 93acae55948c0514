"""What a server does unless its settings say otherwise, as it was measured for a version."""

from pydantic import BaseModel, ConfigDict, Field

SERVING = "serving"
"""Where it is among the settings of a version's card."""


class ServingDefaults(BaseModel):
    """The fields have the names of the server's settings.

    Args:
        max_batch: waiting requests that are computed together.
        batch_wait_ms: how long a thread waits for them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_batch: int = Field(ge=1)
    batch_wait_ms: float = Field(ge=0)
