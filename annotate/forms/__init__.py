"""How people answer: one form a task type, beside `ledger.task_types`. One row and one file each.

A form only reads posted fields into the ledger's value and writes a value back into fields; what
is valid is the task type's word alone.
"""

from web.registry import Registry

FORMS = Registry(
    "form",
    {
        "pairwise": "annotate.forms.pairwise:PairwiseForm",
        "ranking": "annotate.forms.ranking:RankingForm",
        "rating": "annotate.forms.rating:RatingForm",
    },
)
