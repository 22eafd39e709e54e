"""The main job from end to end on real input: import, judge, route, label over HTTP, settle, freeze, train.

One instance in ten comes with its labels by people; those of the others are held out: they are what
people answer when the router asks. Everything goes through the doors that a stranger would use.
"""

import gzip
import json
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from datasets import load_dataset
from django.core.management import call_command
from django.test import Client

from exports.training import TRAININGS
from ledger.models import Project, Rater
from routing.models import Decision

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("empty_cache"),
]

SLUG = "chain"
SIZE = 120
BUDGET = 0.3
KEPT = 10


def run(*words: object) -> dict:
    out = StringIO()
    call_command(*map(str, words), "--json", "-", stdout=out)
    return json.loads(out.getvalue())


def said(*words: object) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def records(shared_data) -> list[dict]:
    """Pairs of mtbench that have a clear majority, without its AI labels."""
    with gzip.open(shared_data("mtbench"), "rt") as lines:
        rows = [json.loads(line) for line in lines]
    clear = [row for row in rows if majority(row)]
    return [{**row, "ai": []} for row in clear[:SIZE]]


@pytest.fixture
def file(records, tmp_path) -> Path:
    """The instances as a file: one in KEPT with its labels, the others without."""
    path = tmp_path / "instances.jsonl"
    rows = [{**row, "human": row["human"] if place % KEPT == 0 else []} for place, row in enumerate(records)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def majority(record: dict) -> int:
    """The strict plurality's verdict, 0 for a tie or none."""
    (best, most), *rest = Counter(label["value"] for label in record["human"]).most_common()
    return best if not rest or rest[0][1] < most else 0


class Annotator:
    """A person at the HTTP API with a bearer token, who answers what the held-out labels say."""

    def __init__(self, token: str, verdicts: dict[str, int]) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"})
        self.verdicts = verdicts

    def post(self, path: str, body: dict, **headers: str):
        return self.client.post(f"/api/v1/{path}", json.dumps(body), "application/json", headers=headers)

    def work(self) -> list[str]:
        """Labels until nothing is open; the instances in the order of the hand-out."""
        done = []
        while (answer := self.post(f"projects/{SLUG}/next/", {})).status_code == 200:
            task = answer.json()
            done.append(task["instance"]["id"])
            self.submit(task)
        assert answer.status_code == 204, answer.content
        return done

    def submit(self, task: dict) -> None:
        verdict = self.verdicts[task["instance"]["id"]]
        body = {"answers": {aspect["name"]: {"strength": verdict} for aspect in task["aspects"]}}
        path = f"assignments/{task['assignment']}/submit/"
        key = f"chain-{task['assignment']}"
        first = self.post(path, body, **{"Idempotency-Key": key})
        assert first.status_code == 200, first.content
        again = self.post(path, body, **{"Idempotency-Key": key})
        assert again.json() == first.json()


def test_the_whole_chain(records, file, tmp_path):
    verdicts = {row["id"]: majority(row) for row in records}
    said("create_project", SLUG, "--template", "blank")
    imported = run("import_instances", SLUG, file)
    assert (imported["imported"], imported["errors"]) == (SIZE, [])
    assert imported["labels"]["human"] == sum(len(row["human"]) for row in records[::KEPT])

    judged = run("judge", SLUG, "--judge", "length", "--sync")
    assert (judged["labelled"], judged["failed"]) == (SIZE, 0)

    routed = run("route", SLUG, "--policy", "random", "--seed", 7, "--budget", BUDGET, "--judge", "length")
    asked = routed["human"] - routed["already_human"]
    assert (routed["human"], routed["ai"]) == (BUDGET * SIZE, SIZE - BUDGET * SIZE)
    assert routed["already_human"] == SIZE // KEPT  # labels that exist are spent money and count first
    assert routed["enqueued"] == asked == BUDGET * SIZE - SIZE // KEPT

    token = said("add_annotator", SLUG, "ann@chain.local")
    done = Annotator(token, verdicts).work()
    assert len(done) == len(set(done)) == asked
    progress = Client(headers={"Authorization": f"Bearer {said('create_token', 'admin@demo.local')}"})
    counts = progress.get(f"/api/v1/projects/{SLUG}/progress/").json()
    assert (counts["submitted"], counts["open"], counts["ai_labelled"]) == (asked, 0, SIZE)

    settled = run("consensus", SLUG)
    assert sum(settled[name] for name in ("preferences", "ties", "undecided")) == SIZE
    frozen = run("snapshot", SLUG, "--version", "v1")
    assert frozen["rows"] == settled["preferences"]

    out = tmp_path / "preferences.jsonl"
    exported = run("export", SLUG, "--format", "trl-preference", "--version", "v1", "--output", out)
    assert (exported["rows"], exported["hash"]) == (frozen["rows"], frozen["hash"])
    check_rows(out, records, verdicts)
    check_training(out, tmp_path)


def check_rows(out: Path, records: list[dict], verdicts: dict[str, int]) -> None:
    """Each row against its source: people's rows as the majority chose, the judge's as the longer response."""
    source = {record["id"]: record for record in records}
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    ways = dict(
        Decision.objects.filter(route__project__slug=SLUG, route__replaced=None).values_list(
            "instance__ref", "way"
        )
    )
    for row in rows:
        responses = [response["text"] for response in source[row["instance"]]["responses"]]
        chosen = last(row["chosen"])
        if row["source"] == "human":
            assert chosen == responses[verdicts[row["instance"]] > 0]
            assert "length" not in row["raters"]
        else:
            assert chosen == longest(source[row["instance"]])
            assert row["raters"] == ["length"]
        assert row["route"] == ways[row["instance"]] == {"human": "human", "ai": "ai"}[row["source"]]
        assert row["policy"] == "random"
    assert Counter(row["source"] for row in rows)["human"] == BUDGET * SIZE


def longest(record: dict) -> str:
    """The text of the response that is longer over all its turns."""

    def size(response: dict) -> int:
        return sum(
            len(turn["content"]) for turn in response.get("messages") or [{"content": response["text"]}]
        )

    return max(record["responses"], key=size)["text"]


def last(side: str | list[dict]) -> str:
    return side if isinstance(side, str) else side[-1]["content"]


def check_training(out: Path, tmp_path: Path) -> None:
    """TRL's DPOTrainer builds its dataset from the file and takes a real step on a tiny model."""
    rows = load_dataset("json", data_files=str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert {"prompt", "chosen", "rejected"} <= set(rows.column_names)
    outcome = TRAININGS.load("pairs")(rows.select(range(8)))["DPOTrainer"]
    assert outcome["rows"] == 8
    assert outcome["moved"]


@pytest.mark.usefixtures("weights")
def test_the_demo_is_judged_by_a_real_language_model_and_shown_beside_people():
    call_command("load_demo", stdout=StringIO())
    judged = run("judge", "demo", "--judge", "smollm2", "--aspect", "overall", "--limit", 4, "--sync")
    assert (judged["labelled"], judged["failed"]) == (4, 0)

    labels = Project.objects.get(slug="demo").labels.filter(rater__kind=Rater.Kind.JUDGE)
    by_instance = Counter(labels.values_list("instance_id", flat=True))
    assert set(by_instance.values()) == {2}  # both orders
    for label in labels:
        assert sorted(label.order) == [0, 1]
        assert 0 < label.score < 1
    report = run("agreement", "demo")["aspects"]["overall"]
    assert report["judges"]["smollm2"]["flip"]["counts"]["rate"] == 4
