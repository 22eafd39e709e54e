"""`reward-conditioned`: each pair twice, its prompt conditioned on the score of either response.

Reward-augmented relabelling (Zhang et al. 2024, "Reward-Augmented Data Enhances Direct Preference Alignment",
section 4): under the goal g = score of the chosen response it is preferred as it was; under the goal
g = score of the rejected response the rejected one is, since it hits that goal exactly. The goal stands
in front of the prompt, as a system message in the conversational form; the texts are unchanged. `relabelled` marks
the second of the two rows.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import FLAG, NUMBER, Columns
from exports.formats.texts import PROVENANCE, as_messages, case_prompt, pair_columns, provenance, reply_of
from exports.records import Case, Pair, Prompt, Shape

GOAL = "Generate a response of quality {score:g} on a scale from {low:g} to {high:g}."
PROBABILITY_SCALE = (0.0, 1.0)


def columns(shape: Shape) -> Columns:
    return {
        **pair_columns(shape),
        "goal": NUMBER,
        "score_chosen": NUMBER,
        "score_rejected": NUMBER,
        "relabelled": FLAG,
        **PROVENANCE,
    }


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """Two rows a pair."""
    for pair in case.pairs:
        scores, scale = scored(case, pair, shape)
        for goal, held in zip(scores, (pair, pair.turned())):
            better, worse = scores if held is pair else scores[::-1]
            yield {
                **conditioned(case, held, GOAL.format(score=goal, low=scale[0], high=scale[1]), shape),
                "goal": goal,
                "score_chosen": better,
                "score_rejected": worse,
                "relabelled": held is not pair,
                **provenance(held),
            }


def scored(case: Case, pair: Pair, shape: Shape) -> tuple[tuple[float, float], tuple[float, float]]:
    """((chosen's score, rejected's), scale): the ratings, else the probabilities of being the better one."""
    scores = case.consensus[pair.aspect].scores
    if scores and pair.aspect in shape.scales:
        return (scores[pair.chosen_index], scores[pair.rejected_index]), shape.scales[pair.aspect]
    return (pair.probability, 1.0 - pair.probability), PROBABILITY_SCALE


def conditioned(case: Case, pair: Pair, goal: str, shape: Shape) -> Row:
    plain = case_prompt(case, shape)
    prompt: Prompt = f"{goal}\n\n{plain}" if isinstance(plain, str) else as_messages(plain, goal)
    chosen = reply_of(pair.chosen, pair.chosen_messages, shape)
    rejected = reply_of(pair.rejected, pair.rejected_messages, shape)
    if shape.implicit:
        return {"chosen": prompt + chosen, "rejected": prompt + rejected}  # type: ignore[operator]  # of one kind
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


FORMAT = Format(
    name="reward-conditioned",
    label="Pairs conditioned on the scores of both responses: reward-augmented DPO",
    trainers=("DPOTrainer",),
    reads=Reads.CASES,
    of_pairs=True,
    columns=columns,
    rows=rows,
    check="pairs",
)
