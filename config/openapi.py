"""The OpenAPI 3.1 document of the HTTP API, served at /api/v1/openapi.json.

Written by hand beside the table of addresses; a test holds it against the addresses that exist.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from annotate.api import MAX_DURATION_MS
from web.json import NDJSON, json_response

JSON = "application/json"
PROBLEM = "application/problem+json"


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: dict[str, Any], *, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items} | ({"minItems": least} if least else {})


def thing(properties: dict[str, Any], *, required: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """An object whose properties are all required unless `required` says otherwise."""
    wanted = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": wanted, **more}


TEXT, WHOLE, NUMBER, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}
TIME = {"type": "string", "format": "date-time"}
DURATION = {"type": "number", "minimum": 0, "maximum": MAX_DURATION_MS}
CURSOR = {"type": "integer", "minimum": 0}
INDEX = {
    "type": "integer",
    "minimum": 0,
    "description": "a response's index in the instance, never its place on a screen",
}


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


SCHEMAS: dict[str, Any] = {
    "Problem": thing(
        {"type": TEXT, "title": TEXT, "status": WHOLE, "detail": TEXT},
        description="RFC 9457; further members carry the facts.",
    ),
    "Project": thing(
        {
            "slug": TEXT,
            "name": TEXT,
            "template": TEXT,
            "overlap": WHOLE,
            "created": TIME,
            "archived": nullable(TIME),
        }
    ),
    "Aspect": thing(
        {
            "name": TEXT,
            "title": TEXT,
            "description": TEXT,
            "task_type": TEXT,
            "required": FLAG,
            "settings": {"type": "object"},
        }
    ),
    "ImportReport": thing(
        {
            "imported": WHOLE,
            "duplicates": WHOLE,
            "labels": thing({"human": WHOLE, "ai": WHOLE}),
            "errors": array(thing({"line": WHOLE, "error": TEXT})),
        }
    ),
    "Progress": thing(
        {"instances": WHOLE, "routed_human": WHOLE, "submitted": WHOLE, "open": WHOLE, "ai_labelled": WHOLE}
    ),
    "PreparedFile": thing(
        {
            "id": WHOLE,
            "version": TEXT,
            "format": TEXT,
            "container": TEXT,
            "status": TEXT,
            "rows": WHOLE,
            "of": WHOLE,
            "size": nullable(WHOLE),
            "hash": nullable(TEXT),
            "error": nullable(TEXT),
        }
    ),
    "Message": thing({"role": TEXT, "content": TEXT}),
    "Prompt": {"anyOf": [TEXT, array({"$ref": "#/components/schemas/Message"})]},
    "Assignment": thing(
        {
            "assignment": WHOLE,
            "expires_at": TIME,
            "instance": thing(
                {
                    "id": TEXT,
                    "prompt": ref("Prompt"),
                    "context": {"type": "object"},
                    "responses": array(
                        thing({"index": INDEX, "text": TEXT, "messages": nullable(array(ref("Message")))})
                    ),
                }
            ),
            "aspects": array(ref("Aspect")),
            "order": array(INDEX),
        }
    ),
    "Answers": {
        "type": "object",
        "description": "A value for each aspect by its name.",
        "additionalProperties": {
            "anyOf": [
                thing(
                    {
                        "strength": {
                            "type": "integer",
                            "description": "negative: response 0 preferred, 0 a tie",
                        },
                        "both_bad": FLAG,
                        "confidence": {"type": "integer", "minimum": 1, "maximum": 3},
                        "reasons": array(TEXT),
                        "comment": TEXT,
                    },
                    required=[],
                    title="pairwise",
                ),
                thing(
                    {"ratings": {"type": "object", "additionalProperties": NUMBER}},
                    required=["ratings"],
                    title="rating",
                ),
                thing({"ranks": array({"type": "integer", "minimum": 1})}, title="ranking"),
                {"type": "object", "title": "another task type"},
            ]
        },
    },
    "Submission": thing(
        {
            "answers": ref("Answers"),
            "rationale": TEXT,
            "duration_ms": {"type": "number", "minimum": 0, "maximum": MAX_DURATION_MS},
        },
        required=["answers"],
    ),
    "Receipt": thing({"labels": array(WHOLE), "receipt": TEXT}),
    "Label": thing(
        {
            "id": WHOLE,
            "instance": TEXT,
            "aspect": TEXT,
            "rater": TEXT,
            "kind": {"type": "string", "enum": ["person", "judge", "gold", "adjudicator", "use"]},
            "value": {"type": "object"},
            "order": array(INDEX),
            "created": TIME,
            "superseded": nullable(TIME),
        }
    ),
    "Gold": thing(
        {"instance": TEXT, "answers": nullable(ref("Answers")), "explanation": TEXT},
        required=["instance", "answers"],
    ),
    "Signal": thing(
        {
            "instance": TEXT,
            "signal": {"type": "string", "enum": ["thumbs", "reaction", "follow_up", "edit"]},
            "response": INDEX,
            "value": {"anyOf": [WHOLE, TEXT]},
            "user": {"type": "string", "description": "the end user's pseudonym"},
        },
        required=["instance", "signal", "response", "value"],
    ),
}

SLUG = {"name": "slug", "in": "path", "required": True, "schema": TEXT}
PK = {"name": "pk", "in": "path", "required": True, "schema": WHOLE}
FORMAT = {"name": "format", "in": "path", "required": True, "schema": TEXT}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 200},
    "description": "A repeated key returns the first answer; 422 with another body.",
}


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def answer(description: str, schema: dict[str, Any] | None, *, media: str = JSON) -> dict[str, Any]:
    content = {"content": {media: {"schema": schema}}} if schema else {}
    return {"description": description, **content}


def operation(
    summary: str,
    *,
    parameters: list[dict[str, Any]],
    answers: dict[str, Any],
    body: dict[str, Any] | None = None,
    media: str = JSON,
) -> dict[str, Any]:
    """One operation; every one may answer with a problem."""
    described: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {**answers, "default": answer("A refusal.", ref("Problem"), media=PROBLEM)},
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": {media: {"schema": body}}}
    return described


PATHS: dict[str, Any] = {
    "/projects/": {
        "get": operation(
            "The projects that the caller can see.",
            parameters=[],
            answers={"200": answer("Projects.", thing({"projects": array(ref("Project"))}))},
        )
    },
    "/projects/{slug}/": {
        "get": operation(
            "One project, with its aspects and guidelines.",
            parameters=[SLUG],
            answers={"200": answer("The project.", ref("Project"))},
        )
    },
    "/projects/{slug}/instances/": {
        "post": operation(
            "Import instances: JSON Lines, plain or gzip.",
            parameters=[
                SLUG,
                query("schema", TEXT, "auto (default) or a schema's name"),
                query("dry_run", FLAG, "report, and write nothing"),
            ],
            body={"type": "string"},
            media=NDJSON,
            answers={
                "200": answer("What was imported; bad lines do not stop the rest.", ref("ImportReport"))
            },
        )
    },
    "/projects/{slug}/media/": {
        "post": operation(
            "Keep a picture, sound or film; texts refer to it as Markdown does to a picture.",
            parameters=[SLUG],
            body={"type": "string", "format": "binary"},
            media="application/octet-stream",
            answers={
                "201": answer("Where it is.", thing({"url": TEXT, "type": TEXT, "bytes": WHOLE})),
                "422": answer("No picture, sound or film.", ref("Problem"), media=PROBLEM),
            },
        )
    },
    "/projects/{slug}/progress/": {
        "get": operation(
            "How far the project is.", parameters=[SLUG], answers={"200": answer("Counts.", ref("Progress"))}
        )
    },
    "/projects/{slug}/next/": {
        "post": operation(
            "Lease the next instance, or get the one that is held already.",
            parameters=[SLUG],
            answers={
                "200": answer("An assignment.", ref("Assignment")),
                "204": answer("Nothing is open.", None),
            },
        )
    },
    "/projects/{slug}/gold/": {
        "post": operation(
            "Set the known answers of instances, or take them back with null.",
            parameters=[SLUG],
            body={"anyOf": [ref("Gold"), thing({"gold": array(ref("Gold"), least=1)})]},
            answers={
                "200": answer("How much was set.", thing({"instances": WHOLE, "labels": WHOLE})),
            },
        )
    },
    "/assignments/{pk}/submit/": {
        "post": operation(
            "Submit the answers.",
            parameters=[PK, KEY],
            body=ref("Submission"),
            answers={
                "200": answer("The labels written, and a hash over them.", ref("Receipt")),
                "409": answer("The lease has gone.", ref("Problem"), media=PROBLEM),
            },
        )
    },
    "/assignments/{pk}/skip/": {
        "post": operation(
            "Give the assignment back.",
            parameters=[PK],
            body=thing({"reason": TEXT}, required=[]),
            answers={"200": answer("Skipped.", thing({"assignment": WHOLE, "status": TEXT}))},
        )
    },
    "/assignments/{pk}/heartbeat/": {
        "post": operation(
            "Keep the lease while working on it: it runs anew from now.",
            parameters=[PK],
            answers={
                "200": answer("The lease's new end.", thing({"assignment": WHOLE, "expires_at": TIME})),
                "409": answer("The lease has gone.", ref("Problem"), media=PROBLEM),
            },
        )
    },
    "/projects/{slug}/feedback/": {
        "post": operation(
            "Record signals from use.",
            parameters=[SLUG],
            body={"anyOf": [ref("Signal"), thing({"signals": array(ref("Signal"), least=1)})]},
            answers={"201": answer("The labels written.", thing({"labels": array(WHOLE)}))},
        )
    },
    "/projects/{slug}/labels/": {
        "get": operation(
            "The ledger, oldest label first, page by page.",
            parameters=[
                SLUG,
                query("after", CURSOR, "a label's id"),
                query("limit", CURSOR, "at most 5,000"),
            ],
            answers={
                "200": answer("A page.", thing({"next": nullable(TEXT), "labels": array(ref("Label"))}))
            },
        )
    },
    "/projects/{slug}/exports/{format}/": {
        "get": operation(
            "Download a dataset; other query parameters are the choices.",
            parameters=[
                SLUG,
                FORMAT,
                query("version", TEXT, "a snapshot; without it the export is live"),
                query("container", TEXT, "jsonl (default), jsonl.gz, parquet …"),
            ],
            answers={"200": answer("Rows.", TEXT, media=NDJSON)},
        )
    },
    "/projects/{slug}/exports/{format}/files/": {
        "post": operation(
            "Have a snapshot's file written by a worker, for long downloads; parameters as for the export.",
            parameters=[
                SLUG,
                FORMAT,
                query("version", TEXT, "the snapshot"),
                query("container", TEXT, "jsonl (default), jsonl.gz, parquet …"),
            ],
            answers={"202": answer("How far it is.", ref("PreparedFile"))},
        )
    },
    "/projects/{slug}/files/{pk}/": {
        "get": operation(
            "How far a prepared file is.",
            parameters=[SLUG, PK],
            answers={"200": answer("How far it is.", ref("PreparedFile"))},
        )
    },
    "/projects/{slug}/files/{pk}/download/": {
        "get": operation(
            "Download a prepared file; honours Range, If-Range and If-None-Match.",
            parameters=[SLUG, PK],
            answers={
                "200": answer("The file.", TEXT, media="application/octet-stream"),
                "206": answer("The part that was asked for.", TEXT, media="application/octet-stream"),
            },
        )
    },
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Switchyard",
        "version": "1",
        "description": "Collect preference data from people and judges, and export what trainers load.",
    },
    "servers": [{"url": "/api/v1"}],
    "security": [{"bearer": []}, {"session": []}],
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        },
    },
}


def document(request: HttpRequest) -> HttpResponse:
    """The document; it tells nothing that needs an account."""
    return json_response(DOCUMENT)
