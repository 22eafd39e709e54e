"""What the HTTP door remembers: the first answer to each idempotency key."""

from django.db import models


class IdempotencyKey(models.Model):
    """The first answer given under a key, replayed when the same request comes again."""

    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    answer = models.JSONField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_answer_per_key")]
        indexes = [models.Index(fields=["created"], name="idempotency_created")]
