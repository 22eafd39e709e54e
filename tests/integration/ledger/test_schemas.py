"""The import schemas of trainers' files: told by their columns, joined by instance, refused line by line."""

import pytest

from annotate.models import Seat
from ledger.imports import SCHEMAS
from ledger.imports.recognising import recognise
from ledger.models import Instance, Label
from tests.makers import import_rows, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def blank():
    return make_project("blank", template="blank")


PAIR = {"prompt": "?", "chosen": "Yes.", "rejected": "No."}
ASKED = {"role": "user", "content": "?"}
ANSWER = {"role": "assistant", "content": "Yes."}
SENTENCE = {"start": 0, "end": 4, "text": "Yes.", "mark": "good"}
JOINT = {"chosen_instruction": "?", "rejected_instruction": "?"}
BAD = {  # schema: (row, the error that it gives)
    "switchyard": [({"prompt": "?"}, "responses is missing.")],
    "ledger": [({"prompt": "?", "responses": [], "aspects": {}, "labels": 1}, "labels must be a list.")],
    "preference": [({"prompt": "?", "chosen": "Yes."}, "rejected is missing.")],
    "lists": [
        ({"completions": ["a", "b"], "ranks": [1]}, "completions and ranks must be lists of one length, two at least."),
        ({"completions": ["a", "b"], "ranks": [1, 2], "order": [1, 1]}, "order must name each response once."),
    ],
    "strengths": [({"preference_strength": 4}, "preference_strength must be a whole number in −3…3, not 4.")],
    "voices": [
        (
            {"responses": [], "rater": "ann", "rater_kind": "ghost", "task_type": "pairwise"},
            "rater_kind must be one of person, judge, gold, adjudicator, use, not 'ghost'.",
        ),
        (
            {"prompt": "?", "responses": ["a", "b"], "rater": "ann", "rater_kind": "person", "task_type": "steps"},
            "A label of the task type 'steps' does not fit into these columns: it needs a value.",
        ),
    ],
    "columns": [({"response_1": "a", "response_2": "b"}, "No column holds the prompt; it may be called prompt, "
                 "instruction, question, input, query.")],
    "unpaired": [
        ({"prompt": "?", "completion": "Yes.", "label": 2}, "label must be true or false, not 2."),
        ({"prompt": "?", "completion": None, "label": True}, "completion is missing."),
    ],
    "ratings": [
        ({"prompt": "?", "response": None, "helpful": 1}, "response is missing."),
        (
            {"prompt": "?", "response": "Yes.", "why": "so"},
            "No column holds a number: a row of ratings has one for each attribute.",
        ),
    ],
    "steps": [
        (
            {"prompt": "?", "completions": ["a"], "labels": [True, False]},
            "completions and labels must be lists of one length, one at least.",
        ),
        ({"prompt": "?", "completions": [""], "labels": [True]}, "completions must be texts that are not empty."),
        ({"prompt": "?", "completions": ["a"], "labels": ["so"]}, "labels must be true or false."),
        (
            {"prompt": "?", "completions": ["a"], "labels": [True], "marks": []},
            "marks must be a list with one for each completion.",
        ),
        (
            {"prompt": "?", "completions": ["a"], "labels": [True], "marks": [""]},
            "A row takes at most 9 kinds of marks, each with a name.",
        ),
    ],
    "prompts": [({"prompt": " ", "instance": "i0", "reference": ""}, "prompt is empty.")],
    "joint": [
        ({**JOINT, "chosen": "Yes.", "rejected": []}, "chosen must be a list of chat messages."),
        ({**JOINT, "chosen": [ANSWER], "rejected": [ASKED, ANSWER]},
         "chosen must hold an instruction and an answer to it."),
    ],
    "goals": [({**PAIR, "goal": 1, "relabelled": False}, "prompt does not begin with its goal.")],
    "trajectories": [
        ({**PAIR, "level": "word", "turn": 1}, "level must be one of trajectory, turn, not 'word'."),
    ],
    "masks": [
        (
            {**PAIR, "chosen_sentences": [{**SENTENCE, "end": 3}], "rejected_sentences": []},
            "chosen_sentences[0] does not stand at 0 … 3 of its response.",
        ),
        (
            {**PAIR, "chosen_sentences": [], "rejected_sentences": ["No."]},
            "rejected_sentences[0] must be an object with start, end, text and mark.",
        ),
    ],
    "edits": [({"prompt": "?", "chosen": "Yes!", "rejected": None, "response": 0, "rater": "a"},
               "rejected is missing.")],
    "media": [
        ({**PAIR, "image_0": "a", "image_1": "b", "label_0": 1, "kind": "smell"},
         "kind must be one of image, video, audio, media, not 'smell'."),
        ({**PAIR, "chosen": "", "image_0": "a", "image_1": "b", "label_0": 1}, "chosen must name the image."),
    ],
}  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS.names())
def test_a_bad_row_is_told_by_its_line(schema, blank):
    good = {"prompt": "?", "responses": [{"text": "a"}, {"text": "b"}]}
    rows = [good, *(row for row, _ in BAD[schema])]
    assert {recognise(row) for row in rows[1:]} == {schema}
    report = import_rows(blank, rows)
    assert report.errors == [
        {"line": at, "error": error} for at, (_, error) in enumerate(BAD[schema], start=2)
    ]
    assert (report.imported, Label.objects.count()) == (1, 0)


def test_rows_of_one_prompt_join_and_what_contradicts_is_refused(blank):
    rows = [
        {"prompt": "?", "response": "Yes.", "helpful": 3, "brief": 1.5},
        {"prompt": "?", "response": None, "helpful": 3},
        {"prompt": "?", "response": "No.", "helpful": 1, "brief": "2"},
        {"prompt": "!", "response": "Oh.", "helpful": -1},
        {"prompt": "!", "instance": "i1", "row": "p/helpful/0/i1", "response": "Ah.", "helpful": 0},
        {"prompt": "!", "instance": "i1", "row": "p/helpful/0/i1", "response": "Eh.", "helpful": 0},
    ]
    report = import_rows(blank, rows)
    assert report.as_dict() == {
        "imported": 3,
        "duplicates": 0,
        "labels": {"human": 4, "ai": 0},
        "errors": [
            {"line": 2, "error": "response is missing."},
            {"line": 6, "error": "Another row of the instance 'i1' has another prompt or text."},
        ],
    }
    assert list(Instance.objects.order_by("pk").values_list("size", flat=True)) == [2, 1, 1]
    ratings = Label.objects.filter(instance__prompt="?").order_by("aspect__name")
    assert [label.value for label in ratings] == [
        {"ratings": {"0": 1.5, "1": 2}},
        {"ratings": {"0": 3, "1": 1}},
    ]
    assert {a.name: (a.settings["min"], a.settings["max"]) for a in blank.aspects.all()} == {
        "helpful": (-1, 3),
        "brief": (0, 2),
    }


def test_rows_join_across_batches_and_a_second_import_changes_nothing(blank, monkeypatch):
    monkeypatch.setattr("ledger.imports.load.BATCH", 1)
    rows = [{"prompt": f"{at // 3}?", "completion": str(at), "label": at % 2 == 0} for at in range(7)]
    assert import_rows(blank, rows).as_dict()["imported"] == 3
    assert list(Instance.objects.order_by("pk").values_list("size", flat=True)) == [3, 3, 1]
    again = import_rows(blank, rows)
    assert (again.imported, again.duplicates, again.labels) == (0, 3, {"human": 0, "ai": 0})


def test_good_and_bad_do_not_enter_another_scale():
    rated = make_project("rated", template="ultrafeedback")
    name = rated.aspects.first().name
    row = {"prompt": "?", "completion": "a", "label": True, "instance": "i0", "row": f"p/{name}/0/i0"}
    (error,) = import_rows(rated, [row]).errors
    assert error["error"] == f"{name} is rated on a scale of 1…5 here, which does not say what 0 and 1 mean."
    assert not Instance.objects.exists()


def test_what_another_row_says_already_is_a_duplicate(blank):
    goal = "Generate a response of quality 1 on a scale from 0 to 1."
    rows = [
        {**PAIR, "prompt": f"{goal}\n\n?\n\n!", "goal": 1, "relabelled": False},
        {**PAIR, "prompt": f"{goal}\n\n?\n\n!", "goal": 0, "relabelled": True},
    ]
    report = import_rows(blank, rows)
    assert (report.imported, report.duplicates, report.errors) == (1, 1, [])
    assert Instance.objects.get().prompt == "?\n\n!"


def test_prompts_alone_have_no_seats(blank):
    report = import_rows(blank, [{"prompt": "?", "reference": "42", "instance": "i0"}])
    assert (report.imported, report.errors, Seat.objects.count()) == (1, [], 0)
    assert Instance.objects.get().context == {"reference": "42"}
