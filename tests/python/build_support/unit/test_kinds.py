import kinds


def images(project: str, *components: str) -> list[str]:
    return [f"src/python/{project}/{component}:image" for component in components]


TRAINED = ("compile", "serve", "train")
LIFE = "tests/python/containers/functional/test_project_life.py"


def test_first_project_of_a_kind_stands_for_it() -> None:
    built = [*images("spell", "serve"), *images("names", *TRAINED), *images("moods", *TRAINED)]

    assert kinds.one_of_each_kind(built, [LIFE]) == [
        *images("moods", *TRAINED),
        *images("spell", "serve"),
    ]


def test_another_component_makes_another_kind() -> None:
    built = [*images("moods", *TRAINED), *images("names", *TRAINED, "ingest")]

    assert set(kinds.one_of_each_kind(built, [])) == set(built)


def test_projects_with_tests_of_their_own_stand_for_their_kind() -> None:
    built = [
        image for name in ("moods", "names", "words", "zones") for image in images(name, *TRAINED)
    ]
    tests = [
        "tests/python/words/functional/test_it.py:containers",
        "tests/python/containers/functional/test_zones_life.py",
    ]

    assert kinds.one_of_each_kind(built, [LIFE, *tests]) == [
        *images("words", *TRAINED),
        *images("zones", *TRAINED),
    ]


def test_registry_is_a_kind_of_its_own() -> None:
    built = [*images("mesh", "registry"), *images("spell", "serve"), *images("texts", "serve")]

    assert kinds.one_of_each_kind(built, []) == [
        *images("mesh", "registry"),
        *images("spell", "serve"),
    ]
