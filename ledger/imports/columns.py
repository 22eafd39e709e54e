"""Flat files (CSV, Parquet) with a column for each response: response_1, response_a, completion_2, output_b …"""

import re
from typing import Any

from ledger.imports.drafts import BadRow, Draft
from ledger.imports.switchyard import parse as parse_switchyard

RESPONSE = re.compile(
    r"(?:response|answer|completion|output|candidate)[ _-]?([0-9]{1,2}|[a-z])", re.IGNORECASE
)
MODEL = re.compile(r"model[ _-]?([0-9]{1,2}|[a-z])", re.IGNORECASE)
PROMPTS = ("prompt", "instruction", "question", "input", "query")


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    responses = matching(row, RESPONSE)
    models = {place: row[column] for place, column in matching(row, MODEL).items()}
    prompt = next((column for column in PROMPTS if row.get(column) is not None), None)
    if prompt is None:
        raise BadRow(f"No column holds the prompt; it may be called {', '.join(PROMPTS)}.")
    used = {prompt, *responses.values(), *matching(row, MODEL).values()}
    rest = {column: value for column, value in row.items() if column not in used}
    texts = [
        {"text": row[column], "model": models.get(place) or ""}
        for place, column in sorted(responses.items())
        if row[column] is not None
    ]
    return parse_switchyard({**rest, "prompt": row[prompt], "responses": texts})


def matching(row: dict[str, Any], pattern: re.Pattern[str]) -> dict[str, str]:
    """The columns that fit, by their number or letter."""
    found = ((pattern.fullmatch(column), column) for column in row)
    return {match[1].lower().zfill(2): column for match, column in found if match}
