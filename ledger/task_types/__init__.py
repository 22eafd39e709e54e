"""Task types: how an aspect is asked. One row and one file each; the form lives in `annotate`.

An entry is an object with the methods of `ledger.task_types.base.TaskType`.
"""

from web.registry import Registry

TASK_TYPES = Registry(
    "task type",
    {
        "pairwise": "ledger.task_types.pairwise:PAIRWISE",
        "ranking": "ledger.task_types.ranking:RANKING",
        "rating": "ledger.task_types.rating:RATING",
        "slider": "ledger.task_types.slider:SLIDER",
        "satisfaction": "ledger.task_types.satisfaction:SATISFACTION",
        "best_worst": "ledger.task_types.best_worst:BEST_WORST",
        "triplet": "ledger.task_types.triplet:TRIPLET",
        "joint": "ledger.task_types.joint:JOINT",
        "spans": "ledger.task_types.spans:SPANS",
        "sentences": "ledger.task_types.spans:SENTENCES",
        "steps": "ledger.task_types.spans:STEPS",
        "edit": "ledger.task_types.edit:EDIT",
        "text": "ledger.task_types.text:TEXT",
        "signal": "ledger.task_types.signal:SIGNAL",
    },
)
