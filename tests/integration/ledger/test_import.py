"""Import: real files, broken lines, duplicates, labels that exist already."""

import csv
import gzip
import io
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotate.models import Seat
from ledger.imports.load import import_file, import_stream
from ledger.models import Instance, Label, Project, Rater, Response
from tests.makers import import_rows, make_project, make_row
from web.problems import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def blank():
    return make_project("blank", template="blank")


def test_real_sets_enter_whole(blank, shared_data):
    path = shared_data("mtbench")
    report = import_file(blank, path)
    records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert report.as_dict() == {
        "imported": len(records),
        "duplicates": 0,
        "labels": {"human": sum(len(r["human"]) for r in records), "ai": sum(len(r["ai"]) for r in records)},
        "errors": [],
    }
    stored = {i.ref: i for i in Instance.objects.filter(project=blank).prefetch_related("responses")}
    for record in records:
        instance = stored[record["id"]]
        assert instance.prompt == record["prompt"]
        assert [r.text for r in instance.responses.all()] == [r["text"] for r in record["responses"]]
    judges = Rater.objects.filter(project=blank, kind="judge").values_list("name", flat=True)
    assert set(judges) == {f"{a['judge']}/{a['config']}" for r in records for a in r["ai"]}


def test_a_second_import_is_all_duplicates(blank, shared_data):
    path = shared_data("pandalm")
    import_file(blank, path)
    again = import_file(blank, path)
    assert (again.imported, again.duplicates, again.labels) == (0, 999, {"human": 0, "ai": 0})
    assert Label.objects.filter(project=blank).count() == 2997 + 1973


def test_ratings_of_one_rater_are_one_label(blank, shared_data):
    import_file(blank, shared_data("conala_code"))
    aspect = blank.aspects.get()
    assert (aspect.name, aspect.task_type) == ("usefulness", "rating")
    assert (aspect.settings["min"], aspect.settings["max"], aspect.settings["step"]) == (0, 4, 1)
    people = Label.objects.filter(project=blank).by_people()
    assert sum(len(value["ratings"]) for value in people.values_list("value", flat=True)) == 8875
    assert Counter(people.values_list("instance", "rater")).most_common(1)[0][1] == 1


BROKEN = b"\n".join(
    [
        json.dumps(make_row(1)).encode(),
        b'{"prompt": ',
        b"\xff\xfe",
        b'{"responses": []}',
        b"[]",
        b'{"prompt": "p", "responses": [{"text": "a"}, {"text": 3}]}',
        b'{"prompt": "p", "responses": [{"text": "a\\u0000"}, {"text": "b"}]}',
        b'{"prompt": "", "responses": [{"text": "a"}, {"text": "b"}]}',
        b'{"prompt": "p", "responses": [{"text": "a"}]}',
        b"",
        json.dumps(make_row(2)).encode(),
    ]
)


def test_bad_lines_are_reported_and_the_rest_is_imported(blank):
    report = import_stream(blank, io.BytesIO(BROKEN))
    assert report.imported == 2
    errors = {error["line"]: error["error"] for error in report.errors}
    assert sorted(errors) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert errors[3].startswith("Not UTF-8")
    assert errors[4] == "responses must be 2…64, not 0."
    assert errors[5] == "A line must be a JSON object, not list."
    assert errors[6] == "responses[1].text must be a text, not int."
    assert errors[7] == "responses[0].text contains a NUL character, which cannot be stored unchanged."
    assert errors[8] == "prompt is empty."


def test_what_a_duplicate_is(blank):
    rows = [make_row(1), make_row(1), {**make_row(1), "id": "other"}, {**make_row(2), "id": "i1"}]
    report = import_rows(blank, rows)
    assert (report.imported, report.duplicates) == (2, 1)
    assert report.errors == [{"line": 4, "error": "The id 'i1' is taken by an instance with other content."}]
    report = import_rows(blank, [{**make_row(7), "prompt": "Changed?", "id": "i1"}])
    assert report.errors[0]["line"] == 1


def test_without_an_id_the_content_is_the_id(blank):
    row = make_row(1)
    del row["id"]
    assert import_rows(blank, [row, row]).as_dict() == {
        "imported": 1,
        "duplicates": 1,
        "labels": {"human": 0, "ai": 0},
        "errors": [],
    }


def test_labels_make_their_aspects(blank):
    human = [
        {"annotator": "a", "task": "pairwise", "aspect": "overall", "value": -2, "shown_first": "r2"},
        {
            "annotator": "a",
            "task": "rating",
            "aspect": "overall",
            "response": "r1",
            "value": 3,
            "scale": [1, 5],
        },
        {"annotator": "b", "task": "ranking", "aspect": "order", "value": [["r2"], ["r1"]]},
    ]
    import_rows(blank, [make_row(1, human=human)])
    made = {aspect.name: aspect for aspect in blank.aspects.all()}
    assert {name: aspect.task_type for name, aspect in made.items()} == {
        "overall": "pairwise",
        "overall/rating": "rating",
        "order": "ranking",
    }
    assert made["overall"].settings["steps"] == 2
    pairwise = Label.objects.get(aspect=made["overall"])
    assert (pairwise.value, pairwise.order) == ({"strength": -2}, [1, 0])
    assert Label.objects.get(aspect=made["order"]).value == {"ranks": [2, 1]}


def test_imported_people_take_their_place_off_the_overlap(blank):
    human = [{"annotator": "a", "task": "pairwise", "aspect": "overall", "value": 1}]
    import_rows(blank, [make_row(1, human=human), make_row(2)])
    assert list(Seat.objects.values_list("instance__ref", flat=True)) == ["i2"]


def test_a_dry_run_reports_and_writes_nothing(blank):
    human = [{"annotator": "a", "value": 1}]
    report = import_stream(blank, io.BytesIO(json.dumps(make_row(1, human=human)).encode()), dry_run=True)
    assert (report.imported, report.labels["human"]) == (1, 1)
    assert not Instance.objects.exists()
    assert not blank.aspects.exists()
    assert not Rater.objects.exists()


def test_chosen_and_rejected_are_recognised(blank):
    dialogue = [{"role": "user", "content": "Hi"}]
    rows = [
        {"prompt": "p", "chosen": "good", "rejected": "bad", "score": 3},
        {
            "chosen": [*dialogue, {"role": "assistant", "content": "good"}],
            "rejected": [*dialogue, {"role": "assistant", "content": "bad"}],
        },
    ]
    assert import_rows(blank, rows).as_dict()["labels"] == {"human": 2, "ai": 0}
    plain, chat = Instance.objects.order_by("pk")
    assert (plain.prompt, plain.metadata) == ("p", {"score": 3})
    assert chat.prompt == dialogue
    assert [r.text for r in chat.responses.all()] == ["good", "bad"]
    assert set(Label.objects.values_list("strength", flat=True)) == {-1}


@pytest.mark.parametrize("packed", [False, True])
def test_csv_and_parquet(blank, tmp_path, packed):
    rows = [{"id": "1", "prompt": "p, q", "response_a": "one\nline", "response_b": "two", "lang": "en"}]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path / ("rows.csv.gz" if packed else "rows.csv")
    path.write_bytes(gzip.compress(text.getvalue().encode()) if packed else text.getvalue().encode())
    assert import_file(blank, path).imported == 1
    assert list(Response.objects.values_list("text", flat=True)) == ["one\nline", "two"]
    assert Instance.objects.get().metadata == {"lang": "en"}
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    again = import_file(blank, tmp_path / "rows.parquet")
    assert (again.imported, again.duplicates, again.errors) == (0, 1, [])


def test_a_file_that_is_no_text_is_refused(blank, tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    with pytest.raises(Invalid, match=r"image\.png is not a text file"):
        import_file(blank, path)
    path = tmp_path / "damaged.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(make_row(1)).encode() * 100)[:-20])
    with pytest.raises(Invalid, match="is damaged"):
        import_file(blank, path)


def test_the_command_reports_and_exits(blank, tmp_path, capsys):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(BROKEN)
    with pytest.raises(CommandError, match="8 lines could not be imported; the rest was"):
        call_command("import_instances", "blank", str(path), json="-")
    assert json.loads(capsys.readouterr().out)["imported"] == 2
    with pytest.raises(CommandError, match=r"There is no file .*missing\.jsonl"):
        call_command("import_instances", "blank", str(tmp_path / "missing.jsonl"))
    with pytest.raises(CommandError, match="Did you mean 'blank'"):
        call_command("import_instances", "blanc", str(path))
    with pytest.raises(CommandError, match="no import schema named 'swichyard'"):
        call_command("import_instances", "blank", str(path), schema="swichyard")


def test_templates_are_set_whole():
    from ledger.templates import TEMPLATES

    for name, template in TEMPLATES.items():
        project = make_project(f"t-{name}", template=name)
        assert [a.name for a in project.aspects.all()] == [spec.name for spec in template.aspects]
        assert Project.objects.get(slug=f"t-{name}").overlap == 1


CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}


def test_tool_calls_enter_unchanged_and_bad_ones_are_refused_by_name(blank):
    turns = [{"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "content": "2"}]

    def row(ref, messages):
        return {
            "id": ref,
            "prompt": "?",
            "responses": [{"text": "2", "messages": messages}, {"text": "3"}],
        }

    bad = [
        [{"role": "assistant", "content": None}],
        [{"role": "user", "content": "?", "tool_calls": [CALL]}],
        [{"role": "assistant", "tool_calls": ["find"]}],
        [{"role": "assistant", "tool_calls": [{"name": "find", "arguments": [1]}]}],
        [{"role": "assistant", "tool_calls": [{"name": "find", "arguments": "\x00"}]}],
    ]
    rows = [row("one", turns), *(row(f"bad{n}", messages) for n, messages in enumerate(bad))]
    report = import_rows(blank, rows)
    assert report.imported == 1
    assert Response.objects.get(index=0).messages == turns
    place = "responses[0].messages[0]"
    assert [error["error"] for error in report.as_dict()["errors"]] == [
        f"{place}.content must be a text, not NoneType.",
        f"{place}.tool_calls must be a list, in a message of the assistant.",
        f"{place}.tool_calls[0] must be an object whose function has a name.",
        f"{place}.tool_calls[0].arguments must be an object, or a text that holds one.",
        f"{place}.tool_calls[0] contains a NUL character, which cannot be stored unchanged.",
    ]
