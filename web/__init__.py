"""How answers are made: problems, fragments, JSON, paging, idempotency, registries, commands."""
