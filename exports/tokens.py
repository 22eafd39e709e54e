"""Counting tokens with a given tokenizer, without torch: the `tokenizers` library reads `tokenizer.json`."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from exports.problems import TokenizerNotFound


@lru_cache(maxsize=4)
def load_tokenizer(name: str) -> Any:
    """The tokenizer in the folder or file `name`, or of that name on the hub. Raises `TokenizerNotFound`."""
    from tokenizers import Tokenizer  # loaded only where tokens are counted: 30 MB

    if not name:
        raise TokenizerNotFound(
            "max_tokens needs a tokenizer: a folder with tokenizer.json, or a name on the hub."
        )
    path = Path(name)
    path = path / "tokenizer.json" if path.is_dir() else path
    try:
        return Tokenizer.from_file(str(path)) if path.exists() else Tokenizer.from_pretrained(name)
    except Exception as error:  # noqa: BLE001 - tokenizers raises bare Exception for every failure
        raise TokenizerNotFound(
            f"The tokenizer {name!r} cannot be loaded: {error}.", tokenizer=name
        ) from error


def count_tokens(tokenizer: Any, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)
