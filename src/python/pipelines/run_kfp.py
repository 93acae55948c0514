"""Build pipeline.yaml from containers of the life cycle; run it here, on Kubeflow or Vertex AI."""

from mesh.core.program import Program
from mesh.core.workspace import WorkspaceSettings
from pipelines.runner import run_kfp
from pipelines.settings import ImageSettings, PipelineSettings

main = Program(
    component="pipelines",
    name="run-kfp",
    run=run_kfp,
    settings=(PipelineSettings, ImageSettings, WorkspaceSettings),
)

if __name__ == "__main__":
    main()
