# Arguments of images' targets.

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
