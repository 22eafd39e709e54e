"""`edits`: what a rater rewrote, the edit preferred to the original: prompt, chosen (edited), rejected (original).

`distance` is the number of words taken out and put in; the diff itself stays in `ledger`. Edits that change
nothing are left out; several raters' edits of one response are several rows.
"""

from collections.abc import Iterable, Iterator

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import INTEGER, TEXT, Columns, Maybe
from exports.formats.texts import case_prompt, reply_of, row_id, text_type
from exports.names import shown_name
from exports.records import Answer, Case, Prompt, Shape, Verdict


def columns(shape: Shape) -> Columns:
    texts = dict.fromkeys(("prompt", "chosen", "rejected"), text_type(shape))
    names = dict.fromkeys(("aspect", "rater", "model", "instance", "row"), TEXT)
    return {**texts, "distance": Maybe(INTEGER), "response": INTEGER, **names}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row an edited response and rater."""
    answers = {answer.index: answer for answer in case.answers}
    for said, index, edit in edits(case):
        original = answers[index]
        if edit["text"] != original.text:
            yield {
                "prompt": case_prompt(case, shape),
                "chosen": edited(original, edit["text"], shape),
                "rejected": reply_of(original.text, original.messages, shape),
                "distance": edit.get("distance"),
                "response": index,
                "aspect": said.aspect,
                "rater": shown_name(said.rater),
                "model": original.model,
                "instance": case.instance,
                "row": row_id(shape, said.aspect, str(index), case.instance),
            }


def edits(case: Case) -> Iterator[tuple[Verdict, int, Row]]:
    """(label, response's index, edit) of every live label that edits, in the ledger's order."""
    for said in case.verdicts:
        if said.is_voice:
            for index, edit in said.value.get("edits", {}).items():
                yield said, int(index), edit


def edited(original: Answer, text: str, shape: Shape) -> Prompt:
    """The response with its last turn rewritten."""
    turns = [*original.messages[:-1], {"role": "assistant", "content": text}] if original.messages else None
    return reply_of(text, turns, shape)


FORMAT = Format(
    name="edits",
    label="Original and edited responses, the edit preferred",
    trainers=("DPOTrainer",),
    reads=Reads.CASES,
    columns=columns,
    rows=rows,
    needs="an edit that changes a response",
    all_aspects=True,
    check="pairs",
)
