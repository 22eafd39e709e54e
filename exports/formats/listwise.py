"""`listwise`: all responses of a prompt, best first, with scores: LiPO, PRO, and TRL's TPOTrainer.

`completions`, `scores` and `ranks` run in parallel, best first; ties share a rank. `reference`, `chosen` and
`rejected` are the first, the second and the last (with two responses the first is both), as
Triple Preference Optimization takes them (Saeidi et al. 2024; TRL 1.16, experimental).
A comparison is a list of two, its scores the probabilities of being the better one.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import INTEGER, NUMBER, Columns, Many
from exports.formats.texts import PROVENANCE, answer_text, case_prompt, case_provenance, row_id, text_type
from exports.records import PREFERRED, Case, Consensus, Shape


def columns(shape: Shape) -> Columns:
    kind = text_type(shape)
    texts = dict.fromkeys(("prompt", "reference", "chosen", "rejected"), kind)
    lists = {
        "completions": Many(kind),
        "scores": Many(NUMBER),
        "ranks": Many(INTEGER),
        "order": Many(INTEGER),
    }
    return {**texts, **lists, **PROVENANCE}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row an aspect whose responses differ in score; `order` names the responses' indices."""
    answers = {answer.index: answer for answer in case.answers}
    for aspect, held in case.consensus.items():
        scores = graded(held)
        order = sorted(scores, key=lambda index: (-scores[index], index))
        if len(order) < 2 or scores[order[0]] == scores[order[-1]]:
            continue
        places = {
            score: place for place, score in enumerate(sorted(set(scores.values()), reverse=True), start=1)
        }
        texts = [answer_text(answers[index], shape) for index in order]
        yield {
            "prompt": case_prompt(case, shape),
            "reference": texts[0],
            "chosen": texts[1] if len(texts) > 2 else texts[0],
            "rejected": texts[-1],
            "completions": texts,
            "scores": [scores[index] for index in order],
            "ranks": [places[scores[index]] for index in order],
            "order": order,
            **case_provenance(case, held, row=row_id(shape, aspect, "list", case.instance)),
        }


def graded(held: Consensus) -> dict[int, float]:
    """A score for each response: the consensus' own, or P(better) of the two that were compared."""
    if held.scores or held.outcome != PREFERRED or held.chosen is None or held.rejected is None:
        return held.scores
    second = held.probability if held.probability is not None else float(held.chosen)
    return {0: 1.0 - second, 1: second}


FORMAT = Format(
    name="listwise",
    label="Ranked lists with scores: LiPO, PRO, TPO",
    trainers=("TPOTrainer", "LiPO", "PRO"),
    reads=Reads.CASES,
    columns=columns,
    rows=rows,
    needs="a ranking, ratings of several responses, or a decided comparison",
    check="triple",
)
