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
    },
)
