"""Consensus: many raters' verdicts on an item become one, with a probability of each verdict."""

from web.registry import Registry

AGGREGATORS = Registry(
    "consensus method",
    {
        "majority": "quality.consensus.majority:Majority",
        "wawa": "quality.consensus.wawa:Wawa",
        "dawid_skene": "quality.consensus.dawid_skene:DawidSkene",
        "fused": "quality.consensus.fused:Fused",
    },
)
