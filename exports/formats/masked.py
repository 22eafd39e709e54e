"""`masked`: pairs with a mark for every sentence, for Mask-DPO (Gu et al. 2025) and other fine-grained losses.

`chosen_mask` is true where a sentence of the chosen response is free of error and may be learnt;
`rejected_mask` is true where a sentence of the rejected response has one and may be unlearnt. The offsets count
characters of the response's text, so that tokens can be matched to them.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import FLAG, INTEGER, TEXT, Columns, Many, record
from exports.formats.marks import Stretch, stretches
from exports.formats.texts import PROVENANCE, pair_columns, pair_texts, provenance
from exports.records import Case, Pair, Shape

TASKS = ("sentences", "spans")
GOOD = "good"


def columns(shape: Shape) -> Columns:
    sentences = Many(record(start=INTEGER, end=INTEGER, text=TEXT, mark=TEXT))
    return {
        **pair_columns(shape),
        "chosen_sentences": sentences,
        "chosen_mask": Many(FLAG),
        "rejected_sentences": sentences,
        "rejected_mask": Many(FLAG),
        **PROVENANCE,
    }


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a pair of which either response carries marks."""
    for pair in case.pairs:
        chosen, rejected = marked(case, pair.chosen_index, shape), marked(case, pair.rejected_index, shape)
        if chosen or rejected:
            yield as_row(pair, chosen, rejected, shape)


def marked(case: Case, index: int, shape: Shape) -> list[Stretch]:
    """The response's marks on the first aspect that has some: every sentence, else single spans."""
    answer = next(answer for answer in case.answers if answer.index == index)
    aspects = [name for task in TASKS for name in shape.aspects if shape.tasks[name] == task]
    return next((found for aspect in aspects if (found := stretches(case, answer, aspect))), [])


def as_row(pair: Pair, chosen: list[Stretch], rejected: list[Stretch], shape: Shape) -> Row:
    return {
        **pair_texts(pair, shape),
        "chosen_sentences": [sentence(part) for part in chosen],
        "chosen_mask": [part.label == GOOD for part in chosen],
        "rejected_sentences": [sentence(part) for part in rejected],
        "rejected_mask": [part.label != GOOD for part in rejected],
        **provenance(pair),
    }


def sentence(part: Stretch) -> Row:
    return {"start": part.start, "end": part.end, "text": part.text, "mark": part.label}


FORMAT = Format(
    name="masked",
    label="Pairs with sentence-level masks: Mask-DPO",
    trainers=("Mask-DPO",),
    reads=Reads.CASES,
    marked=True,
    of_pairs=True,
    columns=columns,
    rows=rows,
    needs="a settled preference, and an aspect of the task type sentences or spans",
    all_labels=True,
    check="pairs",
)
