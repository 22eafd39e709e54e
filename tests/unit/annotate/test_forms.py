"""The forms: what is posted becomes the ledger's value, whatever the order on the screen, and back again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.forms import FORMS
from annotate.forms.pairwise import degrees
from annotate.forms.work import WorkForm, aspect_form
from annotate.keys import ACTIONS, FIXED, clashes
from ledger.models import Aspect, Response
from ledger.segments import sentences, steps
from ledger.task_types import TASK_TYPES
from ledger.task_types.edit import apply, changed_words, word_diff
from web.content import divided

Messages = list[dict[str, Any]]
TEXTS = ("First one. It is short.", "Second one.\n\nIt has two paragraphs.", "Third")


def responses(size: int, messages: Messages | None = None) -> list[Response]:
    """The first of them carries `messages` where they are given."""
    return [
        Response(index=index, text=text, messages=None if index else messages)
        for index, text in enumerate(TEXTS[:size])
    ]


def aspect(task_type: str, **settings: Any) -> Aspect:
    filled = TASK_TYPES.load(task_type).settings(settings)
    return Aspect(pk=7, name="overall", task_type=task_type, settings=filled, required=True)


VALUES: dict[str, tuple[int, dict[str, Any]]] = {
    "pairwise": (2, {"strength": -2, "confidence": 2, "reasons": ["clear"], "comment": "why"}),
    "joint": (2, {"both_bad": True}),
    "ranking": (3, {"ranks": [2, 1, 2]}),
    "rating": (3, {"ratings": {"0": 4, "1": 1, "2": 5}}),
    "slider": (2, {"ratings": {"0": 33, "1": 100}}),
    "satisfaction": (2, {"ratings": {"0": 1, "1": 5}}),
    "best_worst": (3, {"best": 1, "worst": 0, "size": 3}),
    "triplet": (3, {"alike": [0, 2]}),
    "spans": (2, {"marks": [{"response": 1, "start": 0, "end": 6, "label": "unsafe"}]}),
    "sentences": (
        1,
        {
            "marks": [
                {"response": 0, "start": 0, "end": 10, "label": "good"},
                {"response": 0, "start": 11, "end": 23, "label": "unsafe"},
            ]
        },
    ),
    "steps": (
        1,
        {"marks": [{"response": 0, "start": 0, "end": 23, "label": "wrong"}], "first_errors": {"0": 0}},
    ),
    "edit": (1, {"edits": {"0": {"text": "First two. It is short.", "diff": [], "distance": 2}}}),
    "text": (1, {"text": "Own words."}),
}


def test_every_task_type_that_is_asked_has_a_form() -> None:
    asked = {name for name in TASK_TYPES if any(TASK_TYPES.load(name).fits(size) for size in range(1, 5))}
    assert asked == set(FORMS) == set(VALUES)


@pytest.mark.parametrize("task_type", VALUES)
def test_a_value_becomes_fields_and_the_same_value_again(task_type: str) -> None:
    size, value = VALUES[task_type]
    if task_type == "edit":
        value["edits"]["0"]["diff"] = word_diff(TEXTS[0], value["edits"]["0"]["text"])
    asked = aspect(
        task_type, **({"confidence": "optional", "reasons": ["clear"]} if task_type == "pairwise" else {})
    )
    order = list(reversed(range(size)))
    fields = aspect_form(asked, responses=responses(size), order=order).fields_of(value)
    form = aspect_form(asked, responses=responses(size), order=order, fields=fields)
    assert form.clean() == value, form.error
    assert form.answered and form.summary()


@pytest.mark.parametrize("task_type", VALUES)
def test_nothing_entered_is_no_answer(task_type: str) -> None:
    size, _value = VALUES[task_type]
    asked = aspect(task_type)
    form = aspect_form(asked, responses=responses(size), order=range(size))
    assert form.clean() is None and form.error and not form.answered
    asked.required = False
    assert aspect_form(asked, responses=responses(size), order=range(size)).clean() is None


TRAJECTORY: Messages = [
    {
        "role": "assistant",
        "content": "I look it up.",
        "tool_calls": [{"name": "find", "arguments": {"q": 1}}],
    },
    {"role": "tool", "name": "find", "content": "Nothing."},
    {"role": "user", "content": "Go on."},
    {"role": "assistant", "content": TEXTS[0]},
]


@pytest.mark.parametrize("results", [True, False])
def test_the_steps_of_a_trajectory_are_its_messages_and_calls(results: bool) -> None:
    asked, given = aspect("steps", results=results), responses(2, TRAJECTORY)
    places = ["0-0", "0-0-0", *(["0-1"] if results else []), "0-3"]
    fields = {f"a7.step-{place}": ["right"] for place in places}
    fields |= {"a7.step-0-0-0": ["wrong"], "a7.seg-1-0-11": ["neutral"]}
    form = aspect_form(asked, responses=given, order=[1, 0], fields=fields)
    assert form.clean() is None and form.error == "Not marked yet: 1."  # the other response has paragraphs
    form = aspect_form(asked, responses=given, order=[1, 0], fields=fields | {"a7.seg-1-13-35": ["right"]})
    value = form.clean()
    assert value and value["first_errors"] == {"0": 0}
    said = [(m["message"], m.get("call"), m["label"]) for m in value["marks"] if m["response"] == 0]
    result = [(1, None, "right")] if results else []
    assert said == [(0, None, "right"), (0, 0, "wrong"), *result, (3, None, "right")]
    again = aspect_form(asked, responses=given, order=[0, 1], fields=form.fields_of(value))
    assert again.clean() == value


@pytest.mark.parametrize("steps_", range(1, 6))
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_left_key_means_the_left_response(steps_: int, order: list[int]) -> None:
    form = aspect_form(aspect("pairwise", steps=steps_), responses=responses(2), order=order)
    options = form.options()  # type: ignore[attr-defined]
    leftmost, rightmost = int(options[0].value), int(options[2 * steps_].value)
    assert (leftmost < 0) == (order[0] == 0) and rightmost == -leftmost == (
        steps_ if order[0] == 0 else -steps_
    )
    assert options[0].words.startswith("1 ") and options[2 * steps_].words.startswith("2 ")
    assert len(degrees(steps_)) == steps_ and [o.key for o in options][-1] == "0"
    assert len({option.key for option in options}) == len(options)


def test_an_unfinished_answer_says_what_is_missing() -> None:
    fields = {"a7.rating-0": ["3"]}
    form = aspect_form(aspect("rating"), responses=responses(3), order=[2, 0, 1], fields=fields)
    assert form.clean() is None and form.error == "Rate every response; missing: 1, 3."
    form = aspect_form(aspect("ranking"), responses=responses(2), order=[1, 0], fields={"a7.rank-1": ["1"]})
    assert form.clean() is None and form.error == "Give every response a rank; missing: 2."


@pytest.mark.parametrize("posted", ["9", "-3", "x", "1e9", "NaN", "⁴", "0; drop table"])
def test_what_is_off_the_scale_is_refused(posted: str) -> None:
    fields = {"a7.strength": [posted]}
    form = aspect_form(aspect("pairwise"), responses=responses(2), order=[0, 1], fields=fields)
    assert form.clean() is None and form.error


def test_a_comment_without_a_choice_is_not_thrown_away() -> None:
    asked = aspect("pairwise", comment=True)
    asked.required = False
    form = aspect_form(asked, responses=responses(2), order=[0, 1], fields={"a7.comment": ["hm"]})
    assert form.clean() is None and form.error == "Choose an answer."


def test_the_screen_opens_the_first_open_question() -> None:
    first, second = aspect("pairwise"), aspect("pairwise")
    second.pk, second.name = 8, "other"
    form = WorkForm([first, second], responses=responses(2), order=[0, 1], fields={"a7.strength": ["1"]})
    assert form.open is form.parts[1]
    assert not form.is_valid() and form.answers == {"overall": {"strength": 1}}


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_word_diff_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    diff = word_diff(before, after)
    assert apply(diff, "-") == before and apply(diff, "+") == after
    assert (changed_words(diff) == 0) or before != after


@given(st.text(alphabet="ab.!?。\n \t\"'é", max_size=200))
def test_segments_are_in_order_and_lose_nothing_but_space(text: str) -> None:
    for divide in (sentences, steps):
        found = divide(text)
        assert all(start < end for start, end in found)
        assert all(one[1] <= two[0] for one, two in zip(found, found[1:], strict=False))
        assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())


@given(st.text(alphabet="ab<&\u202e\u200b\r\n\u0301", max_size=60))
def test_a_divided_text_says_how_many_characters_it_stands_for(text: str) -> None:
    import re

    html = str(divided(text, [])).removeprefix('<div class="plain" data-text>').removesuffix("</div>")
    odd = sum(int(n) for n in re.findall(r'data-length="(\d+)"', html))
    rest = re.sub(r'<span class="odd"[^>]*>[^<]*</span>', "", html)
    assert odd + len(rest.replace("&lt;", "<").replace("&amp;", "&")) == len(text)


def test_the_default_keys_do_not_clash() -> None:
    keys = {action: key for action, (key, _words) in ACTIONS.items()}
    assert clashes(keys) == {} and not FIXED & set(keys.values())
    assert clashes({"skip": "x", "flag": "x", "back": "1"}) == {"skip": "x", "flag": "x", "back": "1"}
