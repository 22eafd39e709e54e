"""A run of the vision method over a project's own pictures: from the media folder to labels and failures."""

import io

import pytest

from judges.loading import item_of
from judges.models import JudgeRun
from judges.offering import Chosen, spec_from
from judges.prompting import conversation
from judges.specs import add_judge
from ledger.media import folder
from ledger.models import Instance, Label, Response
from tests.integration.judges.making import make_instance, make_project
from tests.integration.judges.test_judge_command import judge
from tests.unit.judges.seeing import as_data, make_model, picture
from web.media import keep

pytestmark = pytest.mark.django_db
RED, BLUE = picture((220, 20, 20)), picture((20, 20, 220))


@pytest.fixture
def project(settings, tmp_path):
    """Three instances: two with pictures of the project's own, one without."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MODELS_DIR = tmp_path / "models"
    made = make_project()
    for name, body in (("red", RED), ("blue", BLUE)):
        kept = keep(io.BytesIO(body), folder(made))
        asked = f"Which colour?\n\n![a square](/media/{made.slug}/{kept.name})"
        make_instance(made, name, "It is red.", "It is blue.", prompt=asked)
    make_instance(made, "blind", "It is red.", "It is blue.", prompt="Which colour?")
    model = make_model(settings.MODELS_DIR / "tiny")
    played = {"judge": Chosen("vision-language", str(model))}
    add_judge(project=made, spec=spec_from("vision", name="sees", parameters={}, played=played), author=None)
    return made


def test_pictures_are_judged_and_what_has_none_is_a_failure(project):
    report = judge(project.slug, "sees")
    assert (report["labelled"], report["failed"]) == (2, 1)
    said = {
        label.instance.ref: label.detail["averaged_log_odds"]
        for label in Label.objects.select_related("instance").filter(order=[0, 1])
    }
    assert set(said) == {"red", "blue"} and said["red"] != said["blue"]
    failed = JudgeRun.objects.get().failures.get()
    assert (failed.instance.ref, failed.reason) == ("blind", "the instance has no image")


def test_an_item_carries_its_pictures_as_data_and_their_captions_as_words(project):
    (message,) = item_of(Instance.objects.get(ref="red")).prompt
    assert message.images == (as_data(RED),)
    assert message.content == "Which colour?\n\n[picture: a square]"


def test_pictures_within_responses_and_their_turns_reach_the_judge(project):
    one = Instance.objects.get(ref="red")
    red, blue = (f"![a square](/media/{project.slug}/{kept.name})" for kept in kept_of(project))
    first, second = one.responses.all()
    first.text = f"Like this: {red}"
    second.messages = [
        {"role": "assistant", "content": "I draw it.", "tool_calls": [{"name": "draw", "arguments": {}}]},
        {"role": "tool", "name": "draw", "content": blue},
        {"role": "assistant", "content": "There."},
    ]
    Response.objects.bulk_update([first, second], ["text", "messages"])
    item = item_of(Instance.objects.with_responses().get(ref="red"))
    assert item.pictures == ((as_data(RED),), (as_data(BLUE),))
    assert item.responses[0] == "Like this: [picture: a square]"
    assert [turn.speaker for turn in item.turns[1]] == [
        "assistant", "assistant calls draw", "tool draw", "assistant",
    ]  # fmt: skip
    assert "[tool draw] [picture: a square]" in item.responses[1]


def test_a_request_that_calls_a_tool_shows_the_call(project):
    one = Instance.objects.get(ref="blind")
    one.prompt = [
        {"role": "user", "content": "Draw."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"name": "draw", "arguments": {"what": "cat"}}],
        },
        {"role": "tool", "content": "done"},
    ]
    shown = conversation(item_of(one))
    assert '"name": "draw"' in shown and '"what": "cat"' in shown and shown.endswith("[tool] done")


def kept_of(project):
    return [keep(io.BytesIO(body), folder(project)) for body in (RED, BLUE)]


def test_a_chats_image_parts_are_pictures_too(project):
    one = Instance.objects.get(ref="blind")
    image = {"type": "image_url", "image_url": {"url": as_data(BLUE)}}
    one.prompt = [{"role": "user", "content": [{"type": "text", "text": "Which?"}, image]}]
    (message,) = item_of(one).prompt
    assert (message.content, message.images) == ("Which?", (as_data(BLUE),))
