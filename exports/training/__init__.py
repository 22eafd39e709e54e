"""Training on an export, to show that it trains. Imports torch: reached only through the registry below."""

from web.registry import Registry

TRAININGS = Registry(
    "training check",
    {
        "preference": "exports.training.steps:preference",
        "unpaired": "exports.training.steps:unpaired",
        "prompt-only": "exports.training.steps:prompt_only",
    },
)
