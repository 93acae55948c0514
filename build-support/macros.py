def both_resolves():
    """The resolve of a library that servers and models share."""
    return parametrize("serving", "models")


def project_rules():
    """Called by each project's BUILD: a project is its own and its tests' affair."""
    __dependents_rules__(("*", "/**", f"//tests/python/{build_file_dir().name}/**", "!*"))
