"""Projects with instances to judge, made by the actions that production uses."""

from __future__ import annotations

from hashlib import blake2b

from accounts.actions import ensure_user
from ledger.actions import NewLabel, add_aspect, create_project, ensure_rater, write_labels
from ledger.models import Instance, Project, Rater, Response
from ledger.templates import AspectSpec


def make_project(slug: str = "judged", **aspects: str) -> Project:
    """A project whose aspects are given as name=task type; `overall` pairwise where none is."""
    project = create_project(slug=slug, template="blank", owner=ensure_user("owner@example.org"))
    for name, task_type in (aspects or {"overall": "pairwise"}).items():
        add_aspect(project, AspectSpec(name, task_type))
    return project


def make_instance(
    project: Project, ref: str, *texts: str, prompt: str = "", models: tuple[str, ...] = ()
) -> Instance:
    """An instance with these responses."""
    asked = prompt or f"Question {ref}?"
    instance = Instance.objects.create(
        project=project,
        ref=ref,
        prompt=asked,
        size=len(texts),
        content_hash=blake2b(f"{asked}{texts}".encode(), digest_size=32).hexdigest(),
        prompt_hash=blake2b(asked.encode(), digest_size=16).hexdigest(),
    )
    Response.objects.bulk_create(
        Response(instance=instance, index=at, key=f"r{at}", text=text, model=models[at] if models else "")
        for at, text in enumerate(texts)
    )
    return instance


def make_pairs(project: Project, n: int) -> list[Instance]:
    """`n` short pairs, the second response longer in two of three."""
    return [
        make_instance(project, f"i{k}", f"Answer {k}.", "A longer answer." if k % 3 else "No.")
        for k in range(n)
    ]


def say(project: Project, person: str, verdicts: dict[Instance, int], aspect: str = "overall") -> None:
    """Labels of one person: the verdict -1, 0 or 1 on each instance."""
    asked = project.aspects.get(name=aspect)
    rater = ensure_rater(project, kind=Rater.Kind.PERSON, name=person)
    labels = [NewLabel(instance, asked, {"strength": verdict}) for instance, verdict in verdicts.items()]
    write_labels(project=project, rater=rater, labels=labels)
