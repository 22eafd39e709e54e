"""The ledger's promises, held by the database."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Instance, Label, Rater
from ledger.signals import labels_written
from ledger.task_types.base import InvalidAnswer
from tests.makers import make_instances, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project()
    make_instances(project, 2)
    return project


@pytest.fixture
def rater(project):
    return ensure_rater(project, kind=Rater.Kind.JUDGE, name="longer")


def new(project, strength=1, **more):
    instance = Instance.objects.filter(project=project).order_by("pk").first()
    return NewLabel(
        instance=instance, aspect=project.aspects.get(name="overall"), value={"strength": strength}, **more
    )


def test_a_label_has_its_generated_columns(project, rater):
    label = new(project)
    label.value["probability"] = 0.75
    (pk,) = write_labels(project=project, rater=rater, labels=[label])
    assert Label.objects.values_list("strength", "score").get(pk=pk) == (1, 0.75)


def test_a_correction_supersedes_and_nothing_is_overwritten(project, rater):
    (first,) = write_labels(project=project, rater=rater, labels=[new(project, 1)])
    (second,) = write_labels(project=project, rater=rater, labels=[new(project, -1)])
    assert list(Label.objects.live().values_list("pk", flat=True)) == [second]
    assert Label.objects.get(pk=second).replaces_id == first
    old = Label.objects.get(pk=first)
    assert old.superseded is not None
    assert old.value == {"strength": 1}


def test_two_orders_are_two_presentations(project, rater):
    labels = [new(project, 1, order=(0, 1)), new(project, -1, order=(1, 0)), new(project, 1, repeat=1)]
    assert len(write_labels(project=project, rater=rater, labels=labels)) == 3
    assert Label.objects.live().count() == 3


@pytest.mark.parametrize("change", [{"rationale": "changed"}, {"value": {"strength": 2}}, {"duration_ms": 5}])
def test_the_trigger_refuses_any_other_change(project, rater, change):
    (pk,) = write_labels(project=project, rater=rater, labels=[new(project)])
    with pytest.raises(DatabaseError, match="part of the ledger"), transaction.atomic():
        Label.objects.filter(pk=pk).update(**change)
    assert Label.objects.get(pk=pk).value == {"strength": 1}


def test_the_trigger_refuses_deletion_and_bringing_back(project, rater):
    (pk,) = write_labels(project=project, rater=rater, labels=[new(project)])
    with pytest.raises(DatabaseError, match="cannot be deleted"), transaction.atomic():
        Label.objects.filter(pk=pk).delete()
    write_labels(project=project, rater=rater, labels=[new(project, -1)])
    with pytest.raises(DatabaseError, match="superseded, once"), transaction.atomic():
        Label.objects.filter(pk=pk).update(superseded=None)
    assert Label.objects.get(pk=pk).superseded is not None


def test_the_database_refuses_a_second_live_label(project, rater):
    (pk,) = write_labels(project=project, rater=rater, labels=[new(project)])
    twin = Label.objects.get(pk=pk)
    with pytest.raises(IntegrityError, match="one_live_label_per_presentation"), transaction.atomic():
        Label.objects.create(
            project=project, instance=twin.instance, aspect=twin.aspect, rater=rater, value={"strength": 1}
        )


def test_a_bad_value_among_good_ones_writes_nothing(project, rater):
    with pytest.raises(InvalidAnswer, match=r"overall: strength must be a whole number in -2…2, not 9\."):
        write_labels(project=project, rater=rater, labels=[new(project), new(project, 9, repeat=1)])
    assert Label.objects.count() == 0


def test_what_was_written_is_told(project, rater):
    heard = []

    def listen(sender, **news):
        heard.append(news)

    labels_written.connect(listen)
    try:
        ids = write_labels(project=project, rater=rater, labels=[new(project)])
    finally:
        labels_written.disconnect(listen)
    assert [news["label_ids"] for news in heard] == [ids]
    assert heard[0]["project"] == project
