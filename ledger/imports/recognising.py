"""Which schema a row follows, told by its columns."""

from typing import Any

from ledger.imports.columns import RESPONSE, matching

# The columns by which a schema is known, those that tell most first.
SIGNS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (schema, frozenset(columns.split()))
    for schema, columns in (
        ("voices", "rater task_type responses"),
        ("strengths", "preference_strength"),
        ("lists", "completions ranks"),
        ("steps", "completions labels"),
        ("ledger", "responses labels aspects"),
        ("switchyard", "responses"),
        ("joint", "chosen_instruction rejected_instruction"),
        ("trajectories", "chosen rejected level turn"),
        ("goals", "chosen rejected goal relabelled"),
        ("masks", "chosen_sentences rejected_sentences"),
        ("media", "image_0 image_1 label_0"),
        ("edits", "chosen rejected response rater"),
        ("preference", "chosen"),
        ("preference", "rejected"),
        ("unpaired", "prompt completion label"),
        ("ratings", "prompt response"),
    )
)
PROMPT_ONLY = {"prompt", "reference", "instance", "split"}


def recognise(row: dict[str, Any]) -> str:
    """The schema that a row's columns show; `switchyard` where they show none."""
    held = set(row)
    found = next((schema for schema, columns in SIGNS if columns <= held), None)
    if found is not None:
        return found
    if {"prompt", "instance"} <= held <= PROMPT_ONLY:
        return "prompts"
    return "columns" if matching(row, RESPONSE) else "switchyard"
