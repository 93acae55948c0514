"""What the OpenAPI document says of keys and tokens."""

from typing import Any

from mesh.serve.access.guard import needed_scope

_NAME = "key"
_PROBLEMS = {
    "401": "A key or token is needed, or the one that was sent isn't valid.",
    "403": "The caller may not do this.",
    "429": "The caller sends too many requests; see Retry-After.",
}


def add_security(document: dict[str, Any]) -> None:
    """Let every path but the probes need a key or token, with the errors that follow."""
    components = document["components"]
    components["securitySchemes"] = {_NAME: {"type": "http", "scheme": "bearer"}}
    problem = {"$ref": "#/components/schemas/ProblemDetails"}
    content = {"application/problem+json": {"schema": problem}}
    for path, operations in document["paths"].items():
        needed = needed_scope(path)
        for operation in operations.values():
            operation["security"] = [] if needed is None else [{_NAME: []}]
            if needed is not None:
                operation["responses"] |= {
                    status: {"description": text, "content": content}
                    for status, text in _PROBLEMS.items()
                }
