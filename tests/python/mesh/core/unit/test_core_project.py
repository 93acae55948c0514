import pytest

from mesh.core.project import CODE_ONLY_STEPS, Project


def test_every_name_comes_from_the_project() -> None:
    project = Project(name="entity-fishing", description="d", port=8080)
    assert project.package == "entity_fishing"
    assert project.trained_model == "ENTITY-FISHING-TRAINED"
    assert project.compiled_model == "ENTITY-FISHING-COMPILED"
    assert project.samples == "entity_fishing.train:samples.json"


def test_steps_can_be_chosen() -> None:
    project = Project(name="lsh", description="d", port=1, kind="code-only", steps=CODE_ONLY_STEPS)
    assert project.steps == ("serve:serve", "serve:load", "serve:upload-results")
    assert project.samples == "lsh.serve:samples.json"


@pytest.mark.parametrize(
    "name", ["", "Keywords", "key_words", "-a", "a-", "a--b", "1a", "a b", "a/b", "a\n", "é"]
)
def test_bad_names(name: str) -> None:
    with pytest.raises(ValueError, match="is not a project name"):
        Project(name=name, description="d", port=1)
