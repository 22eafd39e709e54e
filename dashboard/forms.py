"""The dashboard's forms: shapes and words; what may be written is checked by the actions again."""

import json
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.rights import Role
from ledger.actions import SLUG
from ledger.models import Aspect, Project
from ledger.task_types import TASK_TYPES
from ledger.task_types.base import InvalidSettings
from ledger.templates import TEMPLATES

GIVEN_ROLES = [(role.value, role.label) for role in (Role.ANNOTATOR, Role.REVIEWER, Role.ADMIN)]


class NewProjectForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)
    slug = forms.CharField(
        label=_("Address"),
        max_length=80,
        required=False,
        help_text=_("Lower-case letters, digits and hyphens; made from the name where it is left empty."),
    )
    template = forms.ChoiceField(
        label=_("Template"),
        choices=[(name, template.title) for name, template in TEMPLATES.items()],
        initial="multipref",
        widget=forms.RadioSelect,
    )
    overlap = forms.IntegerField(
        label=_("Overlap"),
        min_value=1,
        max_value=50,
        initial=1,
        help_text=_("How many people label an instance. More than one lets you measure their agreement."),
    )

    def clean_slug(self) -> str:
        slug = self.cleaned_data["slug"] or slugify(self.cleaned_data.get("name", ""))[:80].strip("-_")
        if not SLUG.fullmatch(slug):
            raise forms.ValidationError(_("Give an address of lower-case letters, digits and hyphens."))
        if Project.objects.filter(slug=slug).exists():
            raise forms.ValidationError(_("There is a project at this address already."))
        return slug


class ProjectForm(forms.Form):
    """Name, description and overlap."""

    name = forms.CharField(label=_("Name"), max_length=200)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea({"rows": 3}))
    overlap = forms.IntegerField(
        label=_("Overlap"),
        min_value=1,
        max_value=50,
        help_text=_("How many people label an instance. Open work follows at once; labels stay."),
    )
    hourly_pay = forms.FloatField(
        label=_("Pay an hour"),
        min_value=0,
        required=False,
        help_text=_(
            "What a person costs: prices of budgets follow from it and from the time that reading takes."
        ),
    )
    currency = forms.CharField(label=_("Currency"), max_length=4, required=False)


class GuidelinesForm(forms.Form):
    text = forms.CharField(
        label=_("Guidelines"),
        strip=False,
        max_length=100_000,
        widget=forms.Textarea({"rows": 18, "class": "mono"}),
        help_text=_("Markdown. Every save is a new version; labels record the version that was read."),
    )


class SettingsField(forms.CharField):
    """A task type's settings as JSON, checked by the task type itself."""

    widget = forms.Textarea({"rows": 6, "class": "mono", "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        try:
            given = json.loads(value or "{}")
        except json.JSONDecodeError as error:
            raise forms.ValidationError(_("Not JSON: %(why)s."), params={"why": error}) from error
        if not isinstance(given, dict):
            raise forms.ValidationError(_("The settings must be a JSON object."))
        return given


def task_types() -> list[tuple[str, str]]:
    return [(name, TASK_TYPES.load(name).title) for name in TASK_TYPES]


class ScaleForm(forms.Form):
    """Task type and settings, while nobody has labelled."""

    task_type = forms.ChoiceField(label=_("Task type"), choices=task_types)
    settings = SettingsField(
        label=_("Scale and options"), required=False, help_text=_("JSON; what is left out takes its default.")
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "task_type" in cleaned and "settings" in cleaned:
            try:
                cleaned["settings"] = TASK_TYPES.load(cleaned["task_type"]).settings(cleaned["settings"])
            except InvalidSettings as problem:
                self.add_error("settings", problem.detail)
        return cleaned


class WordingForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=120, required=False)
    description = forms.CharField(
        label=_("Description"),
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("What annotators read beside the question."),
    )
    required = forms.BooleanField(label=_("Must be answered"), required=False, initial=True)


class NewAspectForm(WordingForm, ScaleForm):
    name = forms.SlugField(
        label=_("Name"), max_length=80, help_text=_("As exports and the API call it, for example helpful.")
    )
    field_order = ["name", "title", "description", "task_type", "settings", "required"]

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if Aspect.objects.filter(project=self.project, name=name).exists():
            raise forms.ValidationError(_("The project has an aspect of this name already."))
        return name


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"), choices=GIVEN_ROLES, initial=Role.ANNOTATOR)


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_("JSON Lines, CSV or Parquet, plain or gzip."),
        widget=forms.ClearableFileInput({"accept": ".jsonl,.json,.ndjson,.csv,.parquet,.gz"}),
    )


class AccountForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, required=False)


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What is it for?"), max_length=80, required=False, help_text=_("For example: nightly export.")
    )


class RunForm(forms.Form):
    judge = forms.CharField(max_length=200)
    limit = forms.IntegerField(label=_("At most"), min_value=1, required=False)
    budget = forms.DecimalField(label=_("Stop at a cost of"), min_value=0, required=False)


class RouteForm(forms.Form):
    """A policy, and either a budget or a target."""

    policy = forms.ChoiceField(label=_("Policy"))
    judge = forms.ChoiceField(label=_("Judge whose label stands"), required=False)
    aspect = forms.ChoiceField(label=_("Aspect"), required=False)
    aim = forms.ChoiceField(
        label=_("Aim"),
        choices=[("budget", _("a budget")), ("target", _("a promise"))],
        initial="budget",
        required=False,
    )
    budget = forms.IntegerField(
        label=_("Budget: share labelled by people, per cent"), min_value=0, max_value=100, required=False
    )
    target = forms.FloatField(
        label=_("Agreement with people, at least"), min_value=0.01, max_value=0.99, required=False
    )
    confidence = forms.FloatField(
        label=_("Confidence"), min_value=0.5, max_value=0.999, required=False, initial=0.95
    )
    audit = forms.IntegerField(
        label=_("Random audit, per cent of the budget"),
        min_value=0,
        max_value=100,
        required=False,
        help_text=_("Drawn by lot from what no policy chose: it keeps the figures honest."),
    )
    seed = forms.IntegerField(min_value=0, max_value=2**31, required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, policies: list[str], judges: list[str], aspects: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, values in (("policy", policies), ("judge", judges), ("aspect", aspects)):
            field = self.fields[name]
            field.choices = [(value, value) for value in values]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        aim = cleaned.get("aim") or "budget"
        if cleaned.get(aim) is None and aim not in self.errors:
            self.add_error(aim, _("Say how much."))
        return cleaned
