"""Export formats: the table from names to entries. A newcomer adds one file and one row."""

from web.registry import Registry

FORMATS = Registry(
    "export format",
    {
        "trl-preference": "exports.formats.trl_preference:FORMAT",
        "ledger": "exports.formats.ledger:FORMAT",
        "trl-unpaired": "exports.formats.trl_unpaired:FORMAT",
        "soft": "exports.formats.soft:FORMAT",
        "ratings": "exports.formats.ratings:FORMAT",
        "listwise": "exports.formats.listwise:FORMAT",
        "multi-aspect": "exports.formats.multi_aspect:FORMAT",
        "preference-strength": "exports.formats.preference_strength:FORMAT",
        "trl-stepwise": "exports.formats.trl_stepwise:FORMAT",
        "disaggregated": "exports.formats.disaggregated:FORMAT",
        "reward-bench": "exports.formats.reward_bench:FORMAT",
        "rationale": "exports.formats.rationale:FORMAT",
        "multi-turn": "exports.formats.multi_turn:FORMAT",
        "trl-prompt-only": "exports.formats.trl_prompt_only:FORMAT",
        "joint": "exports.formats.joint:FORMAT",
        "reward-conditioned": "exports.formats.reward_conditioned:FORMAT",
        "masked": "exports.formats.masked:FORMAT",
        "edits": "exports.formats.edits:FORMAT",
        "media": "exports.formats.media:FORMAT",
    },
)
