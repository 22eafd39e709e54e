"""Cached answers: asked for once, kept for a while, and not without bound."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from judges.caching import Cached, prune
from judges.items import Limits, Message
from judges.loading import Asker
from judges.models import CachedAnswer
from judges.requests import Failure, GenerateRequest, Texts, Usage
from judges.tasks import prune_cached_answers

pytestmark = pytest.mark.django_db
NOW = timezone.now()


class Echo:
    """Says what it is asked, counts how often, and fails where it is told to."""

    def __init__(self):
        self.asked = []

    def answer(self, requests):
        self.asked += requests
        texts = [one.messages[0].content for one in requests]
        return [Failure("no") if text == "fail" else Texts((text,), usage=Usage(cost=1.0)) for text in texts]

    def limits(self):
        return Limits()

    def identity(self):
        return "echo:1"

    def warm_up(self):
        pass


def say(text):
    return GenerateRequest((Message("user", text),))


def keep(key, *, days=0, size=10):
    CachedAnswer.objects.create(key=key, body={"text": key * size}, created=NOW - timedelta(days=days))


def kept():
    return set(CachedAnswer.objects.values_list("key", flat=True))


def test_an_identical_request_is_sent_and_paid_once_and_a_failure_is_asked_again():
    echo = Echo()
    cached = Cached(Asker({"judge": echo}))
    first = cached.answer([say("a"), say("b"), say("a"), say("fail")])
    assert [one.usage.cost for one in first[:3]] == [1.0, 1.0, 0.0]
    cached.store()
    again = Cached(Asker({"judge": echo})).answer([say("b"), say("a"), say("fail")])
    assert [one.texts for one in again[:2]] == [("b",), ("a",)]
    assert sum(one.usage.cost for one in again) == 0
    assert [one.messages[0].content for one in echo.asked] == ["a", "b", "fail", "fail"]


def test_old_answers_are_dropped():
    for key, days in (("a", 0), ("b", 89), ("c", 91)):
        keep(key, days=days)
    assert prune(at=NOW, days=90, megabytes=0) == 1
    assert kept() == {"a", "b"}


def test_the_oldest_are_dropped_beyond_the_size():
    for number in range(10):
        CachedAnswer.objects.create(
            key=f"k{number}",
            # what PostgreSQL cannot compress: the sum of distinct hashes
            body={"text": "".join(f"{hash((number, i)) & (2**63 - 1):x}" for i in range(20_000))},
            created=NOW - timedelta(hours=number),
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_column_size(body)) FROM judges_cachedanswer")
        whole = cursor.fetchone()[0]
    assert whole > 2 * 1024**2
    gone = prune(at=NOW, days=0, megabytes=1)
    left = 10 - gone
    assert kept() == {f"k{number}" for number in range(left)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_column_size(body)) FROM judges_cachedanswer")
        assert 0.5 * 1024**2 < cursor.fetchone()[0] <= 1024**2


def test_no_bound_drops_nothing():
    keep("a", days=10_000)
    assert prune(at=NOW, days=0, megabytes=0) == 0
    assert kept() == {"a"}


def test_the_beat_prunes_by_the_settings(settings):
    settings.CACHED_ANSWER_DAYS = 5
    keep("a", days=4)
    keep("b", days=6)
    assert prune_cached_answers() == 1
    assert kept() == {"a"}
    named = {entry["task"] for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    assert prune_cached_answers.name in named
