"""A registry that a team shares: MLflow's server in front of a database and a storage."""

import os
import sys

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from mesh.core.program import Program
from mesh.core.settings import MeshSettings, Url
from mesh.core.urls import mask_url
from mesh.registry.settings import RegistrySettings

# They aren't used here, and cost processes and memory.
OFF = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class RegistryServerSettings(MeshSettings):
    """Where the server keeps versions and listens; it has no passwords."""

    model_config = SettingsConfigDict(env_prefix="MESH_REGISTRY_SERVER_")

    database: SecretStr = Field(
        description="Its database, such as postgresql://USER:PASSWORD@HOST/DATABASE."
    )
    storage: Url = Field(description="Where it keeps files: a folder, or s3://BUCKET/PREFIX.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(5000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, description="Processes; each takes about 500 MB.")
    allowed_hosts: str = Field(
        "localhost:*,127.0.0.1:*",
        description="Host names of the server, separated by commas; `*` stands for any text.",
    )


def serve(settings: RegistryServerSettings) -> None:
    """Become MLflow's server.

    Raises:
        MeshError: the database can't be reached, or its schema is another MLflow's.
    """
    from mesh.registry.mlflow.errors import registry_errors
    from mesh.registry.mlflow.schema import check_schema

    database = settings.database.get_secret_value()
    with registry_errors(RegistrySettings(uri=database)):
        check_schema(database, mask_url(database))
    environment = {
        **os.environ,
        **OFF,
        # Flags can be read by everyone on the machine.
        "MLFLOW_BACKEND_STORE_URI": database,
        "MLFLOW_ARTIFACTS_DESTINATION": settings.storage,
    }
    flags = {
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "allowed-hosts": settings.allowed_hosts,
    }
    options = [f"--{name}={value}" for name, value in flags.items()]
    command = [sys.executable, "-m", "mlflow", "server", *options]
    os.execve(sys.executable, command, environment)  # noqa: S606


main = Program(
    component="mesh.registry",
    name="serve",
    run=serve,
    settings=(RegistryServerSettings,),
    serves=True,
)

if __name__ == "__main__":
    main()
