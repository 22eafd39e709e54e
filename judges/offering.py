"""What a person chooses when adding a judge: methods in words, their parameters as typed fields, the backends
that can answer them.

A form's flat values become a spec by `spec_from` and come back by `choices_of`. Nothing here loads a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, get_type_hints

from judges.backends import ANSWERS
from judges.catalog import BackendSpec, JudgeSpec, MethodSpec, shipped
from judges.methods import METHODS
from judges.methods.pairwise import TOURNAMENTS
from judges.methods.verifier import KINDS
from judges.requests import (
    CheckRequest,
    GenerateRequest,
    LabelRequest,
    LikelihoodRequest,
    RewardRequest,
    UtilityRequest,
)
from web.problems import Invalid

ENDPOINT = "endpoint:"  # before an endpoint's name, where a backend is chosen
MODELLESS = frozenset({"length", "checks"})
# What the probe can read; where none is chosen, what the shipped one does
ENCODERS = {
    "smollm2": "a small language model's middle layer, after prompt and response",
    "minilm": "sentence embeddings, in a fifth of the reading time and often no better than the longer",
}
SHIPPED_ENCODER = str(shipped("probe").backends["judge"].options["encoder"])


@dataclass(frozen=True, slots=True)
class Slot:
    """A role that a model plays in a method; an `optional` one may stay empty. `asks` is what its model has to
    answer, where that is not what the method asks.
    """

    role: str
    title: str
    optional: bool = False
    asks: frozenset[type] = frozenset()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a method. `kind` is switch, whole, number, word, text, lines, numbers, pairs or
    choice.
    """

    name: str
    kind: str
    default: object
    title: str
    help: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A method as it is offered: what it does, which models it wants, what can be set."""

    method: str
    about: str
    slots: tuple[Slot, ...]
    parameters: tuple[Parameter, ...]
    asks: frozenset[type]
    seeing: bool = False

    @property
    def backends(self) -> list[str]:
        """The backends that answer everything the method asks."""
        return self.able(self.asks)

    def able(self, asks: frozenset[type]) -> list[str]:
        """The backends that answer these requests, and see where the method wants it."""
        found = [name for name, answers in ANSWERS.items() if asks <= answers.requests]
        return [name for name in found if not self.seeing or ANSWERS[name].sees]


JUDGE = (Slot("judge", "The model that judges"),)
EXPLAINER = Slot(
    "explainer", "The model that explains each verdict (else the judge)", True, frozenset({GenerateRequest})
)
EXPLAINING = frozenset({"generative", "self-reference", "debate", "verifier"})  # keep what they wrote or saw
ABOUT: dict[str, tuple[str, tuple[Slot, ...], frozenset[type]]] = {
    "pairwise": (
        "Which of two is better, by the probabilities of the verdict's tokens, in both orders. Fast; also ranks.",
        JUDGE,
        frozenset({LabelRequest}),
    ),
    "rubric": (
        "A score for each response on a described scale, with the reference answer where there is one.",
        JUDGE,
        frozenset({LabelRequest}),
    ),
    "probe": (
        "Learns from this project's people, over what a small model sees in a text. Never scores what it learnt from.",
        JUDGE,
        frozenset({UtilityRequest}),
    ),
    "reward": (
        "A reward model's scalar for each response; several models, or dropout, give a spread.",
        (*JUDGE, Slot("second", "A second model", True), Slot("third", "A third model", True)),
        frozenset({RewardRequest}),
    ),
    "jury": ("Several of the project's judges vote, or their log-odds are averaged.", (), frozenset()),
    "generative": (
        "Reasons first, then says its verdict; several samples in each order. Slow; explains itself.",
        JUDGE,
        frozenset({GenerateRequest}),
    ),
    "self-reference": (
        "Answers the prompt itself, criticises each response against that, then decides.",
        JUDGE,
        frozenset({GenerateRequest, LabelRequest, LikelihoodRequest}),
    ),
    "debate": (
        "Two advocates argue in rounds; a third decides in both orders.",
        (
            Slot("judge", "The model that decides"),
            Slot("advocate", "The model that argues (else the same)", True),
        ),
        frozenset({GenerateRequest, LabelRequest}),
    ),
    "density-ratio": (
        "How much likelier a stronger model, told what counts, finds a response than a weaker one.",
        (Slot("judge", "The stronger model"), Slot("weak", "The weaker model (else the same, untold)", True)),
        frozenset({LikelihoodRequest}),
    ),
    "follow-up": (
        "How likely a pleased rather than a displeased next turn of the person is.",
        JUDGE,
        frozenset({LikelihoodRequest}),
    ),
    "implicit-reward": (
        "How much likelier a tuned model finds a response than its reference; without one, its own likelihood.",
        (
            Slot("judge", "The tuned model"),
            Slot("reference", "Its reference (else its own likelihood)", True),
        ),
        frozenset({LikelihoodRequest}),
    ),
    "principles": (
        "Every principle of your own judged alone, in both orders, then combined.",
        JUDGE,
        frozenset({LabelRequest}),
    ),
    "verifier": (
        "No opinion: runs the tests, the answer, the schema or the tool call that an instance carries.",
        (Slot("checker", "What checks"),),
        frozenset({CheckRequest}),
    ),
    "vision": (
        "As pairwise, with the request's images, for models that see.",
        JUDGE,
        frozenset({LabelRequest}),
    ),
}
SEEING = frozenset({"vision"})
CHOICES = {
    ("pairwise", "tournament"): TOURNAMENTS,
    ("vision", "tournament"): TOURNAMENTS,
    ("principles", "combine"): ("mean", "vote", "worst"),
    ("jury", "combine"): ("mean", "vote", "learned"),
    ("verifier", "kind"): ("", *KINDS),
}
# Parameters that name roles or carry members: the slots stand for them.
PLAYED = {
    "reward": ("members",),
    "jury": ("members",),
    "debate": ("advocates", "decider"),
    "density-ratio": ("strong", "weak"),
    "implicit-reward": ("tuned", "reference", "own"),
}
LONG = frozenset({"system", "criteria", "criterion"})
TITLES = {
    "system": "Instruction",
    "prefill": "Its answer begins with",
    "tie": "A tie may be said",
    "both_orders": "Ask in both orders",
    "use_reference": "Show the reference answer",
    "max_tokens": "Longest text, tokens",
    "answer_tokens": "Longest answer of its own, tokens",
    "critique_tokens": "Longest critique, tokens",
    "required": "An image is required",
    "kind": "Check",
    "seconds": "Seconds, at most",
    "megabytes": "Megabytes, at most",
    "per_token": "Divide by length",
    "pleased": "A pleased person's next turns",
    "displeased": "A displeased person's next turns",
    "voting": "By votes",
}
HELP = {
    "tie": "Offer a tie as a third answer.",
    "both_orders": "Ask in both orders, so that a preference for a place cancels.",
    "tournament": "How rankings are asked: every pair, or each response with its next ones on a circle.",
    "reach": "In a ring: how many neighbours each response meets.",
    "system": "The instruction that opens the prompt.",
    "prefill": "How the model's answer begins.",
    "criterion": "What is graded; empty: the aspect's description, else a shipped rubric of its name.",
    "levels": "What each level means, one a line, the lowest first; empty: the aspect's own or the shipped ones.",
    "use_reference": "Show the reference answer where an instance has one.",
    "samples": "How often each order is sampled; for a reward model, how many dropout masks.",
    "temperature": "0 writes the likeliest text; for a reward model, what divides a difference.",
    "max_tokens": "The longest text that it may write.",
    "retries": "How often an unreadable verdict is asked for again, more strictly.",
    "voting": "A pair's probability is the share of votes.",
    "rounds": "How often each side speaks.",
    "principles": "One a line; an instance's own are added.",
    "weights": "One a line, in the principles' order; empty: all weigh the same.",
    "combine": "How the voices become one verdict.",
    "per_token": "Divide by the response's tokens, so that length does not count.",
    "scale": "Log-odds for one nat.",
    "beta": "How much one nat counts.",
    "criteria": "What counts; empty: the aspect's own.",
    "exemplars": "A request, =>, a good answer; one pair a line.",
    "pleased": "Next turns of a pleased person, one a line.",
    "displeased": "Next turns of a displeased person, one a line.",
    "kind": "Which check; empty: what an instance carries.",
    "seconds": "The longest that a check may run.",
    "megabytes": "The most memory that a check may take.",
    "tolerance": "How far a number may be off, as a share.",
    "required": "An instance without an image is a failure.",
    "answer_tokens": "The longest answer of its own.",
    "critique_tokens": "The longest critique.",
}


def offer_of(method: str) -> Offer:
    """The method as it is offered. Raises `UnknownName`."""
    made = METHODS.load(method)
    about, slots, asks = ABOUT[method]
    hints = get_type_hints(made)
    own = [one for one in fields(made) if one.name not in PLAYED.get(method, ())]
    parameters = tuple(parameter_of(method, one.name, hints[one.name], default_of(one)) for one in own)
    slots = slots if method in EXPLAINING else (*slots, EXPLAINER)
    return Offer(method, about, slots, parameters, asks, method in SEEING)


def offers() -> list[Offer]:
    """Every method that can be added."""
    return [offer_of(name) for name in METHODS]


def default_of(field: Any) -> object:
    return field.default if field.default is not MISSING else field.default_factory()


def parameter_of(method: str, name: str, hint: object, default: object) -> Parameter:
    choices = CHOICES.get((method, name), ())
    kind = "choice" if choices else kind_of(name, hint)
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    return Parameter(name, kind, default, title, HELP.get(name, ""), choices)


def kind_of(name: str, hint: object) -> str:
    """How a value of this type is written in a form."""
    simple = {bool: "switch", int: "whole", float: "number"}
    if isinstance(hint, type) and hint in simple:
        return simple[hint]
    if hint is str:
        return "text" if name in LONG else "word"
    if hint == tuple[float, ...]:
        return "numbers"
    return "lines" if hint == tuple[str, ...] else "pairs"


# ---------------------------------------------------------------- from a form's values to a spec


@dataclass(frozen=True, slots=True)
class Chosen:
    """A role's part: a backend or an endpoint, the model by name, and the window in tokens (0: the model's own)."""

    backend: str
    model: str = ""
    window: int = 0

    def spec(self) -> BackendSpec:
        options: dict[str, object] = {}
        if self.backend == "probe":
            options["encoder"] = self.model or SHIPPED_ENCODER
        elif self.model and self.backend not in MODELLESS:
            options["model"] = self.model
        if self.window:
            options["window"] = self.window
        if self.backend.startswith(ENDPOINT):
            options["endpoint"] = self.backend.removeprefix(ENDPOINT)
            return BackendSpec("openai-compatible", options)
        return BackendSpec(self.backend, options)

    @classmethod
    def of(cls, spec: BackendSpec) -> Chosen:
        endpoint = spec.options.get("endpoint")
        model = spec.options.get("encoder" if spec.name == "probe" else "model", "")
        return cls(
            f"{ENDPOINT}{endpoint}" if endpoint else spec.name,
            str(model),
            int(str(spec.options.get("window", 0))),
        )


def spec_from(
    method: str,
    *,
    name: str,
    parameters: Mapping[str, object],
    played: Mapping[str, Chosen],
    jurors: Sequence[JudgeSpec] = (),
    rationale: bool = False,
) -> JudgeSpec:
    """The judge that the choices describe. Raises `Invalid` where they describe none."""
    offer = offer_of(method)
    missing = [slot.title for slot in offer.slots if not slot.optional and slot.role not in played]
    if missing:
        raise Invalid(f"{method} needs a model: {', '.join(missing)}.", method=method)
    own, backends = seated(jurors) if method == "jury" else (roles_played(method, set(played)), {})
    backends |= {role: chosen.spec() for role, chosen in played.items()}
    kinds = sorted(METHODS.load(method).task_types)
    explainer = EXPLAINER.role if EXPLAINER.role in played else "judge" if rationale else ""
    if explainer and method not in EXPLAINING and not explains(backends.get(explainer)):
        raise Invalid(
            "Only a model that writes can give a rationale: choose one that explains.", method=method
        )
    return JudgeSpec(
        name=name,
        title=name,
        about=described(method, backends),
        methods=dict.fromkeys(kinds, MethodSpec(method, {**parameters, **own})),
        backends=backends,
        rationale=explainer,
    )


def roles_played(method: str, roles: set[str]) -> dict[str, object]:
    """The parameters that say who plays what; roles left empty fall to the judge."""
    if method == "reward":
        return {"members": tuple(role for role in ("judge", "second", "third") if role in roles)}
    if method == "debate":
        advocate = "advocate" if "advocate" in roles else "judge"
        return {"advocates": (advocate, advocate), "decider": "judge"}
    if method == "density-ratio":
        return {"strong": "judge", "weak": "weak" if "weak" in roles else "judge"}
    if method == "implicit-reward":
        return {"tuned": "judge", "reference": "reference", "own": "reference" not in roles}
    return {}


def seated(jurors: Sequence[JudgeSpec]) -> tuple[dict[str, object], dict[str, BackendSpec]]:
    """A jury's members and their backends, each under its juror's name. Raises `Invalid`."""
    if len(jurors) < 2:
        raise Invalid("A jury needs at least two judges.")
    nested = [one.name for one in jurors if any(m.name == "jury" for m in one.methods.values())]
    if nested:
        raise Invalid(f"A jury cannot sit in a jury: {', '.join(nested)}.")
    members, backends = [], {}
    for one in jurors:
        methods = {
            kind: {"name": m.name, "parameters": dict(m.parameters)} for kind, m in one.methods.items()
        }
        members.append({"name": one.name, "methods": methods})
        for role, backend in one.backends.items():
            backends[one.name if role == "judge" else f"{one.name}.{role}"] = backend
    return {"members": tuple(members)}, backends


def explains(backend: BackendSpec | None) -> bool:
    return backend is not None and GenerateRequest in ANSWERS[backend.name].requests


def described(method: str, backends: Mapping[str, BackendSpec]) -> str:
    """The judge in a line: method, and the models that play."""
    models = [str(b.options.get("model") or b.options.get("encoder") or b.name) for b in backends.values()]
    return f"{method} on {', '.join(dict.fromkeys(models))}"


# ---------------------------------------------------------------- and back


@dataclass(frozen=True, slots=True)
class Choices:
    """A spec as its form shows it."""

    method: str
    parameters: Mapping[str, object]
    played: Mapping[str, Chosen]
    jurors: tuple[str, ...]
    rationale: bool


def choices_of(spec: JudgeSpec) -> Choices | None:
    """The form's values of a judge that was made by one; None where its methods differ by task type."""
    methods = {method.name: method for method in spec.methods.values()}
    if len(methods) != 1:
        return None
    (method,) = methods.values()
    jurors = method.parameters.get("members", ()) if method.name == "jury" else ()
    return Choices(
        method=method.name,
        parameters=method.parameters,
        played={
            role: Chosen.of(one)
            for role, one in spec.backends.items()
            if not jurors or role == EXPLAINER.role
        },
        jurors=tuple(str(one["name"]) for one in jurors),  # type: ignore[attr-defined]
        rationale=bool(spec.rationale),
    )


def renamed(spec: JudgeSpec, name: str) -> JudgeSpec:
    return replace(spec, name=name, title=name)
