# Arguments of tests' targets, by the kind of the tests.


def unit():
    """Tests of code alone; those of a project or library share one process."""
    return dict(tags=["unit"], **_one_process("unit"))


def integration():
    """Tests with real models or services; those of a project or library share one process."""
    return dict(tags=["integration"], **_one_process("integration"))


def functional(share_server=False):
    """Tests of running programs.

    Args:
        share_server: whether they share the server and the process of the project's load tests.
    """
    return dict(tags=["functional"], **(_one_process("server") if share_server else {}))


def load():
    """Load tests of a project's running server."""
    return dict(tags=["load"], **_one_process("server"))


def _one_process(kind):
    folders = build_file_dir().parts
    owner = folders[2:4] if folders[2] == "mesh" else folders[2:3]
    return dict(batch_compatibility_tag=f"{'/'.join(owner)} {kind}")


def containers(dependencies=(), packages=()):
    """Tests of running containers; skipped unless build-support/docker/test names the images.

    Args:
        dependencies: other files that the tests read.
        packages: other targets whose packages they read; the tests then have their own process.
    """
    return dict(
        tags=["functional", "containers"],
        resolve="serving",
        # All of them share one run of a project's life cycle in containers.
        **({} if packages else dict(batch_compatibility_tag="containers")),
        dependencies=[
            "//:make",
            "//:projects",
            "build-support/docker:compose",
            "docker:base-lock",
            "docker:compose",
            # These run in the containers, with pytest.
            "tests/python:of-components",
            *dependencies,
        ],
        runtime_package_dependencies=["build-support/docker:tests-pex", *packages],
        extra_env_vars=["DOCKER_HOST", "MESH_TEST_IMAGES"],
        timeout=3600,
    )
