"""Tests of every project by its declaration."""

import importlib
import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import dotenv
import pytest

from mesh.core.errors import UsageError
from mesh.core.program import Program, component_folder
from mesh.core.project import Project, find_projects
from mesh.core.settings import MeshSettings, load_settings, variable_name
from mesh.core.steps import MODULES, find_program, steps_of
from mesh.data.settings import DataSettings
from mesh.data.splitting import SPLITS
from mesh.data.store import DataStore
from mesh.lifecycle.recipe import load_recipe
from mesh.registry.serve import main as registry_server
from mesh.serve.openapi import openapi_document
from mesh.serve.program import model_class

MACROS = Path("build-support/macros/components.py").resolve()
PROJECTS = find_projects()
TRAINED = [project for project in PROJECTS if project.kind == "trained"]
IN_PRODUCTION = [
    project
    for project in TRAINED
    if (component_folder(f"{project.package}.train") / "config/prod.env").is_file()
]
WITH_DATA = [project for project in PROJECTS if "ingest:ingest" in project.steps]


def every(projects: list[Project]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("project", projects, ids=lambda project: project.name)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_six_projects_are_found() -> None:
    trained = {"keywords", "ner", "sentiment"}
    assert {project.name for project in TRAINED} >= trained
    assert {project.name for project in IN_PRODUCTION} >= trained
    assert {project.name for project in WITH_DATA} >= trained - {"keywords"}
    names = {project.name for project in PROJECTS}
    assert names >= trained | {"entity-fishing", "lsh", "summarization"}


@every(PROJECTS)
def test_descriptions_of_the_schema_are_complete(project: Project) -> None:
    schema = importlib.import_module(f"{project.package}.schema")
    for model in (schema.Request, schema.Response):
        assert "{" not in "".join(_descriptions(model.model_json_schema()))


def test_schemas_of_the_same_name_are_the_same_in_all_projects() -> None:
    found: dict[str, object] = {}
    for project in PROJECTS:
        model = model_class(project)
        # Nothing but what the class declares is read.
        schemas = openapi_document(model.__new__(model))["components"]["schemas"]
        name = "".join(part.title() for part in project.name.split("-"))
        assert {f"{name}Request", f"{name}Response", f"{name}Configuration"} <= set(schemas)
        for each, schema in schemas.items():
            assert found.setdefault(each, schema) == schema
    # Generated clients have classes of these names themselves.
    assert not {"Client", "AuthenticatedClient", "File", "Response", "Unset"} & set(found)


def _descriptions(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "description" and isinstance(inner, str):
                yield inner
            yield from _descriptions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _descriptions(inner)


def test_targets_of_steps_depend_on_the_modules_that_do_them() -> None:
    steps = runpy.run_path(str(MACROS))["_STEPS"]
    files = {step: f"src/python/{module.replace('.', '/')}.py" for step, module in MODULES.items()}
    assert {step: file for step, file, _ in steps} == files


@pytest.mark.parametrize(
    ("project", "step"),
    [
        pytest.param(project, step, id=f"{project.name} {step}")
        for project in PROJECTS
        for step in steps_of(project)
    ],
)
def test_step_is_a_program_of_its_component(project: Project, step: str) -> None:
    program = find_program(project, step)
    assert isinstance(program, Program)
    assert f"{program.component}:{program.name}" == f"{project.package}.{step}"


@every(PROJECTS)
def test_samples_are_documents_that_the_server_takes(project: Project) -> None:
    package, _, name = project.samples.partition(":")
    samples = json.loads((component_folder(package) / name).read_text())
    assert len(samples) == len(set(samples)) > 1
    request = importlib.import_module(f"{project.package}.schema").Request
    asked = request.model_validate({"inputs": [{"document": sample} for sample in samples]})
    assert all(item.document.strip() for item in asked.inputs)


@every(PROJECTS)
def test_model_takes_a_text(project: Project, workspace: Path) -> None:
    model = model_class(project)
    served = model(workspace, *load_settings(model.settings))
    assert served.name == project.name
    example = served.example_request("Angela Merkel visited Paris.")
    assert isinstance(example, model.request_model)
    dumped = example.model_dump()["inputs"]
    assert [item["document"] for item in dumped] == ["Angela Merkel visited Paris."]
    bio = served.bio()
    assert bio["model_name"] == project.name
    assert project.kind == "code-only" or bio["model_card"] == {}


@every(TRAINED)
def test_server_of_a_trained_model_needs_a_version(project: Project) -> None:
    with pytest.raises(UsageError, match=f"{project.name} needs the directory of a compiled"):
        model_class(project)(None)


@every(IN_PRODUCTION)
def test_base_model_is_a_package_here_and_a_fixed_revision_in_production(project: Project) -> None:
    assert (load_recipe(project).base_model or "").startswith("package://")
    folder = component_folder(f"{project.package}.train")
    values = dotenv.dotenv_values(folder / "config/prod.env")
    address = values["TRAIN_BASE_MODEL"] or ""
    assert address.startswith("hf://sentence-transformers/")
    assert len(address.partition("@")[2]) == 40


@every(TRAINED)
def test_backend_that_does_not_exist_is_refused(
    project: Project,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COMPILE_BACKEND", "tpu")
    assert find_program(project, "compile:trace").main([]) == 2
    assert "COMPILE_BACKEND='tpu'" in capsys.readouterr().err
    assert not list(workspace.iterdir())


@every(PROJECTS)
def test_no_setting_shows_the_password_of_a_url(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://me:s3cret@example.org/x"
    programs = [find_program(project, step) for step in steps_of(project)]
    classes = {cls for program in (*programs, registry_server) for cls in program.settings}
    found = [
        (cls, name)
        for cls in classes
        for name, field in cls.model_fields.items()
        if re.search(r"://|URL", f"{field.description} {field.default}")
    ]
    assert len(found) > 3
    for cls, name in found:
        with monkeypatch.context() as patch:
            patch.setenv(variable_name(cls, name), url)
            assert "s3cret" not in shown_settings(cls), name


def shown_settings(cls: type[MeshSettings]) -> str:
    """The settings as they are shown, or why they are refused."""
    try:
        [settings] = load_settings([cls], complete=False)
    except UsageError as error:
        return str(error)
    return f"{settings!r} {settings.model_dump(mode='json')}"


@every([project for project in TRAINED if project not in WITH_DATA])
def test_unknown_scheme_of_a_base_model_is_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_program(project, "train:train").main(["--base-model", "ftp://weights"]) == 1
    assert "'ftp://weights' is not the address of a base model" in capsys.readouterr().err


@every(WITH_DATA)
def test_step_without_its_input_names_the_step_to_run(
    project: Project, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_program(project, "register:register").main([]) == 1
    assert "run ingest:ingest first" in capsys.readouterr().err
    assert find_program(project, "train:train").main([]) == 1
    assert "run register:register first" in capsys.readouterr().err
    assert not list(workspace.rglob("*.safetensors"))


@every(WITH_DATA)
def test_shipped_samples_become_features(project: Project, workspace: Path) -> None:
    assert find_program(project, "ingest:ingest").main([]) == 0
    assert find_program(project, "register:register").main([]) == 0
    store = DataStore(project, "features", DataSettings())
    manifest = store.get()
    with store.local(manifest, workspace) as local:
        rows = [(split, row) for split in SPLITS for row in local.rows(split)]
    assert len(rows) >= 1000
    clusters = {(row["cluster"], split) for split, row in rows}
    assert len(clusters) == len({cluster for cluster, _ in clusters})
    assert 0.07 < sum(split == "test" for split, _ in rows) / len(rows) < 0.13
