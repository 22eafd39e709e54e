"""Counting tokens with a given tokenizer, without torch: the `tokenizers` library reads `tokenizer.json`."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from exports.problems import TokenizerNotFound


@lru_cache(maxsize=4)
def load_tokenizer(name: str) -> Any:
    """The tokenizer at a path, of a model in MODELS_DIR, or of that name on the hub. Raises `TokenizerNotFound`."""
    from tokenizers import Tokenizer  # loaded only where tokens are counted: 30 MB

    if not name:
        raise TokenizerNotFound("max_tokens needs a tokenizer: the name of a model, or a folder's path.")
    path = Path(name) if name.startswith(("/", ".")) else Path(settings.MODELS_DIR) / name
    path = path / "tokenizer.json" if path.is_dir() else path
    try:
        return Tokenizer.from_file(str(path)) if path.exists() else Tokenizer.from_pretrained(name)
    except Exception as error:  # noqa: BLE001 - tokenizers raises bare Exception for every failure
        raise TokenizerNotFound(
            f"The tokenizer {name!r} cannot be loaded: {error}.", tokenizer=name
        ) from error


def count_tokens(tokenizer: Any, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)
