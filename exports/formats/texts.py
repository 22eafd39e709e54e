"""Prompts and responses as trainers take them: standard (strings) or conversational (messages).

The texts are the ledger's, unchanged: only the envelope differs. One file has one type a column,
so a project that mixes strings and messages is written conversationally throughout.
"""

from urllib.parse import quote

from exports.formats.base import Row
from exports.formats.columns import MESSAGES, NUMBER, TEXT, Many, Maybe, Type
from exports.records import Answer, Case, Consensus, Message, Pair, Prompt, Shape
from ledger.trajectories import written

PROVENANCE: dict[str, Type] = {
    "instance": TEXT,
    "source": TEXT,
    "margin": NUMBER,
    "agreement": Maybe(NUMBER),
    "raters": Many(TEXT),
    "route": TEXT,
    "policy": TEXT,
    "row": TEXT,
}


def text_type(shape: Shape) -> Type:
    return MESSAGES if shape.conversational else TEXT


def as_messages(prompt: Prompt, system: str | None = None) -> list[Message]:
    """The prompt as chat messages, after the system's where there is one.

    >>> as_messages("Hello?")
    [{'role': 'user', 'content': 'Hello?'}]
    """
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else bare(prompt)
    return [{"role": "system", "content": system}, *messages] if system else messages


def as_reply(text: str, messages: list[Message] | None) -> list[Message]:
    """A response as the continuation of the prompt: all its turns where it has several."""
    return bare(messages) if messages else [{"role": "assistant", "content": text}]


def bare(messages: list[Message]) -> list[Message]:
    """Role and content alone: trainers need one type, so tool calls are written out; the rest stays in `ledger`."""
    return [{"role": message["role"], "content": written(message)} for message in messages]


def prompt_of(prompt: Prompt, system: str | None, shape: Shape) -> Prompt:
    return as_messages(prompt, system) if shape.conversational else prompt


def reply_of(text: str, messages: list[Message] | None, shape: Shape) -> Prompt:
    return as_reply(text, messages) if shape.conversational else text


def pair_texts(pair: Pair, shape: Shape) -> Row:
    """{"prompt", "chosen", "rejected"}, or the two with the prompt inside where it is implicit."""
    if not shape.conversational and not shape.implicit:
        return {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}
    prompt = prompt_of(pair.prompt, pair.system, shape)
    chosen = reply_of(pair.chosen, pair.chosen_messages, shape)
    rejected = reply_of(pair.rejected, pair.rejected_messages, shape)
    if shape.implicit:
        return {"chosen": prompt + chosen, "rejected": prompt + rejected}  # type: ignore[operator]  # both str or both list
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def pair_columns(shape: Shape) -> dict[str, Type]:
    kind = text_type(shape)
    names = ("chosen", "rejected") if shape.implicit else ("prompt", "chosen", "rejected")
    return dict.fromkeys(names, kind)


def provenance(pair: Pair) -> Row:
    """Where a row comes from: the columns of `PROVENANCE`."""
    return {
        "instance": pair.instance,
        "source": pair.source,
        "margin": pair.margin,
        "agreement": pair.agreement,
        "raters": pair.raters,
        "route": pair.route,
        "policy": pair.policy,
        "row": pair.row,
    }


def case_prompt(case: Case, shape: Shape) -> Prompt:
    return prompt_of(case.prompt, case.context.get("system"), shape)


def answer_text(answer: Answer, shape: Shape) -> Prompt:
    return reply_of(answer.text, answer.messages, shape)


def case_provenance(case: Case, held: Consensus, *, row: str, margin: float | None = None) -> Row:
    """The columns of `PROVENANCE` for a row about a whole instance."""
    return {
        "instance": case.instance,
        "source": held.source,
        "margin": (held.margin or 0.0) if margin is None else margin,
        "agreement": held.agreement,
        "raters": held.raters,
        "route": held.route,
        "policy": held.policy,
        "row": row,
    }


def row_id(shape: Shape, aspect: str, which: str, instance: str) -> str:
    """`project/aspect/which/instance`: what `trace` takes."""
    return f"{shape.project}/{quote(aspect, safe='')}/{which}/{instance}"
