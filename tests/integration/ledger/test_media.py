"""Pictures, sound and film: kept by their bytes, seen by members, never run by a browser."""

import io
import wave

import pytest
from django.test import Client

from accounts.models import Token
from tests.makers import make_annotator, make_project, make_user
from web.content import render
from web.media import asked_range

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 500


@pytest.fixture
def project(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return make_project()


def put(project, body, user=None):
    token = Token.issue(user or project.owner)[1]
    headers = {"authorization": f"Bearer {token}"}
    return Client().post(
        f"/api/v1/projects/{project.slug}/media/",
        body,
        content_type="application/octet-stream",
        headers=headers,
    )


def test_a_picture_is_kept_once_and_sent_inert(client, project):
    first, again = put(project, PNG).json(), put(project, PNG).json()
    assert first == again and first["type"] == "image/png" and first["bytes"] == len(PNG)
    client.force_login(make_annotator(project)[0])
    sent = client.get(first["url"])
    assert b"".join(sent.streaming_content) == PNG
    assert (sent["Content-Type"], sent["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert sent["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "body",
    [
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"%PDF-1.7",
        b"",
        b"GIF89",
        b" \x89PNG\r\n\x1a\n",
    ],
)
def test_what_only_says_that_it_is_a_picture_is_refused(project, tmp_path, body):
    refused = put(project, body)
    assert refused.status_code == 422 and refused.json()["type"].endswith("not-media")
    assert not list(tmp_path.rglob("*.*"))


def test_only_managers_put_and_only_members_see(client, project):
    ann = make_annotator(project)[0]
    assert put(project, PNG, ann).status_code == 403
    url = put(project, PNG).json()["url"]
    assert client.get(url).status_code == 302
    client.force_login(make_user("eve@test.local"))
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("name", ["..%2F..%2Fsecret", "x.html", "0" * 32 + ".svg", "0" * 32 + ".png"])
def test_other_names_lead_nowhere(client, project, name):
    client.force_login(project.owner)
    assert client.get(f"/media/{project.slug}/{name}").status_code == 404


def test_a_film_can_be_sought_in(client, project):
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(200)))
    url = put(project, sound.getvalue()).json()["url"]
    client.force_login(project.owner)
    part = client.get(url, headers={"range": "bytes=44-53"})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 44-53/{len(sound.getvalue())}")
    assert b"".join(part.streaming_content) == bytes(range(10))
    assert client.get(url, headers={"range": "bytes=9999-"}).status_code == 416


@pytest.mark.parametrize(
    ("header", "expected"),
    [("", (0, 10)), ("bytes=2-4", (2, 5)), ("bytes=7-", (7, 10)), ("bytes=-3", (7, 10)), ("bytes=5-2", (0, 10)),
     ("bytes=0-99", (0, 10)), ("bytes=-", (0, 10)), ("lines=1-2", (0, 10)), ("bytes=1-2,4-5", (0, 10))],
)  # fmt: skip
def test_ranges(header, expected):
    assert asked_range(header, 10) == expected


def test_texts_show_what_is_kept_and_link_to_the_rest():
    film = render("![the gait](/media/words/" + "a" * 32 + ".mp4)").html
    assert (
        f'<video controls="" preload="metadata" src="/media/words/{"a" * 32}.mp4" aria-label="the gait">'
        in film
    )
    assert "<audio" in render("![a voice](/media/words/x.mp3)").html
    assert "<video" not in render("![x](https://example.org/x.mp4)").html
