"""`preference-strength`: both responses and a signed strength from -3 to 3, with the justifications.

HelpSteer2-Preference's columns (Wang et al. 2024): negative means `response_1` is better. Strengths on
other scales are stretched to three steps, rating differences to their scale; the mean of the counted labels
is `strength_mean`, rounded it is `preference_strength`.
"""

from collections.abc import Iterable
from statistics import fmean

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import INTEGER, NUMBER, TEXT, Columns, Many, record
from exports.formats.texts import PROVENANCE, case_prompt, provenance, reply_of, text_type
from exports.names import shown_name
from exports.records import Case, Shape, Verdict

STEPS = 3


def columns(shape: Shape) -> Columns:
    kind = text_type(shape)
    reasons = Many(record(rater=TEXT, strength=NUMBER, text=TEXT))
    return {
        **dict.fromkeys(("prompt", "response_1", "response_2"), kind),
        "preference_strength": INTEGER,
        "strength_mean": NUMBER,
        "justifications": reasons,
        **PROVENANCE,
    }


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a pair: response_1 is the response with the lower index."""
    for pair in case.pairs:
        first, second = sorted((pair.chosen_index, pair.rejected_index))
        counted = [said for said in case.verdicts if said.counted and said.aspect == pair.aspect]
        strengths = [
            (said, value) for said in counted if (value := strength(said, first, second, shape)) is not None
        ]
        mean = fmean(value for _, value in strengths) if strengths else 0.0
        answers = {answer.index: answer for answer in case.answers}
        yield {
            "prompt": case_prompt(case, shape),
            "response_1": reply_of(answers[first].text, answers[first].messages, shape),
            "response_2": reply_of(answers[second].text, answers[second].messages, shape),
            "preference_strength": round(mean),
            "strength_mean": mean,
            "justifications": [
                {"rater": shown_name(said.rater), "strength": value, "text": said.rationale}
                for said, value in strengths
                if said.rationale
            ],
            **provenance(pair),
        }


def strength(said: Verdict, first: int, second: int, shape: Shape) -> float | None:
    """What a label says of two responses on the scale -3 … 3; None where it does not speak of both."""
    if "strength" in said.value:
        return said.value["strength"] * STEPS / shape.steps.get(said.aspect, STEPS)
    ratings = said.value.get("ratings", {})
    if str(first) in ratings and str(second) in ratings:
        low, high = shape.scales[said.aspect]
        return (ratings[str(second)] - ratings[str(first)]) * STEPS / (high - low)
    ranks = said.value.get("ranks")
    if ranks and len(set(ranks)) > 1:
        return (ranks[first] - ranks[second]) * STEPS / (max(ranks) - min(ranks))
    return 0.0 if said.value.get("both_bad") or ranks else None


FORMAT = Format(
    name="preference-strength",
    label="Two responses with a strength from -3 to 3 and why: HelpSteer2-Preference",
    trainers=("HelpSteer2-Preference",),
    reads=Reads.CASES,
    of_pairs=True,
    columns=columns,
    rows=rows,
    note="Ties are rows of strength 0: keep them with ties=soft.",
)
