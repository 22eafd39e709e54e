"""Rows of the import schema `switchyard`, and projects made of them, for the tests of exports."""

from collections.abc import Callable, Iterable
from typing import Any

from ledger.actions import NewLabel, add_aspect, ensure_rater, write_labels
from ledger.models import Instance, Project, Rater
from ledger.templates import AspectSpec


def vote(value: int, who: str = "ann", aspect: str = "overall", **more: Any) -> dict[str, Any]:
    return {"annotator": who, "task": "pairwise", "aspect": aspect, "value": value, **more}


def rating(
    response: str, value: float, who: str = "ann", aspect: str = "quality", **more: Any
) -> dict[str, Any]:
    scale = {"task": "rating", "scale": [0, 4]}
    return {"annotator": who, "aspect": aspect, "response": response, "value": value, **scale, **more}


def ranking(groups: list[list[str]], who: str = "ann", aspect: str = "order") -> dict[str, Any]:
    return {"annotator": who, "task": "ranking", "aspect": aspect, "value": groups}


def instance(
    name: str, human: list[dict[str, Any]], *, texts: Iterable[str] = ("Yes.", "No."), **more: Any
) -> dict:
    responses = [{"id": f"r{n}", "model": f"m{n}", "text": text} for n, text in enumerate(texts, start=1)]
    return {"id": name, "prompt": f"Question {name}?", "responses": responses, "human": human, **more}


def everything() -> list[dict[str, Any]]:
    """Ten instances that every format finds something in: votes with reasons, ratings, rankings."""
    rows = []
    for n in range(10):
        texts = [f"Answer {n} one, = good.", f"Answer {n} two — 好.", f"Answer {n} three."]
        human = [
            rating("r1", n % 5, comment="because"),
            rating("r2", 4 - n % 5),
            rating("r3", 2),
            rating("r1", 4, who="bob@lab.org"),
            rating("r2", 0, who="bob@lab.org"),
            rating("r3", 1, who="bob@lab.org"),
            ranking([["r1"], ["r2", "r3"]]),
        ]
        rows.append(instance(f"i{n}", human, texts=texts, metadata={"language": "en", "domain": "code"}))
    return rows


def votes() -> list[dict[str, Any]]:
    """Ten pairs with one vote each, alternating, with reasons."""
    return [instance(f"i{n}", [vote(1 if n % 2 else -1, comment="clearer")]) for n in range(10)]


def chats() -> list[dict[str, Any]]:
    """Pairs of which some have chat prompts, a system message, or several turns."""
    rows = votes()
    for row in rows[::3]:
        row["prompt"] = [{"role": "user", "content": f"Hello, {row['id']}?"}]
    rows[1]["context"] = {"system": "Be brief."}
    turns = [{"role": "assistant", "content": "First."}, {"role": "user", "content": "And?"}]
    for response in rows[2]["responses"]:
        response["messages"] = [*turns, {"role": "assistant", "content": response["text"]}]
    return rows


def marked_up(project_of: Callable[..., Project]) -> Project:
    """A project with every task type that a format reads: steps, sentences, edits, joint pairs, media."""
    rows = votes()
    for row in rows:
        row["responses"][0]["image"] = "https://images.test/a.png"
        row["responses"][1]["image"] = "https://images.test/b.png"
        for response in row["responses"]:
            question = {"role": "user", "content": f"Own question {row['id']}"}
            response["messages"] = [question, {"role": "assistant", "content": response["text"]}]
    project = project_of(rows)
    specs = {"steps": "steps", "sentences": "sentences", "edit": "edit", "joint": "joint"}
    aspects = {name: add_aspect(project, AspectSpec(name, task)) for name, task in specs.items()}
    rater = ensure_rater(project, kind=Rater.Kind.PERSON, name="cy@lab.org")
    mark = {"response": 0, "start": 0, "end": 3}
    answers = {
        "steps": {"marks": [{**mark, "label": "right"}, {**mark, "start": 3, "end": 4, "label": "wrong"}]},
        "sentences": {"marks": [{**mark, "label": "good"}, {**mark, "response": 1, "label": "unsafe"}]},
        "edit": {"edits": {"0": {"text": "Yes, indeed.", "diff": [["-", "Yes."], ["+", "Yes, indeed."]]}}},
        "joint": {"strength": 2},
    }
    for each in Instance.objects.of(project):
        labels = [
            NewLabel(instance=each, aspect=aspects[name], value=value) for name, value in answers.items()
        ]
        write_labels(project=project, rater=rater, labels=labels)
    return project


SOURCES = {
    "multi-turn": chats,
    "ratings": everything,
    "trl-stepwise": marked_up,
    "masked": marked_up,
    "edits": marked_up,
    "joint": marked_up,
    "media": marked_up,
}


def project_for(format: str, project_of: Callable[..., Project]) -> Project:
    """A project in which the format finds something."""
    source = SOURCES.get(format, votes)
    return source(project_of) if source is marked_up else project_of(source())
