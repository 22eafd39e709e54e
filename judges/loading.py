"""From a judge's spec to something that answers: methods made, models loaded, versions frozen.

A web process may freeze a version (it reads files' names and sizes), but only a worker or `--sync` loads one.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db.models import Count, Max

from judges.backends import BACKENDS, Backend
from judges.backends.pacing import SharedPace
from judges.backends.pictures import embedded, taken_out
from judges.backends.weights import resolve, revision
from judges.catalog import BackendSpec, JudgeSpec, as_json
from judges.items import Item, Limits, Message, Question, Turn
from judges.keys import opened
from judges.learning import jury_weights
from judges.methods import METHODS, Method
from judges.models import Endpoint, JudgeVersion
from judges.problems import EndpointMissing, NotEnoughLabels
from judges.prompting import told
from judges.requests import Answer, Failure, Request
from ledger.models import Aspect, Instance, Label, Project, Rater, Response
from ledger.trajectories import CALL, RESULT, SAID, Messages, steps_in, written

FEWEST_INSTANCES = 30  # with a person's label: so that four folds in five hold enough to learn from
LOADED_AT_ONCE = 2  # models held by one worker; the least recently used is dropped

_held: OrderedDict[str, Backend] = OrderedDict()


def backend_for(spec: BackendSpec) -> Backend:
    """The backend of this spec, from this process's small store of loaded ones."""
    options = _options(spec)
    key = held_as(spec, options)
    if key in _held:
        _held.move_to_end(key)
        return _held[key]
    made: Backend = BACKENDS.load(spec.name)(**options)
    made.warm_up()
    _held[key] = made
    while len(_held) > LOADED_AT_ONCE:
        _held.popitem(last=False)
    return made


def held_as(spec: BackendSpec, options: Mapping[str, object]) -> str:
    """The name under which a loaded backend is held; an endpoint's address, key and bounds are part of it, so
    that a change of them is felt at once. A digest, since a key is among them.
    """
    told = json.dumps([spec.name, dict(spec.options), options], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def _options(spec: BackendSpec) -> dict[str, object]:
    """The spec's options, with what only this machine may know: the weights' places, an endpoint's key."""
    if "endpoint" in spec.options:
        return _remote(spec)
    if spec.name not in READS_FILES:
        return dict(spec.options)
    return {
        "models_dir": settings.MODELS_DIR,
        "cache_dir": settings.MODELS_CACHE,
        **spec.options,
    }


def _remote(spec: BackendSpec) -> dict[str, object]:
    """Options of a remote model: address, opened key, bounds and prices of its endpoint."""
    own = {key: value for key, value in spec.options.items() if key not in ("endpoint", "project")}
    name = str(spec.options["endpoint"])
    endpoint = Endpoint.objects.filter(project=int(str(spec.options["project"])), name=name).first()
    if endpoint is None:
        raise EndpointMissing(f"The endpoint {name!r} is no longer there.", endpoint=name)
    return {
        "url": endpoint.url,
        "key": opened(bytes(endpoint.key)),
        "concurrency": endpoint.concurrency,
        "pace": SharedPace(settings.REDIS_URL, f"endpoint:{endpoint.pk}", endpoint.rate)
        if endpoint.rate
        else None,
        "prices": endpoint.prices,
        "private_allowed": settings.PRIVATE_ENDPOINTS,
        **own,
    }


READS_FILES = frozenset({"transformers", "vision-language", "llama.cpp", "reward-model"})


def pinned(spec: JudgeSpec, project: Project, aspects: Sequence[Aspect]) -> JudgeSpec:
    """The spec with what it will have learnt from pinned: a probe's project and the last human label that
    it reads.

    Raises `NotEnoughLabels` where there is too little to learn from.
    """
    spec = replace(
        spec,
        backends={
            role: replace(one, options={**one.options, "project": project.pk})
            if "endpoint" in one.options
            else one
            for role, one in spec.backends.items()
        },
    )
    spec = with_learnt_weights(spec, aspects)
    if not any(backend.name == "probe" for backend in spec.backends.values()):
        return spec
    people = Label.objects.live().filter(project=project, aspect__in=aspects, rater__kind=Rater.Kind.PERSON)
    counted = people.values("aspect").annotate(n=Count("instance", distinct=True), last=Max("pk"))
    found = min((row["n"] for row in counted), default=0) if len(counted) == len(aspects) else 0
    if found < FEWEST_INSTANCES:
        raise NotEnoughLabels(
            f"{spec.name} learns from people: every aspect needs {FEWEST_INSTANCES} labelled instances, "
            f"and the one with the fewest has {found}.",
            found=found,
            needed=FEWEST_INSTANCES,
        )
    learnt = {"project": project.pk, "watermark": max(row["last"] for row in counted)}
    backends = {
        role: replace(one, options={**one.options, **learnt}) if one.name == "probe" else one
        for role, one in spec.backends.items()
    }
    return replace(spec, backends=backends)


def with_learnt_weights(spec: JudgeSpec, aspects: Sequence[Aspect]) -> JudgeSpec:
    """The spec with the weights of a `learned` jury fitted to people and pinned. Raises `NotEnoughLabels`."""
    methods = dict(spec.methods)
    for aspect in aspects:
        method = methods.get(aspect.task_type)
        if method is None or method.name != "jury" or method.parameters.get("combine") != "learned":
            continue
        members = [dict(one) for one in cast("list[dict[str, Any]]", method.parameters["members"])]
        weights = jury_weights(aspect, [one["name"] for one in members])
        weighed = [{**one, "weight": weight} for one, weight in zip(members, weights, strict=True)]
        methods[aspect.task_type] = replace(method, parameters={**method.parameters, "members": weighed})
    return replace(spec, methods=methods)


def make_method(spec: JudgeSpec, task_type: str) -> Method | None:
    """The method with which this judge asks the task type, None where it cannot."""
    method = spec.method_for(task_type)
    if method is None:
        return None
    made: Method = METHODS.load(method.name)(**method.parameters)
    return made


@dataclass(frozen=True)
class Asker:
    """A judge ready to answer: a backend for each role."""

    backends: Mapping[str, Backend]

    def limits(self) -> Limits:
        """The tightest window among the backends."""
        return min((backend.limits() for backend in self.backends.values()), key=lambda limits: limits.window)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Each request answered by its role's backend, in the order asked."""
        answers: dict[int, Answer] = {}
        for role, backend in self.backends.items():
            mine = [i for i, request in enumerate(requests) if request.role == role]
            if mine:
                answers.update(zip(mine, backend.answer([requests[i] for i in mine]), strict=True))
        return [answers.get(i) or Failure(f"no backend plays {r.role}") for i, r in enumerate(requests)]

    def most_cost(self, requests: Sequence[Request]) -> float:
        """The most that the requests can cost; local models cost nothing."""
        bounds = {role: getattr(backend, "most_cost", None) for role, backend in self.backends.items()}
        return sum(bound(request) for request in requests if (bound := bounds.get(request.role)) is not None)

    def identity(self, role: str) -> str:
        return self.backends[role].identity() if role in self.backends else role


def load_asker(spec: JudgeSpec) -> Asker:
    """The judge's backends, loaded and warm."""
    return Asker({role: backend_for(backend) for role, backend in spec.backends.items()})


# ---------------------------------------------------------------- versions


def freeze(spec: JudgeSpec, aspects: Sequence[Aspect]) -> JudgeVersion:
    """The version row of this judge for these aspects, made where it is new."""
    frozen = frozen_spec(spec, aspects)
    digest = hashlib.sha256(json.dumps(frozen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return JudgeVersion.objects.get_or_create(hash=digest, defaults={"name": spec.name, "spec": frozen})[0]


def frozen_spec(spec: JudgeSpec, aspects: Sequence[Aspect]) -> dict[str, Any]:
    """All that the verdicts depend on: how each aspect is asked, word by word, and which model answers."""
    asked = {}
    for aspect in aspects:
        method, question = make_method(spec, aspect.task_type), question_of(aspect)
        if method is not None:
            asked[aspect.name] = {
                "method": method.name,
                "parameters": asdict(method),  # type: ignore[call-overload]
                "prompt": method.prompt_text(question),
                "question": asdict(question),
            }
    return {"spec": as_json(spec), "aspects": asked, "models": _models(spec)}


def _models(spec: JudgeSpec) -> dict[str, str]:
    """The revision of each role's model."""
    return {role: _revision(backend) for role, backend in spec.backends.items()}


def _revision(backend: BackendSpec) -> str:
    model = backend.options.get("model")
    if backend.name not in READS_FILES or not isinstance(model, str):
        return ""
    return revision(resolve(model, settings.MODELS_DIR))


# ---------------------------------------------------------------- from the ledger


def item_of(instance: Instance) -> Item:
    """The instance as judges see it: a response of several messages by its turns, with its tool calls and what
    the tools answered; pictures as data.
    """
    context: Mapping[str, Any] = instance.context
    responses = sorted(instance.responses.all(), key=lambda response: response.index)
    principles = context.get("principles") or []
    media = media_of(instance)
    read = [response_of(one, media) for one in responses]
    texts, turns, pictures = zip(*read, strict=True) if read else ((), (), ())
    return Item(
        id=instance.pk,
        prompt=tuple(message_of(turn, media) for turn in instance.messages),
        responses=texts,
        turns=turns,
        pictures=pictures,
        models=tuple(response.model for response in responses),
        system=str(context.get("system") or ""),
        reference=str(context.get("reference") or instance.metadata.get("reference") or ""),
        rubric=str(context.get("rubric") or ""),
        persona=str(context.get("persona") or ""),
        principles=tuple(map(str, principles)) if isinstance(principles, list) else (str(principles),),
        metadata=instance.metadata,
    )


def media_of(instance: Instance) -> Path:
    """Where the media of the instance's project lie (`ledger.media`), without a query for the project."""
    return Path(settings.MEDIA_ROOT) / str(instance.project_id)


def message_of(turn: Mapping[str, Any], media: Path) -> Message:
    """A chat turn; image parts of OpenAI's form and pictures of the project's own in the text become images."""
    content = turn.get("content") or ""
    if turn.get("tool_calls") and isinstance(content, str):
        content = written(turn)
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    named = [part for part in parts if isinstance(part, dict)]
    text, shown = taken_out("\n".join(str(one.get("text", "")) for one in named if one.get("type") == "text"))
    urls = [str(one["image_url"]["url"]) for one in named if one.get("type") == "image_url"]
    images = tuple(embedded(url, media) for url in (*urls, *shown))
    return Message(str(turn.get("role", "user")), text, images)


def response_of(response: Response, media: Path) -> tuple[str, tuple[Turn, ...], tuple[str, ...]]:
    """The response's text, its turns where it has several, and the pictures that it shows, as data."""
    turns = turns_of(response.messages)
    pieces = [taken_out(turn.text) for turn in turns] or [taken_out(response.text)]
    turns = tuple(replace(turn, text=text) for turn, (text, _) in zip(turns, pieces, strict=False))
    pictures = tuple(embedded(url, media) for _, shown in pieces for url in shown)
    return told(turns) if turns else pieces[0][0], turns, pictures


def continuation(text: str, messages: Messages | None) -> str:
    """The response as one text: its own, or all turns after the prompt with their speakers."""
    return told(turns_of(messages)) or text


def turns_of(messages: Messages | None) -> tuple[Turn, ...]:
    """What was said, called and answered after the prompt; none where it is one text and no more."""
    turns = tuple(turn for message in messages or () for turn in turns_in(message))
    return turns if len(turns) > 1 or any(turn.role == CALL for turn in turns) else ()


def turns_in(message: Mapping[str, Any]) -> list[Turn]:
    """The turns of one message: its words, then its calls."""
    roles = {SAID: "assistant", CALL: CALL, RESULT: "tool"}
    steps = [Turn(roles[step.kind], step.text, step.tool) for step in steps_in(message, 0)]
    if message.get("role") in ("assistant", "tool"):
        return steps
    return [Turn(str(message.get("role", "user")), str(message.get("content") or ""))]


def question_of(aspect: Aspect) -> Question:
    """The aspect as judges see it."""
    own = aspect.settings
    low, high = own.get("min", 1), own.get("max", 5)
    levels = own.get("levels") or {}
    return Question(
        aspect=aspect.name,
        task_type=aspect.task_type,
        text=aspect.description,
        steps=own.get("steps", 1),
        ties=own.get("tie", True),
        low=low,
        high=high,
        grid=own.get("step", 1),
        sure=own.get("confidence") == "required",
        descriptions=tuple(text for _, text in sorted(levels.items(), key=lambda pair: float(pair[0]))),
    )
