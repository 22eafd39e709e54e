"""Pushing a dataset folder to a hub, where a token is set."""

from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from exports.folders import OURS
from exports.problems import CannotPush


def push_folder(path: Path, *, name: str) -> str:
    """The address of the commit by which the dataset `name`, private when new, holds the folder's files.

    Shards of an earlier push that are no longer there are deleted in the same commit. Raises `CannotPush`.
    """
    if not (path / OURS).is_file():
        raise CannotPush(
            f"{path} is no dataset folder: export with an --output that ends in /.", path=str(path)
        )
    if not get_token():
        raise CannotPush("No token is set: HF_TOKEN, or `hf auth login`.", name=name)
    hub = HfApi()
    try:
        hub.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        done = hub.upload_folder(
            folder_path=path, repo_id=name, repo_type="dataset", delete_patterns="data/*.parquet"
        )
    except (HfHubHTTPError, HFValidationError, HTTPError, ValueError, OSError) as error:
        raise CannotPush(f"The hub did not take {name!r}: {error}.", name=name) from error
    return str(done.commit_url)
