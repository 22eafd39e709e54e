"""Profile forms, by name: what a project may ask about its raters. Everything in them is optional.

A profile is seen by the person and by whoever exports the data with their permission, never by other raters.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

UNSAID = ("", _("I would rather not say"))


def choice(label: Any, *options: tuple[str, Any]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[UNSAID, *options], required=False)


def words(label: Any, *, help_text: Any = "", long: bool = False) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3}) if long else forms.TextInput()
    return forms.CharField(
        label=label, max_length=2000 if long else 120, required=False, widget=widget, help_text=help_text
    )


def importance(label: Any) -> forms.IntegerField:
    """0…100, as PRISM asks for stated preferences."""
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=100,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


class ProfileForm(forms.Form):
    """What every profile ends with: whether it may leave the house."""

    share = forms.BooleanField(
        label=_("My profile may be published with my labels, under a pseudonym"), required=False
    )

    field_order: Any = None

    def profile(self) -> dict[str, Any]:
        """What was said; what was left out is not in it."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "share"}
        return {name: value for name, value in given.items() if value not in ("", None)}


class PrismForm(ProfileForm):
    """After the survey of PRISM (Kirk et al. 2024, arXiv 2404.16019): familiarity, stated preferences, demographics."""

    field_order: Any = (
        "lm_familiarity",
        "lm_frequency",
        "system_string",
        "values",
        "creativity",
        "fluency",
        "factuality",
        "diversity",
        "safety",
        "personalisation",
        "helpfulness",
        "self_description",
        "age",
        "gender",
        "education",
        "employment",
        "english_proficiency",
        "birth_country",
        "reside_country",
        "ethnicity",
        "religion",
    )

    lm_familiarity = choice(
        _("How well do you know AI language models?"),
        ("not", _("not at all")),
        ("somewhat", _("somewhat")),
        ("very", _("very well")),
    )
    lm_frequency = choice(
        _("How often do you use one?"),
        ("never", _("never")),
        ("rarely", _("less than once a month")),
        ("monthly", _("every month")),
        ("weekly", _("every week")),
        ("daily", _("every day")),
    )
    system_string = words(
        _("How should an ideal model behave towards you?"),
        help_text=_("In your own words; two to five sentences."),
        long=True,
    )
    values = importance(_("It reflects my values or culture (0 unimportant … 100 very important)"))
    creativity = importance(_("It is creative and inspiring"))
    fluency = importance(_("It writes well"))
    factuality = importance(_("Its facts are right"))
    diversity = importance(_("It summarises several views"))
    safety = importance(_("It is safe and does no harm"))
    personalisation = importance(_("It learns from our conversations and feels personal"))
    helpfulness = importance(_("It helps and answers what I ask"))
    self_description = words(
        _("Describe yourself"),
        help_text=_("Your values, beliefs or principles, as far as you like to. No names, please."),
        long=True,
    )
    age = choice(
        _("Age"),
        *((band, band) for band in ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")),
    )
    gender = choice(
        _("Gender"),
        ("female", _("female")),
        ("male", _("male")),
        ("non-binary", _("non-binary")),
        ("other", _("another")),
    )
    education = choice(
        _("Education"),
        ("school", _("school")),
        ("vocational", _("vocational")),
        ("some-university", _("some university")),
        ("degree", _("a university degree")),
        ("graduate", _("a graduate or professional degree")),
    )
    employment = choice(
        _("Employment"),
        ("full-time", _("full time")),
        ("part-time", _("part time")),
        ("student", _("student")),
        ("home", _("at home or caring")),
        ("retired", _("retired")),
        ("seeking", _("looking for work")),
    )
    english_proficiency = choice(
        _("English"),
        ("native", _("native")),
        ("fluent", _("fluent")),
        ("advanced", _("advanced")),
        ("intermediate", _("intermediate")),
        ("basic", _("basic")),
    )
    birth_country = words(_("Country of birth"))
    reside_country = words(_("Country where you live"))
    ethnicity = words(_("Ethnicity"))
    religion = words(_("Religion or belief"))


class ShortForm(ProfileForm):
    """Languages, field and experience: what skills are given by."""

    field_order: Any = ("languages", "field", "experience")

    languages = words(_("Languages that you read well"))
    field = words(_("Your field of work or study"))
    experience = words(_("What you have annotated before"), long=True)


PROFILES: dict[str, type[ProfileForm]] = {"prism": PrismForm, "short": ShortForm}
