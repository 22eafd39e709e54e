"""The verifier's backend: runs outcome checks on this machine."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from judges.backends.sandbox import run_tests
from judges.backends.schemas import UnknownKeyword, problems, same
from judges.items import Limits
from judges.requests import Answer, Checked, CheckRequest, Failure, Request, Usage

FENCED = re.compile(r"```[ \t]*([\w+-]*)[^\n]*\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?(?:/\d+)?%?")
MOST_OPENINGS = 500  # brackets of a text from which JSON is tried
STATED = (
    re.compile(r"\\boxed\{([^{}]+)\}"),
    re.compile(r"####\s*(.+)"),
    re.compile(r"(?i)(?:final )?answer(?: is)?\s*[:=]?\s*(.+)"),
)


@dataclass(frozen=True, slots=True)
class ChecksBackend:
    """Answers `CheckRequest`s."""

    def limits(self) -> Limits:
        return Limits(window=1 << 20)

    def identity(self) -> str:
        return "checks:1"

    def warm_up(self) -> None:
        """Nothing to warm."""

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Answer:
        if not isinstance(request, CheckRequest):
            return Failure(f"the checker cannot answer {type(request).__name__}")
        if request.kind not in CHECKS:
            return Failure(f"there is no check named {request.kind!r}")
        start = time.perf_counter()
        answer = CHECKS[request.kind](request.response, json.loads(request.facts))
        usage = Usage(seconds=time.perf_counter() - start)
        if isinstance(answer, Failure):
            return Failure(answer.reason, answer.raw, usage)
        return Checked(answer.share, answer.total, answer.seen, usage)


# ---------------------------------------------------------------- the checks


def unit_tests(response: str, facts: Mapping[str, Any]) -> Checked | Failure:
    """The share of the tests that the response's code passes."""
    ran = run_tests(
        code_of(response), facts["tests"], seconds=facts["seconds"], megabytes=int(facts["megabytes"])
    )
    if ran.refused:
        return Failure(f"no sandbox: {ran.refused}")
    passed = sum(ran.passed)
    seen = f"{passed} of {len(ran.passed)} tests passed" + (f" ({ran.seen})" if ran.seen else "")
    return Checked(passed / max(len(ran.passed), 1), len(ran.passed), seen)


def exact(response: str, facts: Mapping[str, Any]) -> Checked:
    """Whether the stated answer is the expected one, but for case, spaces and final punctuation."""
    said, wanted = stated(response), facts["answer"]
    right = plain(said) == plain(wanted)
    return Checked(float(right), 1, f"answered {said[:80]!r}, expected {wanted[:80]!r}")


def numeric(response: str, facts: Mapping[str, Any]) -> Checked | Failure:
    """Whether the last number stated is the expected one, within the relative tolerance."""
    wanted = number_in(facts["answer"])
    if wanted is None:
        return Failure(f"the expected answer {facts['answer'][:80]!r} holds no number")
    said = number_in(stated(response))
    right = said is not None and math.isclose(said, wanted, rel_tol=facts["tolerance"], abs_tol=1e-12)
    return Checked(float(right), 1, f"answered {said}, expected {wanted}")


def json_schema(response: str, facts: Mapping[str, Any]) -> Checked | Failure:
    """Whether the response's JSON fits the schema."""
    value, found = json_in(response)
    if not found:
        return Checked(0.0, 1, "no JSON found")
    try:
        wrong = problems(value, facts["schema"])
    except UnknownKeyword as keyword:
        return Failure(f"the schema uses {keyword}, which the check does not know")
    return Checked(float(not wrong), 1, "; ".join(wrong)[:500] or "fits the schema")


def tool_call(response: str, facts: Mapping[str, Any]) -> Checked:
    """Half for the right tool, half for exactly the right arguments; of a list of calls the best counts."""
    value, _ = json_in(response)
    calls = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    each = [one_call(call, facts["call"]) for call in calls]
    return max(each, key=lambda one: one.share, default=Checked(0.0, 2, "no tool call found"))


def one_call(value: Mapping[str, Any], wanted: Mapping[str, Any]) -> Checked:
    function = value.get("function")
    call = function if isinstance(function, dict) else value
    name = call.get("name") == wanted["name"]
    arguments = call.get("arguments", call.get("parameters"))
    if isinstance(arguments, str):
        arguments, _ = json_in(arguments)
    right = name and same(arguments, wanted.get("arguments", {}))
    return Checked((name + right) / 2, 2, f"called {call.get('name')!r} with {json.dumps(arguments)[:200]}")


CHECKS: dict[str, Callable[[str, Mapping[str, Any]], Checked | Failure]] = {
    "unit_tests": unit_tests,
    "exact": exact,
    "numeric": numeric,
    "json_schema": json_schema,
    "tool_call": tool_call,
}


# ---------------------------------------------------------------- reading responses


def code_of(response: str) -> str:
    """The Python of the fenced blocks, one below the other; the whole response where there is none."""
    blocks = [
        body
        for language, body in FENCED.findall(response)
        if language.lower() in ("", "python", "py", "python3")
    ]
    return "\n".join(blocks) if blocks else response


def stated(response: str) -> str:
    """The answer that the response states: boxed, after ####, after "answer:", else its last line."""
    for pattern in STATED:
        found = pattern.findall(response)
        if found:
            return str(found[-1]).strip()
    lines = [line.strip() for line in response.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def number_in(text: str) -> float | None:
    """The last number of the text; 1,234, 3/4 and 12 % are numbers."""
    found = [match for match in NUMBER.findall(text.replace("−", "-")) if any(c.isdigit() for c in match)]
    if not found:
        return None
    last = found[-1].replace(",", "")
    share = 0.01 if last.endswith("%") else 1.0
    top, _, bottom = last.rstrip("%").partition("/")
    if bottom and float(bottom) == 0:
        return None
    return float(top or 0) / (float(bottom) if bottom else 1.0) * share


def plain(text: str) -> str:
    """The text without case, surrounding marks and doubled spaces."""
    return re.sub(r"\s+", " ", text).strip(" .!\"'`$*").casefold()


def json_in(response: str) -> tuple[Any, bool]:
    """The first JSON value of the response (fenced, bare or within text), and whether there is one."""
    decoder = json.JSONDecoder()
    for text in [body for _, body in FENCED.findall(response)] + [response]:
        for at in islice((i for i, c in enumerate(text) if c in "{["), MOST_OPENINGS):
            try:
                return decoder.raw_decode(text, at)[0], True
            except (ValueError, RecursionError):  # no JSON, or a tower of brackets
                continue
    return None, False
