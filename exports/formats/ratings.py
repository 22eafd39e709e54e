"""`ratings`: one row a response with one column an attribute, for SteerLM and HelpSteer2 regression.

`prompt`, `response` and a number for each rating aspect are HelpSteer2's columns (Wang et al. 2024);
`rubric`, `feedback` and `reference` beside them make the same row Prometheus' (Kim et al. 2024):
an instruction, a response, the described scale, why, and a score.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import NUMBER, TEXT, Columns, Maybe
from exports.formats.texts import PROVENANCE, answer_text, case_prompt, case_provenance, row_id, text_type
from exports.records import Case, Shape

OTHERS = ("model", "rubric", "feedback", "reference")


def attributes(shape: Shape) -> dict[str, str]:
    """{aspect: its column}: the aspect's own name, unless another column has it."""
    taken = {"prompt", "response", "split", *OTHERS, *PROVENANCE}
    rated = [aspect for aspect in shape.aspects if aspect in shape.scales]
    return {aspect: f"{aspect}_rating" if aspect in taken else aspect for aspect in rated}


def columns(shape: Shape) -> Columns:
    kind = text_type(shape)
    numbers = dict.fromkeys(attributes(shape).values(), Maybe(NUMBER))
    return {"prompt": kind, "response": kind, **numbers, **dict.fromkeys(OTHERS, TEXT), **PROVENANCE}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a response that somebody rated: the mean of the labels that count, an attribute each."""
    held = {aspect: case.consensus[aspect] for aspect in attributes(shape) if aspect in case.consensus}
    for answer in case.answers:
        scores = {aspect: consensus.scores.get(answer.index) for aspect, consensus in held.items()}
        rated = [aspect for aspect, score in scores.items() if score is not None]
        if not rated:
            continue
        row = row_id(shape, rated[0], str(answer.index), case.instance)
        yield {
            "prompt": case_prompt(case, shape),
            "response": answer_text(answer, shape),
            **{column: scores.get(aspect) for aspect, column in attributes(shape).items()},
            "model": answer.model,
            "rubric": "\n\n".join(f"{name}: {shape.rubrics[name]}" for name in rated if shape.rubrics[name]),
            "feedback": feedback(case, rated),
            "reference": str(case.context.get("reference") or case.metadata.get("reference") or ""),
            **case_provenance(case, held[rated[0]], row=row),
        }


def feedback(case: Case, aspects: list[str]) -> str:
    """The rationales of the labels that count, one a line."""
    said = [
        said.rationale for said in case.verdicts if said.counted and said.aspect in aspects and said.rationale
    ]
    return "\n".join(said)


FORMAT = Format(
    name="ratings",
    label="Rated responses, a column an attribute: SteerLM, HelpSteer2 regression, Prometheus",
    trainers=("SteerLM", "HelpSteer2 regression", "Prometheus"),
    reads=Reads.CASES,
    columns=columns,
    rows=rows,
    needs="a rating aspect",
    all_aspects=True,
)
