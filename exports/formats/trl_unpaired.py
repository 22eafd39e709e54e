"""`trl-unpaired`: prompt, completion and a boolean label, for TRL's KTOTrainer (and BCO elsewhere).

A comparison alone does not say that its winner is good or its loser bad, so a label needs absolute evidence:
- a rating: good above the middle of the scale, bad below (or good from `threshold` of it on, where chosen);
- *both bad*: both are bad;
- a thumb, up or down, from use;
- a comparison only where a least margin was asked for: its winner is good, its loser bad.
The counted labels vote; a response with no evidence, or as much for as against, is left out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import FLAG, TEXT, Columns
from exports.formats.texts import PROVENANCE, answer_text, case_prompt, case_provenance, row_id, text_type
from exports.records import Case, Shape, Verdict

MIDDLE = 0.5
Evidence = tuple[int, bool, str]  # the response's index, whether it is good, what says so


def columns(shape: Shape) -> Columns:
    kind = text_type(shape)
    return {"prompt": kind, "completion": kind, "label": FLAG, "evidence": TEXT, **PROVENANCE}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a response with evidence: {"prompt", "completion", "label", "evidence", …provenance}."""
    for aspect, held in case.consensus.items():
        found = list(evidence(case, aspect, shape))
        for answer in case.answers:
            votes = [(good, kind) for index, good, kind in found if index == answer.index]
            balance = sum(1 if good else -1 for good, _ in votes)
            if not balance:
                continue
            good = balance > 0
            row = case_provenance(case, held, row=row_id(shape, aspect, str(answer.index), case.instance))
            share = sum(said == good for said, _ in votes) / len(votes)
            yield {
                "prompt": case_prompt(case, shape),
                "completion": answer_text(answer, shape),
                "label": good,
                "evidence": Counter(kind for said, kind in votes if said == good).most_common(1)[0][0],
                **row,
                "margin": abs(balance) / len(votes),
                "agreement": share,
            }


def evidence(case: Case, aspect: str, shape: Shape) -> Iterator[Evidence]:
    """What thumbs, the counted labels of the aspect, and its pairs with a margin say of single responses."""
    for said in case.verdicts:
        if said.superseded is None and said.value.get("signal") == "thumbs" and said.value["value"]:
            yield said.value["response"], said.value["value"] > 0, "thumbs"
        elif said.aspect == aspect and said.counted:
            yield from judged(said, case, shape)
    if shape.least > 0:
        for pair in case.pairs:
            if pair.aspect == aspect and pair.preferred:
                yield pair.chosen_index, True, "margin"
                yield pair.rejected_index, False, "margin"


def judged(said: Verdict, case: Case, shape: Shape) -> Iterator[Evidence]:
    if said.value.get("both_bad"):
        yield from ((answer.index, False, "both bad") for answer in case.answers)
    low, high = shape.scales.get(said.aspect, (0.0, 1.0))
    for index, rating in said.value.get("ratings", {}).items():
        share = (rating - low) / (high - low)
        if shape.threshold or share != MIDDLE:
            yield int(index), share >= (shape.threshold or MIDDLE), "rating"


FORMAT = Format(
    name="trl-unpaired",
    label="Single responses, good or bad, for KTO and BCO",
    trainers=("KTOTrainer",),
    reads=Reads.CASES,
    columns=columns,
    rows=rows,
    all_labels=True,
    needs="ratings, thumbs, both-bad verdicts, or comparisons with a least margin (min_margin)",
    check="unpaired",
    note="Comparisons alone say who is better, not who is good: only ratings, thumbs, both-bad verdicts and margins "
    "of at least min_margin count as evidence.",
)
