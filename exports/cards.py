"""The dataset card and the manifest: facts, in words and as JSON."""

from collections.abc import Mapping
from typing import Any

import yaml
from django.template.loader import render_to_string

from exports.datasets import Dataset, columns_of, find_snapshot
from exports.facts import Facts, facts_of, flip_rate
from exports.formats.base import Format
from exports.formats.columns import words
from exports.selection import unheeded

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def manifest(dataset: Dataset, entry: Format, report: Mapping[str, Any]) -> Facts:
    """Everything that a reader needs to trust or repeat the export. `report` is `write_export`'s."""
    snapshot = find_snapshot(dataset.moment.project, dataset.version) if dataset.version else None
    facts = snapshot.manifest.get("facts") if snapshot else None
    return {
        "format": entry.name,
        "version": dataset.version or None,
        "rows": report["rows"],
        "hash": report["hash"],
        "hash_of": "the root of a Merkle tree (RFC 6962, SHA-256) over the rows' canonical JSON lines",
        "snapshot_hash": snapshot.hash if snapshot else None,
        "columns": {name: words(kind) for name, kind in columns_of(dataset, entry).items()},
        "choices": dataset.choices.changed(),
        "unheeded": unheeded(dataset.choices, entry),
        "read": report["read"],
        "dropped": report["dropped"],
        "masked": report["masked"],
        "facts": facts or facts_of(dataset.moment),
    }


def card(made: Facts, entry: Format, splits: Mapping[str, int]) -> str:
    """The dataset card: a README.md with the hub's front matter."""
    facts = made["facts"]
    context = {
        **made,
        "entry": entry,
        "front_matter": yaml.safe_dump(
            front_matter(made, splits), sort_keys=False, allow_unicode=True
        ).strip(),
        "splits": dict(splits),
        "noise": {name: noise(aspect) for name, aspect in facts["agreement"].items()},
    }
    return render_to_string("exports/card.md", context)


def front_matter(made: Facts, splits: Mapping[str, int]) -> dict[str, Any]:
    """What the hub and `datasets.load_dataset` read."""
    languages = [name for name in made["facts"]["inputs"]["languages"] if name != "not stated"]
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    return {
        "pretty_name": made["facts"]["project"]["name"],
        **({"language": languages} if languages else {}),
        "tags": ["preference-data", "switchyard", made["format"]],
        "size_categories": [next((name for most, name in SIZES if made["rows"] < most), "n>1M")],
        "configs": [{"config_name": "default", "data_files": files}],
    }


def noise(aspect: Mapping[str, Any]) -> float | None:
    """The estimated chance that one person's label on the aspect is flipped."""
    return flip_rate(aspect["human_human"]["no_ties"])
