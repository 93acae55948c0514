# Functions for BUILD files. Each gives arguments to a target, so that the target itself stays visible where it is.


def both_resolves():
    """Resolve of a library that servers share with the programs that make models."""
    return parametrize("serving", "models")


def deps_pex(*programs):
    """The third-party half of a component's PEX pair: it changes only when requirements do."""
    return dict(
        dependencies=[f":{program}" for program in programs],
        include_sources=False,
        include_tools=True,
        layout="packed",
        execution_mode="venv",
    )


def srcs_pex(*programs):
    """The other half of a component's PEX pair: the sources."""
    return dict(
        dependencies=[f":{program}" for program in programs],
        include_requirements=False,
        include_tools=True,
        layout="packed",
        execution_mode="venv",
    )


def unit():
    """Tests of code alone; those of a folder share one process."""
    return dict(tags=["unit"], batch_compatibility_tag=str(build_file_dir()))


def integration():
    """Tests of code with real models or real services."""
    return dict(tags=["integration"])


def functional():
    """Tests of running programs."""
    return dict(tags=["functional"])


def project_rules():
    """A project imports itself and the libraries; nobody but its tests imports it."""
    serving = ("core", "nlp", "compile", "serve")
    __dependencies_rules__(
        # Bringing a model here is the registry's business; serving it is not.
        ("/serve:download", "/**", "!//src/python/mesh/cli/**", "//src/python/mesh/**", "//3rdparty/**", "!*"),
        (
            "/serve/**",
            *("/*", "/serve/**"),
            *(f"//src/python/mesh/{library}/**" for library in serving),
            *("//src/python/mesh/*", "//3rdparty/**", "!*"),
        ),
        ("*", "/**", "!//src/python/mesh/cli/**", "//src/python/mesh/**", "//3rdparty/**", "!*"),
    )
    __dependents_rules__(("*", "/**", f"//tests/python/{build_file_dir().name}/**", "!*"))
