"""Policies: which instances deserve a person. One row and one file each; `routing.policies.base` is the form."""

from web.registry import Registry

POLICIES = Registry(
    "policy",
    {
        "random": "routing.policies.chance:Random",
        "pilot": "routing.policies.pilot:Pilot",
        "uncertainty": "routing.policies.uncertainty:Uncertainty",
        "length_gap": "routing.policies.length_gap:LengthGap",
        "all_human": "routing.policies.constant:AllHuman",
        "all_ai": "routing.policies.constant:AllAI",
        "defer": "routing.policies.defer:Defer",
        "guarantee": "routing.policies.guarantee:Guarantee",
        "hyper": "routing.policies.hyper:Hyper",
        "hyper_fixed": "routing.policies.hyper:HyperFixed",
        "oracle": "routing.policies.oracle:Oracle",
    },
)
