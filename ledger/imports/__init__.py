"""Import: files and request bodies become instances and labels.

`files` reads rows, a schema (a registry entry each) turns a row into a `Draft`, `load` writes drafts.
"""

from web.registry import Registry

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
    },
)
