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
        "slider": "annotate.forms.rating:RatingForm",
        "satisfaction": "annotate.forms.rating:RatingForm",
        "best_worst": "annotate.forms.best_worst:BestWorstForm",
        "triplet": "annotate.forms.triplet:TripletForm",
        "joint": "annotate.forms.pairwise:PairwiseForm",
        "spans": "annotate.forms.spans:SpansForm",
        "sentences": "annotate.forms.spans:SentencesForm",
        "steps": "annotate.forms.spans:StepsForm",
        "edit": "annotate.forms.edit:EditForm",
        "text": "annotate.forms.text:TextForm",
    },
)
