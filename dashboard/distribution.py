"""How a project hands out its work, as a form: each field is off where it is left empty."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotate.onboarding.profiles import PROFILES
from ledger.project_settings import InvalidSetting, clean_settings

JSON_BOX = {"rows": 5, "class": "mono", "spellcheck": "false", "dir": "ltr"}


def whole(label: Any, help_text: Any = "", *, most: int = 10_000_000) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=1, max_value=most, required=False)


def share(label: Any, help_text: Any = "") -> forms.FloatField:
    return forms.FloatField(
        label=label,
        help_text=help_text,
        min_value=0,
        max_value=1,
        required=False,
        widget=forms.NumberInput({"step": "0.01"}),
    )


class JsonField(forms.JSONField):
    """JSON, or nothing where it is left empty."""

    widget = forms.Textarea(JSON_BOX)

    def prepare_value(self, value: Any) -> Any:
        if value in (None, "") or isinstance(value, str):
            return value or ""
        return json.dumps(value, indent=1, ensure_ascii=False)


class LinesField(forms.Field):
    """A list of texts, one a line."""

    widget = forms.Textarea({"rows": 4, "class": "mono", "spellcheck": "false", "dir": "ltr"})

    def to_python(self, value: Any) -> list[str]:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class DistributionForm(forms.Form):
    """Its fields are named by their place in the settings: `gold__rate` is `{"gold": {"rate": …}}`."""

    lease_seconds = whole(
        _("A lease lasts, in seconds"), _("Half an hour where it is left empty."), most=604_800
    )
    quota__daily = whole(_("Quota a day"), _("Submissions of one person; a member's own goes before it."))
    quota__total = whole(_("Quota in all"))
    overlap__min = whole(_("At least so many people"), _("Dynamic overlap; all three, or none."), most=50)
    overlap__max = whole(_("At most"), most=50)
    overlap__stop = share(
        _("Stop when this sure"),
        _(
            "The chance that the leading answer is the most common one: 0.89 after three alike, 0.94 after four."
        ),
    )
    finish_first = forms.BooleanField(label=_("Nearly finished instances first"), required=False)
    gold__rate = share(
        _("Known answers, share of the work"), _("Mixed in, and never to be told from other work.")
    )
    gold__threshold = share(_("Pause whoever meets fewer than"), _("Left empty, people are only measured."))
    gold__after = whole(_("…after so many"), _("Ten where it is left empty."), most=10_000)
    probes__rate = share(_("Shown again in swapped order, share of the work"))
    probes__gap = whole(_("…after so many others"), _("Ten where it is left empty."), most=10_000)
    groups = JsonField(
        label=_("Working groups"), required=False, help_text=_('{"lawyers": ["domain:law", "level:expert"]}')
    )
    skill_rules = JsonField(
        label=_("Who gets what"),
        required=False,
        help_text=_('[{"when": {"language": ["es"]}, "need": ["language:es"]}], by the instances\' metadata'),
    )
    onboarding__consent = forms.CharField(
        label=_("Consent"), required=False, widget=forms.Textarea({"rows": 5}), help_text=_("Markdown.")
    )
    onboarding__profile__form = forms.ChoiceField(
        label=_("Profile"), required=False, choices=[("", _("none")), *((name, name) for name in PROFILES)]
    )
    onboarding__profile__required = forms.BooleanField(
        label=_("The profile must be answered"), required=False
    )
    onboarding__training__instances = LinesField(
        label=_("Training"), required=False, help_text=_("Ids of instances with known answers, one a line.")
    )
    onboarding__quiz__instances = LinesField(label=_("Quiz"), required=False)
    onboarding__quiz__pass = share(_("Passed from"))
    onboarding__quiz__attempts = whole(_("Attempts"), _("One where it is left empty."), most=100)

    def clean(self) -> dict[str, Any]:
        """Checks the whole as the settings' table does; what it refuses stands at its field."""
        cleaned = super().clean() or {}
        self.changes = unflatten(cleaned)
        try:
            clean_settings(self.changes)
        except InvalidSetting as problem:
            self.refuse(problem)
        return cleaned

    def refuse(self, problem: InvalidSetting) -> None:
        name = str(problem.facts.get("setting", "")).replace(".", "__")
        self.add_error(name if name in self.fields else None, problem.detail)


class MemberWorkForm(forms.Form):
    """A member's own quota, skills and groups."""

    quota__daily = whole(_("Quota a day"))
    quota__total = whole(_("Quota in all"))
    skills = LinesField(label=_("Skills"), required=False, help_text=_("One a line: language:es"))
    groups = LinesField(label=_("Groups"), required=False)

    def changes(self) -> dict[str, Any]:
        return unflatten(self.cleaned_data)


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings from fields `a__b`; a whole section that is empty is None, which turns it off."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split("__")
        inner = nested
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return {name: pruned(value) for name, value in nested.items()}


def pruned(value: Any) -> Any:
    """Without what was left empty or unticked; None where nothing remains."""
    if isinstance(value, dict):
        kept = {name: pruned(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner is not None} or None
    return None if value in ("", [], False) else value


def flatten(form: type[forms.Form], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as the form's initial values."""
    return {name: reach(settings, name.split("__")) for name in form.base_fields}


def reach(settings: Any, path: list[str]) -> Any:
    for part in path:
        settings = settings.get(part) if isinstance(settings, Mapping) else None
    return settings
