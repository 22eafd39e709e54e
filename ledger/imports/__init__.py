"""Import: files and request bodies become instances and labels.

`files` reads rows, a schema (a registry entry each) turns a row into a `Draft`, or into a `Part` of one or None where
another row says it already; `joining` puts parts together, `load` writes drafts.
"""

from web.registry import Registry

AUTO = "auto"  # by a row's columns

SCHEMAS = Registry(
    "import schema",
    {
        "switchyard": "ledger.imports.switchyard:parse",
        "ledger": "ledger.imports.archive:parse",
        "preference": "ledger.imports.preference:parse",
        "lists": "ledger.imports.lists:parse",
        "strengths": "ledger.imports.strengths:parse",
        "voices": "ledger.imports.voices:parse",
        "columns": "ledger.imports.columns:parse",
        "unpaired": "ledger.imports.unpaired:parse",
        "ratings": "ledger.imports.ratings:parse",
        "steps": "ledger.imports.steps:parse",
        "prompts": "ledger.imports.prompts:parse",
        "joint": "ledger.imports.joint:parse",
        "goals": "ledger.imports.goals:parse",
        "trajectories": "ledger.imports.trajectories:parse",
        "masks": "ledger.imports.masks:parse",
        "edits": "ledger.imports.edits:parse",
        "media": "ledger.imports.media:parse",
    },
)
