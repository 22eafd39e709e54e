"""Votes: every task type read as arrays, and the two ways of reading a pairwise aspect give the same."""

import numpy as np
import pytest

from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.imports.load import import_file
from ledger.models import Rater
from ledger.votes import pairwise_rows, read_votes, value_rows, voting_labels
from tests.makers import import_rows, make_project, make_row

pytestmark = pytest.mark.django_db


def give(aspect, value, *, name="ann", kind=Rater.Kind.PERSON, order=(), ref="i0"):
    rater = ensure_rater(aspect.project, kind=kind, name=name)
    label = NewLabel(instance=aspect.project.instances.get(ref=ref), aspect=aspect, value=value, order=order)
    return write_labels(project=aspect.project, rater=rater, labels=[label])[0]


def test_the_two_ways_of_reading_pairs_agree(shared_data):
    project = make_project("mtbench", template="blank")
    import_file(project, shared_data("mtbench"))
    aspect = project.aspects.get()
    labels = voting_labels(aspect)
    assert np.array_equal(pairwise_rows(labels), value_rows(labels, aspect.task), equal_nan=True)
    assert len(read_votes(aspect)) == 2694 + 3971


def test_a_pair_is_read_with_its_order_probability_and_both_bad():
    project = make_project("pairs", template="multipref")
    import_rows(project, [make_row(0)])
    aspect = project.aspects.get(name="overall")
    give(aspect, {"strength": -2}, name="ann", order=(1, 0))
    give(aspect, {"both_bad": True}, name="ben")
    give(aspect, {"strength": 1, "probability": 0.7}, name="judge", kind=Rater.Kind.JUDGE, order=(0, 1))
    votes = read_votes(aspect)
    assert votes.verdict.tolist() == [-1, 0, 1]
    assert votes.first.tolist() == [1, -1, 0]
    assert votes.both_bad.tolist() == [False, True, False]
    assert votes.is_person.tolist() == [True, True, False]
    assert votes.probability.tolist() == pytest.approx([np.nan, np.nan, 0.7], nan_ok=True)


def test_a_corrected_label_and_a_gold_answer_are_no_votes():
    project = make_project("live", template="multipref")
    import_rows(project, [make_row(0)])
    aspect = project.aspects.get(name="overall")
    give(aspect, {"strength": -2})
    kept = give(aspect, {"strength": 2})
    give(aspect, {"strength": 1}, name="gold", kind=Rater.Kind.GOLD)
    assert read_votes(aspect).label.tolist() == [kept]


def test_a_person_s_repeat_is_no_further_vote():
    project = make_project("repeats", template="multipref")
    import_rows(project, [make_row(0)])
    aspect = project.aspects.get(name="overall")
    rater = ensure_rater(project, kind=Rater.Kind.PERSON, name="ann")
    instance = project.instances.get()
    labels = [
        NewLabel(instance=instance, aspect=aspect, value={"strength": s}, repeat=r)
        for r, s in ((0, 1), (1, -1))
    ]
    write_labels(project=project, rater=rater, labels=labels)
    assert read_votes(aspect).verdict.tolist() == [1]


def test_a_ranking_of_three_is_three_votes():
    project = make_project("ranks", template="ranking")
    import_rows(project, [make_row(0, responses=3)])
    aspect = project.aspects.get(name="overall")
    give(aspect, {"ranks": [1, 3, 1]}, order=(2, 0, 1))
    votes = read_votes(aspect)
    assert votes.pair.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert votes.verdict.tolist() == [-1, 0, 1]
    assert votes.first.tolist() == [0, 2, 2]
