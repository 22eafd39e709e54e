"""The schema `goals`: pairs under a goal in front of the prompt, as the export `reward-conditioned` writes them.

The goal is taken off the prompt again. Each pair stands there twice: of the second row, which is `relabelled` under the
other goal, nothing is left to say.
"""

import re
from typing import Any

from ledger.imports.drafts import BadRow, Draft
from ledger.imports.preference import KNOWN as OF_PAIRS
from ledger.imports.preference import paired, response, split_prompt

KNOWN = OF_PAIRS | {"goal", "score_chosen", "score_rejected", "relabelled"}
GOAL = re.compile(r"Generate a response of quality \S+ on a scale from \S+ to \S+\.")
BETWEEN = "\n\n"


def parse(row: dict[str, Any]) -> Draft | None:
    """The draft of one row, None of a relabelled one. Raises `BadRow`."""
    if row.get("relabelled") in (True, "true"):
        return None
    prompt, chosen, rejected = split_prompt(row)
    sides = response("r1", chosen, "chosen"), response("r2", rejected, "rejected")
    return paired(row, without_goal(prompt), *sides, known=KNOWN)


def without_goal(prompt: Any) -> Any:
    """The prompt behind the goal. Raises `BadRow` where there is none."""
    if isinstance(prompt, str):
        goal, between, asked = prompt.partition(BETWEEN)
        if between and GOAL.fullmatch(goal):
            return asked
    elif isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):
        content = prompt[0].get("content")
        if isinstance(content, str) and GOAL.fullmatch(content):
            return prompt[1:]
    raise BadRow("prompt does not begin with its goal.")
