"""The judges that ship: which methods ask which task types, on which backend.

A project's own judges are rows (`judges.models.Judge`) of the same shape; `find_judge` looks there first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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

    def method_for(self, task_type: str) -> MethodSpec | None:
        return self.methods.get(task_type)


SMOLLM2 = BackendSpec("transformers", {"model": "bundled:smollm2"})
PAIRWISE = MethodSpec("pairwise")

CATALOG: dict[str, JudgeSpec] = {
    spec.name: spec
    for spec in (
        JudgeSpec(
            name="smollm2",
            title="SmolLM2-135M, zero-shot",
            about="A real but very small model, asked in both orders. Weaker than taking the longer response.",
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
    )
}


def shipped(name: str) -> JudgeSpec:
    """The shipped judge of this name. Raises `UnknownName` with the nearest names."""
    if name not in CATALOG:
        raise unknown("judge", name, list(CATALOG))
    return CATALOG[name]
