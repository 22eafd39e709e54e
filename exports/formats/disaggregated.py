"""`disaggregated`: one row a label, nothing averaged away: for perspectivist and personalised models.

Raters are pseudonyms; a rater's profile is written only where the rater consented (`profile` and
`consent: true` in the rater's settings). `few_shot` marks about a fifth of each rater's labels, drawn by
rater and instance, as the rater's support set; the rest is for evaluation (as in PRISM, Kirk et al. 2024).
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import FLAG, INTEGER, JSON, NUMBER, TEXT, Columns, Many, Maybe
from exports.formats.texts import answer_text, case_prompt, row_id, text_type
from exports.names import shown_name
from exports.records import Case, Shape, Verdict
from exports.splitting import unit

SUPPORT = 0.2


def columns(shape: Shape) -> Columns:
    kind = text_type(shape)
    return {
        "prompt": kind,
        "responses": Many(kind),
        "models": Many(TEXT),
        "aspect": TEXT,
        "task_type": TEXT,
        "rater": TEXT,
        "rater_kind": TEXT,
        "rater_level": TEXT,
        "profile": JSON,
        "strength": Maybe(NUMBER),
        "probability": Maybe(NUMBER),
        "both_bad": FLAG,
        "ratings": Many(Maybe(NUMBER)),
        "ranks": Many(INTEGER),
        "confidence": Maybe(INTEGER),
        "reasons": Many(TEXT),
        "rationale": TEXT,
        "value": JSON,
        "order": Many(INTEGER),
        "repeat": INTEGER,
        "seconds": Maybe(NUMBER),
        "counted": FLAG,
        "few_shot": FLAG,
        "created": TEXT,
        "instance": TEXT,
        "label": INTEGER,
        "row": TEXT,
    }


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a live label; consistency probes are left out (`ledger` has them)."""
    shared = {
        "prompt": case_prompt(case, shape),
        "responses": [answer_text(answer, shape) for answer in case.answers],
        "models": [answer.model for answer in case.answers],
    }
    for said in case.verdicts:
        if said.is_voice:
            yield {
                **shared,
                **about_rater(said),
                **value(said, len(case.answers)),
                **about_label(said, case, shape),
            }


def about_rater(said: Verdict) -> Row:
    return {
        "aspect": said.aspect,
        "task_type": said.task_type,
        "rater": shown_name(said.rater),
        "rater_kind": said.kind,
        "rater_level": said.level,
        "profile": said.profile.get("profile", {}) if said.profile.get("consent") is True else {},
    }


def value(said: Verdict, size: int) -> Row:
    """The answer in typed columns, one for each usual way of asking, and whole."""
    given = said.value
    ratings = given.get("ratings")
    return {
        "strength": given.get("strength"),
        "probability": given.get("probability"),
        "both_bad": given.get("both_bad", False),
        "ratings": [ratings.get(str(index)) for index in range(size)] if ratings else [],
        "ranks": given.get("ranks", []),
        "confidence": given.get("confidence"),
        "reasons": given.get("reasons", []),
        "rationale": said.rationale or given.get("comment", ""),
        "value": given,
    }


def about_label(said: Verdict, case: Case, shape: Shape) -> Row:
    return {
        "order": said.order,
        "repeat": said.repeat,
        "seconds": None if said.duration_ms is None else said.duration_ms / 1000,
        "counted": said.counted,
        "few_shot": unit(f"{said.rater}/{case.instance}", seed=shape.seed) < SUPPORT,
        "created": said.created,
        "instance": case.instance,
        "label": said.id,
        "row": row_id(shape, said.aspect, "labels", case.instance),
    }


FORMAT = Format(
    name="disaggregated",
    label="One row a label, with pseudonymous raters: perspectivist and personalised models",
    trainers=("personalisation",),
    reads=Reads.CASES,
    columns=columns,
    rows=rows,
    needs="a live label",
    all_aspects=True,
    note="Profile columns are filled only for raters who consented.",
)
