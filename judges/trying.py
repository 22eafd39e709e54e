"""Try a judge before it is run: a few instances with the rendered prompts, the raw answers, the verdicts,
the cost.

Nothing is written to the ledger. The judge is asked here and now, so this runs in a worker or with the
command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from judges.actions import judged_aspects
from judges.catalog import JudgeSpec
from judges.judging import Judged, judge_instances
from judges.loading import Asker, load_asker, pinned
from judges.requests import Answer, Request, to_json, usage_of
from judges.specs import find_judge
from judges.verdicts import Failed, Verdict
from ledger.models import Aspect, Instance, Project

SHOWN = 20_000  # characters of a prompt that a trial keeps


@dataclass
class Recorder:
    """An asker's answers, with what was asked."""

    asker: Asker
    heard: list[tuple[Request, Answer]] = field(default_factory=list)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        answers = self.asker.answer(requests)
        self.heard += zip(requests, answers, strict=True)
        return answers


def try_judge(
    *, project: Project, judge: str, n: int = 5, aspect_names: Sequence[str] = ()
) -> dict[str, Any]:
    """What the judge would do on `n` instances, spread over the project. Raises `UnknownName`,
    `NothingToJudge`.
    """
    spec = find_judge(project, judge)
    aspects = judged_aspects(project, spec, aspect_names)
    spec = pinned(spec, project, aspects)
    asker = load_asker(spec)
    chosen = Instance.objects.with_responses().of(project).order_by("content_hash", "pk")[:n]
    trials = [_trial(spec, instance, aspects, Recorder(asker)) for instance in chosen]
    total = project.instances.count()
    cost = sum(trial["cost"] for trial in trials)
    return {
        "judge": judge,
        "trials": trials,
        "forecast": cost / max(len(trials), 1) * total,
        "instances": total,
    }


def _trial(
    spec: JudgeSpec, instance: Instance, aspects: Sequence[Aspect], recorder: Recorder
) -> dict[str, Any]:
    judged = judge_instances(
        spec, [instance], aspects, answer=recorder.answer, limits=recorder.asker.limits()
    )
    usage = usage_of([answer for _, answer in recorder.heard])
    return {
        "instance": instance.ref,
        "asked": [_asked(request, answer) for request, answer in recorder.heard],
        "verdicts": [_said(one) for one in judged],
        "seconds": round(usage.seconds, 4),
        "cost": usage.cost,
    }


def _asked(request: Request, answer: Answer) -> dict[str, Any]:
    """A request as its chat's text, and the raw answer."""
    turns = "\n\n".join(f"[{one.role}]\n{one.content}" for one in getattr(request, "messages", ()))
    prefill = getattr(request, "prefill", "")
    text = f"{turns}\n\n[assistant]\n{prefill}" if prefill else turns
    return {"kind": type(request).__name__, "prompt": text[:SHOWN], "answer": to_json(answer)}


def _said(judged: Judged) -> dict[str, Any]:
    """The outcomes on one aspect."""
    return {
        "aspect": judged.aspect.name,
        "verdicts": [
            {"value": dict(one.value), "order": list(one.order), "rationale": one.rationale}
            for one in judged.outcomes
            if isinstance(one, Verdict)
        ],
        "failed": [one.reason for one in judged.outcomes if isinstance(one, Failed)],
    }
