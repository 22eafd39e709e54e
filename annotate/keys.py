"""The workbench's keys: their defaults, a person's own, and the check that no two clash."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User

# ---------------------------------------------------------------- what can be remapped

ACTIONS: dict[str, tuple[str, str | Promise]] = {
    "submit": ("enter", _("Submit, or the next question")),
    "back": ("b", _("Back to the one before")),
    "skip": ("s", _("Skip")),
    "flag": ("f", _("Flag")),
    "undo": ("u", _("Undo the last submission")),
    "guidelines": ("g", _("Guidelines")),
    "earlier": ("e", _("Earlier turns")),
    "lock": ("l", _("Scroll lock")),
    "differences": ("d", _("Differences")),
    "next": ("j", _("Next question")),
    "previous": ("k", _("Previous question")),
    "comment": ("c", _("Write own words")),
    "read": ("r", _("Say that you have read what is beside the prompt")),
    "help": ("?", _("All keys")),
    "film_play": ("p", _("Films: play, pause")),
    "film_frame_back": (",", _("Films: one picture back")),
    "film_frame_on": (".", _("Films: one picture on")),
    "film_second_back": ("<", _("Films: one second back")),
    "film_second_on": (">", _("Films: one second on")),
    "film_slower": ("[", _("Films: slower")),
    "film_faster": ("]", _("Films: faster")),
    "film_rewind": ("w", _("Films: to the start")),
}
FIXED = frozenset("0123456789-=") | {
    "escape",
    "tab",
    "space",
    "arrowup",
    "arrowdown",
    "arrowleft",
    "arrowright",
}
SHOWN = {"enter": "↵", "escape": "Esc"}


@dataclass(frozen=True)
class Key:
    """One action's key, and how it is printed."""

    action: str
    key: str
    words: str | Promise

    @property
    def film(self) -> bool:
        """Whether it does something only where films are shown."""
        return self.action.startswith("film_")

    @property
    def shown(self) -> str:
        return SHOWN.get(self.key, self.key.upper())


def keys_of(user: User) -> dict[str, Key]:
    """Every action's key: the person's own where they chose one."""
    own = user.preferences.get("keys", {})
    return {action: Key(action, own.get(action, key), words) for action, (key, words) in ACTIONS.items()}


def clashes(chosen: dict[str, str]) -> dict[str, str]:
    """The actions of `chosen` (action: key) whose key is taken twice or answers questions, each with that key."""
    keys = list(chosen.values())
    return {action: key for action, key in chosen.items() if key in FIXED or keys.count(key) > 1}
