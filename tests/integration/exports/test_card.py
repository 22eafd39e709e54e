"""The card of a routed project: protocol, raters, agreement, routing, costs, biases, licence, hash; all counted."""

import io
import json
from decimal import Decimal

import pytest
import yaml
from django.core.management import call_command

from ledger.actions import NewLabel, ensure_rater, write_guidelines, write_labels
from ledger.models import Instance, Rater
from routing.models import Decision
from tests.integration.exports.made_rows import instance, vote

pytestmark = pytest.mark.django_db


def run(*words):
    out = io.StringIO()
    call_command(*map(str, words), "--json", "-", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def routed(project_of):
    """Forty pairs of one licence; two people on half of them, a judge that turns with the order on every fifth."""
    rows = [
        instance(f"i{n:02}", [vote(1, "ann"), vote(1 if n % 4 else -1, "bob@lab.org")] if n % 2 else [],
                 texts=("Yes.", "No, rather not."), metadata={"licence": "CC-BY-4.0", "source": "w", "language": "en"})
        for n in range(40)
    ]  # fmt: skip
    project = project_of(rows, slug="told")
    judge = ensure_rater(project, kind=Rater.Kind.JUDGE, name="tiny")
    cy = ensure_rater(project, kind=Rater.Kind.PERSON, name="cy")
    aspect = project.aspects.get()
    guideline = write_guidelines(project, text="Read both.", author=None)
    for n, each in enumerate(Instance.objects.of(project).order_by("pk")):
        labels = [
            NewLabel(each, aspect, {"strength": 1 if turn == 0 or n % 5 else -1}, order=order, cost=Decimal("0.01"),
                     version="v7")
            for turn, order in enumerate(((0, 1), (1, 0)))
        ]  # fmt: skip
        write_labels(project=project, rater=judge, labels=labels)
        if n % 2:
            timed = NewLabel(
                each, aspect, {"strength": 1}, order=(1, 0), guideline=guideline, duration_ms=90_000
            )
            write_labels(project=project, rater=cy, labels=[timed])
    run("route", "told", "--policy", "random", "--budget", "0.25")
    return project


def test_the_card_tells_what_was_counted(routed, tmp_path):
    card, facts = tmp_path / "card.md", tmp_path / "facts.json"
    words = ("--output", tmp_path / "rows.jsonl", "--card", card, "--manifest", facts)
    report = run("export", "told", "--format", "trl-preference", *words)
    text, told = card.read_text(), json.loads(facts.read_text())["facts"]
    front = yaml.safe_load(text.split("---\n")[1])
    assert (front["license"], front["language"], "configs" in front) == ("cc-by-4.0", ["en"], False)
    assert f"`{report['hash']}`" in text
    assert told["routing"]["ways"] == {"ai": 30, "human": 10}
    assert "Policy `random`" in text and "| ai | 30 | Drawn by lot. |" in text
    assert "Expected agreement of the settled verdicts with a fresh person's: 0." in text
    assert told["preferences"]["source"] == {"ai": 30, "human": 10}
    assert told["costs"]["judge"] == {"cost": 0.8, "hours": None, "timed_labels": 0}
    assert told["costs"]["person"]["hours"] == 0.5
    assert "| judge | 1 | 80 | not recorded | $0.80 |" in text
    assert "judge `tiny`, version `v7`: 80 labels" in text
    assert told["protocol"]["guidelines"] == {"1": 20}
    leaning = told["leanings"]["overall"]
    assert (leaning["judges"]["tiny"]["flips"]["value"], leaning["judges"]["tiny"]["flips"]["n"]) == (0.2, 40)
    assert leaning["people"]["first_shown"] == 1.0 and leaning["people"]["first_shown_n"] == 20
    assert "`tiny` turned with the order in 0.200 of 40 instances." in text
    assert told["agreement"]["overall"]["human_human"]["n"] > 0
    assert {each["source"] for each in told["biases"]} == {"ai", "human"}
    assert "Licences as stated: CC-BY-4.0 (40)." in text
    assert "ledger" not in text.split("## Columns")[1].split("##")[0]
    assert "bob@lab.org" not in text


def test_reasons_are_counted_without_their_own_figures(routed, tmp_path):
    for n, decision in enumerate(Decision.objects.order_by("pk")):
        decision.reason = f"{10 + n}% chance that a person differs: the responses are much alike."
        decision.save(update_fields=["reason"])
    facts = tmp_path / "facts.json"
    run("export", "told", "--format", "soft", "--output", tmp_path / "rows.jsonl", "--manifest", facts)
    reasons = json.loads(facts.read_text())["facts"]["routing"]["reasons"]
    cause = "…% chance that a person differs: the responses are much alike."
    assert reasons == [
        {"way": "ai", "reason": cause, "instances": 30},
        {"way": "human", "reason": cause, "instances": 10},
    ]
