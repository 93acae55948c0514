from mesh.core.inputs import code_inputs, differences, packages_of, setting_inputs

DIGEST, OTHER = "a" * 64, "b" * 64


def test_code_is_named_by_files_and_packages() -> None:
    inputs = code_inputs(("mesh.core.tables",), packages=("not_there",))
    assert "file mesh/core/tables.py" in inputs
    assert inputs["package not_there"] is None
    assert packages_of(inputs) == ["not_there", "rich"]


def test_excluded_modules_are_no_inputs() -> None:
    assert "file mesh/core/errors.py" not in code_inputs(("mesh.core.errors", "mesh.core.tables"))
    excluded = code_inputs(("mesh.core.tables",), excluded=("mesh.core.tables",))
    assert excluded == {}


def test_equal_inputs_do_not_differ() -> None:
    inputs = {"data": DIGEST, **setting_inputs({"seed": 1})}
    assert differences(inputs, dict(inputs)) == []


def test_differences_are_named_with_values_that_people_can_read() -> None:
    before = {"data": DIGEST, "file a.py": DIGEST, "setting seed": 1, "package torch": "2.1"}
    after = {"data": OTHER, "file b.py": DIGEST, "setting seed": None, "package torch": "2.2"}
    assert differences(before, after) == [
        "data",
        "setting seed (1 -> none)",
        "file a.py (gone)",
        "file b.py (new)",
        "package torch (2.1 -> 2.2)",
    ]


def test_versions_that_record_no_inputs() -> None:
    assert differences({}, {"data": DIGEST}) == ["other inputs, which the version doesn't record"]
