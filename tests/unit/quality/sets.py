"""The real sets as arrays, and their published figures: known answers that every statistic shares."""

import gzip
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from quality.verdicts import Ints, count_table

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
ORDERS = {"r1": 0, "r2": 1, "both": 2, None: 3}


@dataclass(frozen=True)
class PairSet:
    items: Ints
    raters: Ints
    verdicts: Ints
    n_items: int
    judges: dict[str, Ints] = field(default_factory=dict)  # name -> (V, 4): item, 0, verdict, order

    @property
    def table(self) -> Ints:
        return count_table(self.items, self.verdicts, n_items=self.n_items)


def shared_file(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"THE REAL DATA ARE NOT HERE: {path}")
    return path


@cache
def records(name: str) -> list[dict]:
    with gzip.open(shared_file(f"{name}.jsonl.gz"), "rt") as lines:
        return [json.loads(line) for line in lines]


def published(name: str) -> dict:
    return json.loads(shared_file("stats.json").read_text())["sets"][name]


@cache
def pair_set(name: str) -> PairSet:
    people: dict[str, int] = {}
    labels, judges = [], {}
    for item, record in enumerate(records(name)):
        for label in record["human"]:
            labels.append((item, people.setdefault(label["annotator"], len(people)), np.sign(label["value"])))
        for label in record["ai"]:
            rows = judges.setdefault(judge_name(label), [])
            rows.append((item, 0, label["value"], ORDERS[label.get("shown_first")]))
    items, raters, verdicts = np.array(labels).T
    return PairSet(items, raters, verdicts, len(records(name)), {k: np.array(v) for k, v in judges.items()})


def judge_name(label: dict) -> str:
    return f"{label['judge']} [{label['config']}]" if label.get("config") else label["judge"]


def ratings(name: str, judge: str | None = None) -> Ints:
    """(V, 4): item, rater, response, value; of people, or of one judge."""
    rows, people = [], {}
    for item, record in enumerate(records(name)):
        places = {response["id"]: place for place, response in enumerate(record["responses"])}
        for label in record["human"] if judge is None else record["ai"]:
            if judge in (None, label.get("judge") and judge_name(label)):
                rater = people.setdefault(label.get("annotator"), len(people))
                rows.append((item, rater, places[label["response"]], label["value"]))
    return np.array(rows)
