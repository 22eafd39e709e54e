"""The sign-in page: in, out, and no guessing."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts.models import Token
from tests.makers import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def sign_in(client, password):
    path = reverse("accounts:sign_in")
    return client.post(path, {"username": "Owner@test.local", "password": password})


def test_an_address_and_its_password_sign_in_whatever_the_case(client):
    make_user()
    assert sign_in(client, "secret-enough").status_code == 302
    assert client.session["_auth_user_id"]


def test_guessing_is_stopped_and_then_even_the_right_password_waits(client):
    make_user()
    for _ in range(10):
        assert sign_in(client, "wrong").status_code == 200
    assert sign_in(client, "wrong").status_code == 429
    assert sign_in(client, "secret-enough").status_code == 429
    assert "_auth_user_id" not in client.session


def test_tokens_are_kept_as_digests_and_older_ones_stay_valid(client):
    user = make_user()
    secrets = [Token.issue(user)[1] for _ in range(2)]
    assert not Token.objects.filter(digest__in=secrets).exists()
    for secret in secrets:
        assert (
            client.get("/api/v1/projects/", headers={"authorization": f"Bearer {secret}"}).status_code == 200
        )
    user.is_active = False
    user.save()
    assert (
        client.get("/api/v1/projects/", headers={"authorization": f"Bearer {secrets[0]}"}).status_code == 401
    )
