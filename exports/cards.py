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

HUB_LICENCES = {  # of the hub's list, those that name data: huggingface.co/docs/hub/repositories-licenses
    "apache-2.0", "mit", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-3.0", "cc-by-sa-3.0",
    "cc0-1.0", "odc-by", "odbl", "pddl", "bsd-3-clause", "bsd-2-clause", "gpl-3.0", "unlicense",
}  # fmt: skip
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
        **licence(made["facts"]["inputs"]["licences"]),
        "tags": ["preference-data", "switchyard", made["format"]],
        "size_categories": [next((name for most, name in SIZES if made["rows"] < most), "n>1M")],
        **({"configs": [{"config_name": "default", "data_files": files}]} if files else {}),
    }


def licence(stated: Mapping[str, int]) -> dict[str, str]:
    """The hub's `license`: its own name for the only one stated, else `other` with all of them; {} where none is."""
    names = [name for name in stated if name != "not stated"]
    if len(names) == 1 and len(stated) == 1 and names[0].lower() in HUB_LICENCES:
        return {"license": names[0].lower()}
    return {"license": "other", "license_name": "; ".join(names)[:200]} if names else {}


def noise(aspect: Mapping[str, Any]) -> float | None:
    """The estimated chance that one person's label on the aspect is flipped."""
    return flip_rate(aspect["human_human"]["no_ties"])
