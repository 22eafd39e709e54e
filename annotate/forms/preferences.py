"""A person's own settings: theme, contrast, language, moving on, keys."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from annotate.keys import ACTIONS, SHOWN, clashes, keys_of

THEMES = [("auto", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))]
CONTRASTS = [("auto", _("As the system")), ("normal", _("Normal")), ("more", _("High"))]
ADVANCE = [
    ("complete", _("When nothing else is asked")),
    ("choice", _("Right after the choice")),
    ("never", _("Only with the key")),
]
SPELLED = {shown.lower(): key for key, shown in SHOWN.items()}


class PreferencesForm(forms.Form):
    theme = forms.ChoiceField(label=_("Theme"), choices=THEMES)
    contrast = forms.ChoiceField(label=_("Contrast"), choices=CONTRASTS)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    advance = forms.ChoiceField(label=_("Move on to the next question"), choices=ADVANCE)

    def __init__(self, data: Any = None, *, user: User) -> None:
        self.user = user
        own = user.preferences
        initial = {name: own[name] for name in ("theme", "contrast", "advance") if name in own}
        super().__init__(data, initial=initial | {"language": user.language or settings.LANGUAGE_CODE})
        for action, key in keys_of(user).items():
            self.fields[f"key_{action}"] = forms.CharField(
                label=str(key.words),
                initial=key.key,
                max_length=12,
                widget=forms.TextInput(attrs={"class": "keycap"}),
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = {action: self.key(data.get(f"key_{action}", "")) for action in ACTIONS}
        for action, key in clashes(chosen).items():
            self.add_error(f"key_{action}", _t("The key %s is taken already.") % key)
        for action, key in chosen.items():
            if len(key) > 1 and key not in SHOWN:
                self.add_error(f"key_{action}", _t("A key is one character, or “enter”."))
        self.chosen = chosen
        return data

    def key(self, text: str) -> str:
        text = text.strip().lower()
        return SPELLED.get(text, text)

    def general(self) -> list[Any]:
        return [self[name] for name in ("theme", "contrast", "language", "advance")]

    def keys(self) -> list[Any]:
        return [self[f"key_{action}"] for action in ACTIONS]

    def save(self) -> User:
        data = self.cleaned_data
        defaults = {action: key for action, (key, _words) in ACTIONS.items()}
        own = {action: key for action, key in self.chosen.items() if key != defaults[action]}
        self.user.preferences |= {name: data[name] for name in ("theme", "contrast", "advance")} | {
            "keys": own
        }
        self.user.language = data["language"]
        self.user.save(update_fields=["preferences", "language"])
        return self.user

    def cookies(self) -> dict[str, str]:
        """What the page must know before it is built."""
        data = self.cleaned_data
        return {
            "theme": data["theme"], "contrast": data["contrast"], settings.LANGUAGE_COOKIE_NAME: data["language"],
        }  # fmt: skip
