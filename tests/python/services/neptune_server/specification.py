"""The part of Neptune's HTTP protocol that its client needs for a registry, as it asks for it: in Swagger 2.0.

Written for this project from what the client sends and reads.
"""

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_BOOLEAN: Schema = {"type": "boolean"}
_ANYTHING: Schema = {"type": "object"}
_TIME: Schema = {"type": "string", "format": "date-time"}


def _model(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_DEFINITIONS = {
    "Versions": _model(minCompatibleVersion=STRING),
    "MultiPart": _model(
        enabled=_BOOLEAN,
        minChunkSize=_INTEGER,
        maxChunkSize=_INTEGER,
        maxChunkCount=_INTEGER,
        maxSinglePartSize=_INTEGER,
    ),
    "ArtifactsConfig": _model(enabled=_BOOLEAN, apiVersion=_INTEGER),
    "ClientConfig": _model(
        apiUrl=STRING,
        applicationUrl=STRING,
        artifacts=_reference("ArtifactsConfig"),
        pyLibVersions=_reference("Versions"),
        multiPartUpload=_reference("MultiPart"),
    ),
    "Tokens": _model(accessToken=STRING, refreshToken=STRING),
    "Project": _model(
        id=STRING, name=STRING, organizationName=STRING, projectKey=STRING, version=_INTEGER
    ),
    "Projects": _model(entries=_list(_reference("Project"))),
    "Workspace": _model(id=STRING, name=STRING),
    "Experiment": _model(
        id=STRING,
        type=STRING,
        shortId=STRING,
        organizationName=STRING,
        projectName=STRING,
        trashed=_BOOLEAN,
    ),
    "StringValue": _model(value=STRING),
    "TimeValue": _model(value=_TIME),
    "IntValue": _model(value=_INTEGER),
    "FileValue": _model(name=STRING, ext=STRING, size=_INTEGER),
    "ArtifactValue": _model(hash=STRING),
    "Artifact": _model(artifactHash=STRING, receivedMetadata=_BOOLEAN, size=_INTEGER),
    "Metadata": _model(key=STRING, value=STRING),
    "TrackedFile": _model(
        filePath=STRING,
        fileHash=STRING,
        type=STRING,
        size=_INTEGER,
        metadata=_list(_reference("Metadata")),
    ),
    "TrackedFiles": _model(files=_list(_reference("TrackedFile"))),
    "Attribute": _model(
        name=STRING,
        type=STRING,
        stringProperties=_reference("StringValue"),
        intProperties=_reference("IntValue"),
        datetimeProperties=_reference("TimeValue"),
        fileProperties=_reference("FileValue"),
        artifactProperties=_reference("ArtifactValue"),
    ),
    "Attributes": _model(attributes=_list(_reference("Attribute"))),
    "Column": _model(name=STRING, type=STRING),
    "Columns": _model(entries=_list(_reference("Column"))),
    "Error": _model(errorDescription=STRING),
    "Changed": _model(
        errors=_list(_reference("Error")), updatedExperimentIdentifiers=_list(STRING)
    ),
    "Upload": _model(uploadId=STRING, errors=_list(_reference("Error"))),
}


_SEVERAL: Schema = {"type": "array", "items": STRING, "collectionFormat": "multi"}
_BODIES = {"operations": _list(_ANYTHING), "experimentIdentifiers": _list(STRING)}
_QUERY = {"type": _SEVERAL, "sortBy": _SEVERAL, "sortDirection": _SEVERAL}


def _operation(method: str, path: str, result: Schema | None, *query: str, **other: str) -> Schema:
    """One operation.

    Args:
        query: names of its parameters in the query.
        other: where its other parameters are.
    """
    parameters = [{"name": name, "in": "query", **_QUERY.get(name, STRING)} for name in query]
    for name, place in other.items():
        parameter: Schema = {
            "name": name.replace("_", "-") if place == "header" else name,
            "in": place,
        }
        body = _BODIES.get(name, _ANYTHING)
        parameter |= {"schema": body} if place == "body" else STRING
        parameters.append(parameter)
    answer: Schema = {"description": "", **({"schema": result} if result else {})}
    return {
        path: {
            method: {
                "operationId": path.rpartition("/")[2],
                "tags": ["api"],
                "parameters": parameters,
                "responses": {"200": answer},
            }
        }
    }


def _specification(*operations: Schema) -> Schema:
    paths: Schema = {}
    for operation in operations:
        paths |= operation
    return {
        "swagger": "2.0",
        "info": {"title": "stand-in", "version": "1"},
        "produces": ["application/json"],
        "consumes": ["application/json"],
        "paths": paths,
        "definitions": _DEFINITIONS,
    }


_B = "/api/backend"
_L = "/api/leaderboard"
_A = "/api/artifacts"
_WHERE = ("experimentId", "attribute")
_UPLOAD = ("experimentIdentifier", "attribute", "ext", "subPath", "totalLength", "uploadId")

BACKEND = _specification(
    _operation(
        "get",
        f"{_B}/getClientConfig",
        _reference("ClientConfig"),
        "alpha",
        X_Neptune_Api_Token="header",
    ),
    _operation("get", f"{_B}/exchangeApiToken", _reference("Tokens"), X_Neptune_Api_Token="header"),
    _operation("get", f"{_B}/getProject", _reference("Project"), "projectIdentifier"),
    _operation(
        "get",
        f"{_B}/listProjects",
        _reference("Projects"),
        "limit",
        "organizationIdentifier",
        "searchTerm",
        "sortBy",
        "sortDirection",
        "userRelation",
    ),
    _operation("get", f"{_B}/listOrganizations", _list(_reference("Workspace"))),
)

LEADERBOARD = _specification(
    _operation("get", f"{_L}/getExperiment", _reference("Experiment"), "experimentId"),
    _operation(
        "post",
        f"{_L}/createExperiment",
        _reference("Experiment"),
        X_Neptune_CliVersion="header",
        experimentCreationParams="body",
    ),
    _operation("post", f"{_L}/ping", None, "experimentId"),
    _operation(
        "post",
        f"{_L}/executeOperations",
        _list(_reference("Error")),
        "experimentId",
        operations="body",
    ),
    _operation("get", f"{_L}/getExperimentAttributes", _reference("Attributes"), "experimentId"),
    _operation("get", f"{_L}/getStringAttribute", _reference("StringValue"), *_WHERE),
    _operation("get", f"{_L}/getIntAttribute", _reference("IntValue"), *_WHERE),
    _operation("get", f"{_L}/getDatetimeAttribute", _reference("TimeValue"), *_WHERE),
    _operation("get", f"{_L}/getFileAttribute", _reference("FileValue"), *_WHERE),
    _operation("get", f"{_L}/getArtifactAttribute", _reference("ArtifactValue"), *_WHERE),
    _operation("get", f"{_L}/downloadAttribute", None, *_WHERE),
    _operation(
        "post",
        f"{_L}/searchLeaderboardAttributes",
        _reference("Columns"),
        "projectIdentifier",
        "search",
        "type",
        params="body",
    ),
    _operation(
        "post",
        f"{_L}/searchLeaderboardEntries",
        _ANYTHING,
        "projectIdentifier",
        "type",
        params="body",
    ),
    *(
        _operation(
            "post",
            f"{_L}/{name}",
            _reference("Changed"),
            "projectIdentifier",
            experimentIdentifiers="body",
        )
        for name in ("trashExperiments", "deleteExperiments")
    ),
    _operation("post", f"{_L}/fileAtomUpload", None, *_UPLOAD),
    _operation("post", f"{_L}/fileAtomMultipartUploadStart", _reference("Upload"), *_UPLOAD),
    _operation("post", f"{_L}/fileAtomMultipartUploadPart", None, *_UPLOAD, "uploadPartIdx"),
    _operation("post", f"{_L}/fileAtomMultipartUploadFinish", _reference("Upload"), *_UPLOAD),
)

_TRACKED = ("projectIdentifier", "hash")

ARTIFACTS = _specification(
    _operation(
        "post",
        f"{_A}/createNewArtifact",
        _reference("Artifact"),
        *_TRACKED,
        "size",
        "parentIdentifier",
    ),
    _operation(
        "put",
        f"{_A}/uploadArtifactFilesMetadata",
        _reference("Artifact"),
        *_TRACKED,
        artifactFilesDTO="body",
    ),
    _operation("get", f"{_A}/listArtifactFiles", _reference("TrackedFiles"), *_TRACKED),
)
