"""Training on an export, to show that it trains. Imports torch: reached only through the registry below."""

from web.registry import Registry

TRAININGS = Registry(
    "training check",
    {
        "rows": "exports.training.longer:rows",
        "longer": "exports.training.longer:longer",
        "longer-unpaired": "exports.training.longer:unpaired",
        "preference": "exports.training.steps:preference",
        "pairs": "exports.training.steps:pairs",
        "soft": "exports.training.steps:soft",
        "reward": "exports.training.steps:reward",
        "stepwise": "exports.training.steps:stepwise",
        "unpaired": "exports.training.steps:unpaired",
        "triple": "exports.training.steps:triple",
        "prompt-only": "exports.training.steps:prompt_only",
    },
)
