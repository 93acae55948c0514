from mesh.core.project import Project

PROJECT = Project(name="tiny", description="Counts letters.", port=1)
