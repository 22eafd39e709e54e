"""The work page's own count of what is done and left."""

import pytest
from django.urls import reverse

from annotate.actions import submit_annotation
from tests.makers import lease_next, make_annotator, make_answers, make_instances, make_project

pytestmark = pytest.mark.django_db


def test_what_is_left_falls_with_every_submission(client):
    project = make_project()
    make_instances(project, 3)
    user, rater, _ = make_annotator(project)
    client.force_login(user)
    page = reverse("annotate:work", args=[project.slug])
    assert "0 done, 2 left" in client.get(page).content.decode()
    submit_annotation(assignment_id=lease_next(project, rater).pk, user_id=user.pk, answers=make_answers())
    assert "1 done, 1 left" in client.get(page).content.decode()
