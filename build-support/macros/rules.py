# Which code may import which.


def project_rules():
    """A project imports itself and the libraries; only its tests and benchmarks import it."""
    serving = ("core", "nlp", "compile", "serve")
    __dependencies_rules__(
        # Downloading a model needs the registry; serving it doesn't.
        (
            "/serve:download",
            "/**",
            "!//src/python/mesh/cli/**",
            "//src/python/mesh/**",
            "//3rdparty/**",
            "!*",
        ),
        (
            "/serve:upload-results",
            "/**",
            "!//src/python/mesh/cli/**",
            "//src/python/mesh/**",
            "//3rdparty/**",
            "!*",
        ),
        # The samples belong to the component train.
        (
            "/serve:load",
            *("/*", "/serve/**", "/train/**"),
            *("//src/python/mesh/core/**", "//src/python/mesh/loadtest/**", "//src/python/mesh/*"),
            "//src/python/mesh/serve/documents.py",
            *("//3rdparty/**", "!*"),
        ),
        (
            "/serve/**",
            *("/*", "/serve/**"),
            *(f"//src/python/mesh/{library}/**" for library in serving),
            *("//src/python/mesh/*", "//3rdparty/**", "//docker/**"),
            f"//{_MAKER}",
            "!*",
        ),
        (
            "/backfill/**",
            *("/*", "/serve/**", "/backfill/**"),
            *(f"//src/python/mesh/{library}/**" for library in (*serving, "backfill")),
            *("//src/python/mesh/*", "//3rdparty/**", "//docker/**"),
            f"//{_MAKER}",
            "!*",
        ),
        (
            "*",
            *("/**", "!//src/python/mesh/cli/**", "//src/python/mesh/**"),
            *("//3rdparty/**", "//docker/**", f"//{_MAKER}", "!*"),
        ),
    )
    __dependents_rules__(
        ("*", "/**", f"//tests/python/{build_file_dir().name}/**", "//benchmarks/**", "!*")
    )
