"""`compile:trace`: compile the downloaded model with the chosen backend, unless nothing has changed."""

import logging
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.environment import describe_environment
from mesh.core.files import atomic_directory
from mesh.core.files import read_json
from mesh.core.manifest import Manifest
from mesh.core.program import Program
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compilation import Compilation
from mesh.lifecycle.downloaded import Downloaded
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.version import ARTIFACTS
from mesh.lifecycle.version import TEST_FILES
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)
