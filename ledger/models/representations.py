"""Representations: vectors of texts, computed by judge workers, stored once by content."""

from django.db import models


class Representation(models.Model):
    """The vector that `encoder` gives to the text with `text_hash`: float16, little endian.

    What an encoder says of two texts (`judges.representations`) stands under a text that holds both.
    """

    encoder = models.CharField(max_length=120, help_text="model, revision and pooling")
    text_hash = models.BinaryField(max_length=16, help_text="BLAKE2b-128 of the text")
    vector = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["encoder", "text_hash"], name="one_vector_per_text")]
