"""The judges that ship: which methods ask which task types, on which backend.

A project's own judges are rows (`judges.models.Judge`) of the same shape; `find_judge` looks there first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from web.registry import unknown

Options = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A row of METHODS with its parameters."""

    name: str
    parameters: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A row of BACKENDS with its options."""

    name: str
    options: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgeSpec:
    """A judge: `methods` by task type, `backends` by the role that a method asks for."""

    name: str
    title: str
    about: str
    methods: Mapping[str, MethodSpec]
    backends: Mapping[str, BackendSpec]
    chunk: int = (
        8  # instances a task: some seconds of work, so that progress moves and little is lost by a kill
    )
    cached: bool = True  # whether answers are worth keeping
    rationale: str = ""  # the role that explains each verdict in words; empty: nobody

    def method_for(self, task_type: str) -> MethodSpec | None:
        return self.methods.get(task_type)


SMOLLM2 = BackendSpec("transformers", {"model": "bundled:smollm2", "window": 4096})
PAIRWISE = MethodSpec("pairwise")

CATALOG: dict[str, JudgeSpec] = {
    spec.name: spec
    for spec in (
        JudgeSpec(
            name="smollm2",
            title="SmolLM2-135M, zero-shot",
            about="A real but very small model, asked in both orders. Weaker than taking the longer one.",
            methods={"pairwise": PAIRWISE, "ranking": PAIRWISE, "rating": MethodSpec("rubric")},
            backends={"judge": SMOLLM2},
        ),
        JudgeSpec(
            name="length",
            title="The longer wins",
            about="No model: prefers the longer response. The baseline that every judge has to beat.",
            methods={
                "pairwise": MethodSpec("pairwise", {"both_orders": False, "tie": True}),
                "ranking": MethodSpec("pairwise", {"both_orders": False, "tie": True}),
                "rating": MethodSpec("rubric"),
            },
            backends={"judge": BackendSpec("length")},
            chunk=500,
            cached=False,
        ),
        JudgeSpec(
            name="probe",
            title="Probe on this project's labels",
            about="Learns from the people of this project over length, style and the states of a small language model "
            "that has read prompt and response. Scores every prompt by a head that saw no label of it.",
            methods=dict.fromkeys(("pairwise", "ranking", "rating"), MethodSpec("probe")),
            backends={"judge": BackendSpec("probe", {"encoder": "smollm2"})},
            chunk=32,
            cached=False,
        ),
        JudgeSpec(
            name="verifier",
            title="Outcome checks",
            about="No opinion: runs the unit tests, the exact or numeric answer, the schema or the tool call that "
            "an instance carries in its metadata.",
            methods=dict.fromkeys(("pairwise", "ranking", "rating"), MethodSpec("verifier")),
            backends={"checker": BackendSpec("checks")},
            cached=False,
        ),
        JudgeSpec(
            name="probe-minilm",
            title="Probe on sentence embeddings",
            about="As probe, over MiniLM's embeddings of prompt and response: about a fifth of the reading time, and "
            "often no better than the longer response.",
            methods=dict.fromkeys(("pairwise", "ranking", "rating"), MethodSpec("probe")),
            backends={"judge": BackendSpec("probe", {"encoder": "minilm"})},
            chunk=64,
            cached=False,
        ),
    )
}


def shipped(name: str) -> JudgeSpec:
    """The shipped judge of this name. Raises `UnknownName` with the nearest names."""
    if name not in CATALOG:
        raise unknown("judge", name, list(CATALOG))
    return CATALOG[name]


def as_json(spec: JudgeSpec) -> dict[str, Any]:
    """The spec as JSON, from which `from_json` makes an equal one."""
    return asdict(spec)


def from_json(body: Mapping[str, Any]) -> JudgeSpec:
    """The spec that `as_json` wrote."""
    return JudgeSpec(
        **{
            **body,
            "methods": {kind: MethodSpec(**method) for kind, method in body["methods"].items()},
            "backends": {role: BackendSpec(**backend) for role, backend in body["backends"].items()},
        }
    )
