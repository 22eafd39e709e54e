import json
from collections import defaultdict
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db


def test_the_report_has_the_contracts_shape_and_follows_from_the_decisions(tmp_path: Path) -> None:
    make_project(tmp_path, "again", rows(30, people=3))
    path = tmp_path / "decisions.jsonl"
    found = report(
        "replay",
        "again",
        "--policies",
        "random,all_ai,defer",
        "--budgets",
        "0,0.5,1",
        "--seeds",
        "2",
        "--decisions",
        str(path),
    )
    assert set(found) == {"aspect", "judge", "n", "policies", "paired", "findings"}
    assert (found["aspect"], found["judge"], found["n"]) == ("overall", "alpha", 30)
    assert set(found["policies"]) == {"random", "all_ai", "defer"}
    assert set(found["paired"]) == {
        f"{a}-{b}" for a in found["policies"] for b in found["policies"] if a != b
    }
    decisions = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(decisions) == 3 * 2 * 3 * 30
    assert set(decisions[0]) == {
        "policy", "seed", "budget", "instance", "routed", "annotator", "revealed", "settled", "gold",
    }  # fmt: skip
    right, spent = defaultdict(list), defaultdict(int)
    for row in decisions:
        spent[row["policy"], row["seed"], row["budget"]] += row["routed"]
        if row["gold"] is not None:
            right[row["policy"], row["budget"]].append(row["settled"] == row["gold"])
    for name, policy in found["policies"].items():
        for point in policy["curve"]:
            hits = right[name, point["budget"]]
            assert point["mean"] == pytest.approx(sum(hits) / len(hits))
    assert all(asked <= budget * 30 for (_, _, budget), asked in spent.items())
    assert spent["all_ai", 0, 1.0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--policies", "defr", "--budgets", "0,1", "--seeds", "1"), "Did you mean 'defer'"),
        (("--policies", "random", "--budgets", "0,2", "--seeds", "1"), "must be a share in 0…1, not 2.0"),
        (
            ("--policies", "random", "--budgets", "half", "--seeds", "1"),
            "must be numbers with commas between",
        ),
        (("--policies", "random", "--budgets", "0,1", "--seeds", "0"), "needs at least one seed"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    make_project(tmp_path, "named", rows(4, people=2))
    with pytest.raises(CommandError, match=message):
        call_command("replay", "named", *arguments)


def test_a_project_without_both_kinds_of_label_says_how_to_begin(tmp_path: Path) -> None:
    make_project(tmp_path, "none", rows(4))
    with pytest.raises(
        CommandError, match="collect a pilot first, `route none --policy random --budget 0.05`"
    ):
        call_command("replay", "none", "--policies", "random", "--budgets", "0,1", "--seeds", "1")


def test_ratings_replay_as_pairs_of_responses(shared_data, tmp_path: Path) -> None:
    from io import StringIO

    call_command("create_project", "code", template="blank", stdout=StringIO())
    call_command("import_instances", "code", str(shared_data("conala_code")), stdout=StringIO())
    found = report("replay", "code", "--policies", "all_ai,oracle", "--budgets", "0,1", "--seeds", "1")
    assert found["aspect"] == "usefulness"
    assert found["n"] == 3230
    assert found["policies"]["oracle"]["area"] > found["policies"]["all_ai"]["area"]


def test_one_person_an_instance_leaves_no_gold(tmp_path: Path) -> None:
    make_project(tmp_path, "alone", rows(10, people=1))
    with pytest.raises(CommandError, match="No instance carries labels by two people on 'overall'"):
        report("replay", "alone", "--policies", "random", "--budgets", "0,1", "--seeds", "1")


def test_a_report_is_written_with_pictures_and_names_the_deeper_findings(tmp_path: Path) -> None:
    make_project(tmp_path, "deep", rows(60, people=3, judges=("alpha", "beta")))
    folder = tmp_path / "out"
    found = report(
        "replay", "deep", "--policies", "defer,hyper,oracle", "--budgets", "0,1", "--seeds", "1",
        "--report", str(folder),
    )  # fmt: skip
    assert {path.name for path in folder.iterdir()} >= {"report.json", "curves.svg", "probe.svg"}
    assert json.loads((folder / "report.json").read_text()) == found
    assert len(found["findings"]["defer"]["probe"]) == 2
    assert found["findings"]["defer"]["asked"][0] == 0
    assert found["findings"]["oracle"]["regret"]["mean"] == 0
