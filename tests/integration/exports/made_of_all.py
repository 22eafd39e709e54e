"""Projects of every kind of instance and label, drawn by hypothesis, for the round trips through exports."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from ledger.actions import NewLabel, add_aspect, ensure_rater, write_labels
from ledger.models import Instance, Project, Rater
from ledger.templates import AspectSpec
from tests.integration.exports.made_rows import instance, ranking, rating, vote

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXTS = st.one_of(st.text(CHARACTERS, max_size=20), st.just("Write to ann.example@lab-mail.org."))
PROMPTS = st.text(CHARACTERS, min_size=1, max_size=20).filter(str.strip)
WORDS = {"steps": ("right", "wrong", "neutral", "odd"), "sentences": ("good", "unsafe", "stale")}
CODE = [{"role": "assistant", "content": "Look.", "tool_calls": [{"name": "find", "arguments": {"q": 1}}]}]
BESIDE = ("marks", "edits", "joint")  # of a row: what raters say beyond the schema
VOTES = st.lists(st.integers(-2, 2), max_size=3)


@st.composite
def instances(draw: Any) -> dict[str, Any]:
    """A row of `switchyard` and beside it `marks` ({aspect: a word for each marked response}), `edits` and `joint`."""
    size = draw(st.sampled_from([2, 2, 3]))
    texts = draw(st.lists(TEXTS, min_size=size, max_size=size, unique=True))
    row = instance("", labels(draw, size), texts=texts)
    row["prompt"] = prompt(draw)
    if draw(st.booleans()):
        row["context"] = {"system": "Be brief.", "reference": "42"}
    row["metadata"] = {"subset": draw(st.sampled_from(["code", "chat"]))}
    for number, response in enumerate(row["responses"]):
        response["image"] = f"https://images.test/{number}.png"
        dress(draw, response)
    row["marks"] = {name: draw(st.lists(st.sampled_from(words), max_size=2)) for name, words in WORDS.items()}
    row["edits"], row["joint"] = draw(st.lists(TEXTS, max_size=2)), draw(VOTES)
    return row


def prompt(draw: Any) -> Any:
    asked = draw(PROMPTS)
    turns = [{"role": "user", "content": asked}]
    earlier = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    return draw(st.sampled_from([asked, asked, turns, earlier + turns]))


def dress(draw: Any, response: dict[str, Any]) -> None:
    """Makes the response one of several turns, with an instruction of its own or calls of tools, or leaves it."""
    last = [{"role": "assistant", "content": response["text"]}]
    own = [{"role": "user", "content": f"Own {response['id']}?"}]
    further = [{"role": "assistant", "content": "First."}, {"role": "user", "content": "And?"}]
    turns = draw(st.sampled_from([[], [], [], own, further, CODE]))
    if turns:
        response["messages"] = [*turns, *last]


def labels(draw: Any, size: int) -> list[dict[str, Any]]:
    """Votes on two aspects where there are two responses; rankings and ratings of some of them."""
    made: list[dict[str, Any]] = []
    if size == 2:
        for aspect in ("overall", "brief"):
            said = enumerate(draw(VOTES))
            made += [vote(value, f"p{who}@lab.org", aspect, comment="so") for who, value in said]
    elif ranks := draw(st.one_of(st.none(), st.lists(st.integers(1, 3), min_size=3, max_size=3))):
        groups = [
            [f"r{at + 1}" for at, rank in enumerate(ranks) if rank == each] for each in sorted(set(ranks))
        ]
        made.append(ranking(groups))
    for at in sorted(draw(st.sets(st.integers(0, size - 1), min_size=size - 2))):
        made.append(rating(f"r{at + 1}", draw(st.sampled_from([0, 1, 2.5, 4]))))
    return made


PROJECTS = st.lists(instances(), min_size=1, max_size=4)


def filled(project_of: Callable[..., Project], made: list[dict[str, Any]]) -> Project:
    """A project of the rows, with the marks, edits and joint preferences that they hold, by one person each."""
    rows = {f"i{number}": {**row, "id": f"i{number}"} for number, row in enumerate(made)}
    project = project_of({name: row[name] for name in row if name not in BESIDE} for row in rows.values())
    specs = [AspectSpec(name, name, {"labels": list(words)}) for name, words in WORDS.items()]
    specs += [AspectSpec("edit", "edit"), AspectSpec("joint", "joint")]
    aspects = {spec.name: add_aspect(project, spec) for spec in specs}
    for each in Instance.objects.of(project):
        for who, (name, value) in enumerate(values(rows[each.ref])):
            rater = ensure_rater(project, kind=Rater.Kind.PERSON, name=f"marker{who}@lab.org")
            label = NewLabel(each, aspects[name], value, rationale="because")
            write_labels(project=project, rater=rater, labels=[label])
    return project


def values(row: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(aspect, value) of each label."""
    texts = [response["text"] for response in row["responses"]]
    found: list[tuple[str, dict[str, Any]]] = []
    for name, words in row["marks"].items():
        marks = [
            {"response": at, "start": 0, "end": len(texts[at]), "label": word}
            for at, word in enumerate(words)
            if texts[at]
        ]
        found.append((name, {"marks": marks}))
    found += [("edit", {"edits": {"0": {"text": text}}}) for text in row["edits"]]
    if len(texts) == 2:
        found += [("joint", {"strength": strength}) for strength in row["joint"]]
    return found
