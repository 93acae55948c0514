"""The images of components, by the settings `IMAGE_REGISTRY` and `IMAGE_TAG`."""

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.errors import UsageError
from mesh.core.names import LONGEST_IMAGE, REGISTRY, TAG_OF_IMAGE
from mesh.core.project import Project
from mesh.core.settings import MeshSettings


class ImageSettings(MeshSettings):
    """The images that the steps run in."""

    model_config = SettingsConfigDict(env_prefix="IMAGE_")

    registry: str = Field(
        "", description="Registry of the images; empty for images on this machine."
    )
    tag: Annotated[str, AfterValidator(TAG_OF_IMAGE.check)] = Field(
        "latest", description="Tag of the images."
    )

    @field_validator("registry")
    @classmethod
    def _is_registry(cls, registry: str) -> str:
        return REGISTRY.check_given(registry.rstrip("/"))

    def name_of(self, project: Project, component: str) -> str:
        """The name of a component's image, with registry and tag.

        Raises:
            UsageError: the registry's name is too long for it.
        """
        prefix = f"{self.registry}/" if self.registry else ""
        name = f"{prefix}{project.name}-{component}"
        if len(name) > LONGEST_IMAGE:
            raise UsageError(
                f"IMAGE_REGISTRY is too long: the name of the image {name} has more than "
                f"{LONGEST_IMAGE} characters."
            )
        return f"{name}:{self.tag}"
