"""The life cycle as a pipeline: on this machine, on Kubeflow, on Vertex AI."""
