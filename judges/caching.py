"""Identical requests are answered once: a cache by content between the methods and the backends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from judges.judging import Answering
from judges.loading import Asker
from judges.models import CachedAnswer
from judges.requests import Answer, Failure, Request, cache_key, from_json, to_json


class Cached:
    """An asker that looks into the cache first, asks `answer` for the rest (the asker itself, where none is given),
    and keeps what is new until `store` writes it.
    """

    def __init__(self, asker: Asker, answer: Answering | None = None) -> None:
        self.asker, self.ask = asker, answer or asker.answer
        self.fresh: dict[str, Answer] = {}
        self.hits = 0

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answers in the order asked; each distinct unknown request is sent once. Failures are not kept."""
        keys = [cache_key(request, model=self.asker.identity(request.role)) for request in requests]
        known = self._known(keys)
        first = {key: i for i, key in reversed(list(enumerate(keys))) if key not in known}
        asked = sorted(first.values())
        sent = dict(zip([keys[i] for i in asked], self.ask([requests[i] for i in asked]), strict=True))
        self.fresh.update({key: answer for key, answer in sent.items() if not isinstance(answer, Failure)})
        self.hits += len(requests) - len(asked)
        unpaid = set(sent)
        answers = []
        for key in keys:
            answers.append(sent[key] if key in unpaid else known.get(key) or from_json(to_json(sent[key])))
            unpaid.discard(key)
        return answers

    def store(self) -> None:
        """Write the new answers; whoever wrote the same key first keeps it."""
        rows = [CachedAnswer(key=key, body=to_json(answer)) for key, answer in self.fresh.items()]
        CachedAnswer.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)

    def _known(self, keys: Sequence[str]) -> dict[str, Answer]:
        rows = CachedAnswer.objects.filter(key__in=set(keys) - set(self.fresh)).values_list("key", "body")
        stored = {key: from_json(body) for key, body in rows}
        return stored | {key: from_json(to_json(self.fresh[key])) for key in keys if key in self.fresh}


def prune(*, at: datetime, days: int, megabytes: int) -> int:
    """Drop answers older than `days`, then the oldest beyond `megabytes`; how many. 0 sets no bound.

    An answer that is gone is asked for again: nothing but time and money hangs on it.
    """
    gone = 0
    if days:
        gone += CachedAnswer.objects.older_than(at - timedelta(days=days)).delete()[0]
    if megabytes:
        gone += CachedAnswer.objects.beyond(megabytes * 1024**2).delete()[0]
    return gone
