"""The schemas of an OpenAPI document: JSON schemas of pydantic models, and their names.

Names are unique over all projects, so that one program may use clients of several: what a project
declares has the project's name in front, such as `KeywordsRequest`.
"""

import functools
import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import CoreModeRef, DefsRef, GenerateJsonSchema, models_json_schema

OWN = "mesh."
"""The package of the schemas that all projects share."""

_CLASS = re.compile(r"((?:[^.,[\]]+\.)+)([^.:,[\]]+)")
"""In pydantic's references: the module of a class, and its name."""


class Schemas:
    """JSON schemas of models, with references between them.

    Args:
        project: the name of the served model.
        received: the models of requests.
        sent: the models of responses.
    """

    def __init__(
        self, project: str, received: Sequence[type[BaseModel]], sent: Sequence[type[BaseModel]]
    ) -> None:
        prefix = "".join(
            part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", project)
        )

        class Generator(GenerateJsonSchema):
            def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
                reference, mode = core_mode_ref
                named = _CLASS.sub(functools.partial(_prefixed, prefix), reference)
                return super().get_defs_ref((type(reference)(named), mode))

        self._references, schema = models_json_schema(
            [
                *((each, "validation") for each in received),
                *((each, "serialization") for each in sent),
            ],
            ref_template="#/components/schemas/{model}",
            schema_generator=Generator,
        )
        self.definitions: dict[str, Any] = schema["$defs"]
        for name, definition in self.definitions.items():
            definition["title"] = name
        for model in received:
            self._describe_defaults(self.received(model), set())

    def received(self, model: type[BaseModel]) -> dict[str, Any]:
        """A reference to the schema of a request."""
        return dict(self._references[model, "validation"])

    def sent(self, model: type[BaseModel]) -> dict[str, Any]:
        """A reference to the schema of a response."""
        return dict(self._references[model, "serialization"])

    def _describe_defaults(self, schema: Any, seen: set[str]) -> None:
        """Have descriptions tell the defaults of a request's members, in place of `default`.

        openapi-typescript takes a member with a `default` for one that must be sent.
        """
        if isinstance(schema, list):
            for each in schema:
                self._describe_defaults(each, seen)
        elif isinstance(schema, dict):
            for member in schema.get("properties", {}).values():
                _describe_default(member)
            name = str(schema.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                seen.add(name)
                self._describe_defaults(self.definitions[name], seen)
            for key, value in schema.items():
                if key not in ("example", "examples", "enum", "const"):
                    self._describe_defaults(value, seen)


def _describe_default(member: dict[str, Any]) -> None:
    default = member.pop("default", None)
    if default is not None and not isinstance(default, dict):
        description = f"{member.get('description', '')} By default {json.dumps(default)}."
        member["description"] = description.strip()


def _prefixed(prefix: str, found: re.Match[str]) -> str:
    module, name = found.groups()
    rest = name.removeprefix(prefix)
    is_named = rest != name and not rest[:1].islower()
    return found[0] if module.startswith(OWN) or is_named else f"{module}{prefix}{name}"
