"""Forms of the judges: one for each method, made from what the method offers; and one for an endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from judges.catalog import JudgeSpec
from judges.models import Endpoint
from judges.offering import (
    ENCODERS,
    ENDPOINT,
    EXPLAINER,
    MODELLESS,
    SHIPPED_ENCODER,
    Choices,
    Chosen,
    Offer,
    Parameter,
    Slot,
    spec_from,
)
from judges.specs import NAME
from web.problems import Invalid

BACKEND_WORDS = {
    "transformers": _("here, by transformers"),
    "vision-language": _("here, by transformers, with images"),
    "llama.cpp": _("here, by llama.cpp (GGUF; writes fast on a CPU)"),
    "reward-model": _("here, a reward model"),
    "length": _("no model: the longer"),
    "probe": _("here, a head over an encoder"),
    "checks": _("here, in a sandbox"),
}


class ListField(forms.CharField):
    """A tuple, one value a line."""

    widget = forms.Textarea({"rows": 4})
    cast: type = str

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return tuple(value)
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        try:
            return tuple(self.cast(line) for line in lines)
        except ValueError as error:
            raise forms.ValidationError(_("One number a line.")) from error

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """A tuple has no length limit in characters."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value


class NumbersField(ListField):
    cast = float


class PairsField(ListField):
    """Pairs of a request and a good answer: `request => answer`, one a line."""

    def to_python(self, value: Any) -> Any:
        pairs = [tuple(part.strip() for part in line.split("=>", 1)) for line in super().to_python(value)]
        if any(len(pair) != 2 for pair in pairs):
            raise forms.ValidationError(_("A request, =>, and its answer, one pair a line."))
        return tuple(pairs)

    def prepare_value(self, value: Any) -> Any:
        pairs = isinstance(value, list | tuple)
        return "\n".join(f"{asked} => {said}" for asked, said in value) if pairs else value


def field_of(parameter: Parameter) -> forms.Field:
    """The form's field for a method's parameter; left empty it takes the default."""
    common: dict[str, Any] = {
        "label": parameter.title,
        "help_text": parameter.help,
        "required": False,
        "initial": parameter.default,
    }
    if parameter.kind == "choice":
        return forms.ChoiceField(choices=[(one, one or "–") for one in parameter.choices], **common)
    if parameter.kind == "text":
        widget = forms.Textarea({"rows": 4})
        return forms.CharField(widget=widget, max_length=20_000, **common)
    kinds: dict[str, type[forms.Field]] = {
        "switch": forms.BooleanField,
        "whole": forms.IntegerField,
        "number": forms.FloatField,
        "word": forms.CharField,
        "lines": ListField,
        "numbers": NumbersField,
        "pairs": PairsField,
    }
    return kinds[parameter.kind](**common)


@dataclass(frozen=True)
class Part:
    """A role's fields, as the page groups them."""

    slot: Slot
    fields: list[forms.BoundField]


class JudgeForm(forms.Form):
    """A judge of one method: its name, who plays each role, the method's parameters."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("As labels, exports and commands call it."),
    )
    rationale = forms.BooleanField(
        label=_("Write a rationale beside every verdict"),
        required=False,
        help_text=_("The judging model, or the one that explains, is asked once more for each instance."),
    )

    def __init__(
        self,
        *args: Any,
        offer: Offer,
        endpoints: Sequence[str],
        judges: Sequence[JudgeSpec],
        fixed_name: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offer, self.fixed_name = offer, fixed_name
        self.jurors = {one.name: one for one in judges if one.name != fixed_name}
        if fixed_name:
            del self.fields["name"]
        for slot in offer.slots:
            self.add_slot(slot, endpoints)
        if offer.method == "jury":
            self.fields["jurors"] = forms.MultipleChoiceField(
                label=_("Judges"),
                choices=[(name, name) for name in self.jurors],
                widget=forms.CheckboxSelectMultiple,
                help_text=_("At least two; each asks by its own method and model."),
            )
        for parameter in offer.parameters:
            self.fields[f"p_{parameter.name}"] = field_of(parameter)

    def add_slot(self, slot: Slot, endpoints: Sequence[str]) -> None:
        """The fields of a role: what answers, which model, how much it reads."""
        able = self.offer.able(slot.asks or self.offer.asks)
        choices: list[tuple[str, Any]] = [
            (name, BACKEND_WORDS[name]) for name in able if name != "openai-compatible"
        ]
        if "openai-compatible" in able:
            choices += [(f"{ENDPOINT}{name}", _("endpoint %s") % name) for name in endpoints]
        if slot.optional:
            choices = [("", _("nobody")), *choices]
        explains = slot == EXPLAINER
        self.fields[f"b_{slot.role}"] = forms.ChoiceField(
            label=_("Explained by") if explains else _("Where it runs"),
            choices=choices,
            required=not slot.optional,
        )
        if set(able) <= MODELLESS:
            return
        if able == ["probe"]:
            self.fields[f"m_{slot.role}"] = forms.ChoiceField(
                label=_("What it reads"),
                choices=[(name, name) for name in ENCODERS],
                initial=SHIPPED_ENCODER,
                help_text="; ".join(f"{name}: {about}" for name, about in ENCODERS.items()),
            )
            return
        self.fields[f"m_{slot.role}"] = forms.CharField(
            label=_("Explained with") if explains else _("Model"),
            max_length=300,
            required=False,
            help_text=_("bundled:smollm2, ORGANISATION/MODEL, or the endpoint's name for it"),
        )
        if explains:
            return
        self.fields[f"w_{slot.role}"] = forms.IntegerField(
            label=_("Window, tokens"),
            min_value=256,
            max_value=10_000_000,
            required=False,
            help_text=_("Longer texts are cut in balance. Empty: the model's own."),
        )

    @property
    def parts(self) -> list[Part]:
        """Each role's fields, but for the one that explains."""
        return [self.part(slot) for slot in self.offer.slots if slot != EXPLAINER]

    @property
    def explainer(self) -> Part | None:
        """The fields of the model that explains, beside the rationale's box."""
        return self.part(EXPLAINER) if EXPLAINER in self.offer.slots else None

    def part(self, slot: Slot) -> Part:
        names = [f"{kind}_{slot.role}" for kind in "bmw"]
        return Part(slot, [self[name] for name in names if name in self.fields])

    @property
    def parameters(self) -> list[forms.BoundField]:
        return [self[f"p_{one.name}"] for one in self.offer.parameters]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not NAME.fullmatch(name):
            raise forms.ValidationError(_("Letters, digits, spaces and . _ / - only."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for slot in self.offer.slots:
            backend, model = cleaned.get(f"b_{slot.role}"), cleaned.get(f"m_{slot.role}")
            wanting = backend and f"m_{slot.role}" in self.fields and backend not in MODELLESS
            if wanting and not model:
                self.add_error(f"m_{slot.role}", _("Name the model."))
        return cleaned

    def spec(self) -> JudgeSpec:
        """The judge that the form describes. Raises `Invalid`."""
        given = self.cleaned_data
        played = {
            slot.role: Chosen(backend, given.get(f"m_{slot.role}") or "", given.get(f"w_{slot.role}") or 0)
            for slot in self.offer.slots
            if (backend := given.get(f"b_{slot.role}"))
        }
        return spec_from(
            self.offer.method,
            name=self.fixed_name or given["name"],
            parameters={one.name: self.value_of(one) for one in self.offer.parameters},
            played=played,
            jurors=[self.jurors[name] for name in given.get("jurors", ())],
            rationale=given["rationale"],
        )

    def value_of(self, parameter: Parameter) -> object:
        """What was entered, else the default; lists and texts may be emptied on purpose."""
        value = self.cleaned_data[f"p_{parameter.name}"]
        if parameter.kind in ("whole", "number", "choice"):
            return parameter.default if value in (None, "") else value
        if parameter.kind in ("word", "text") and not value and parameter.name in ("prefill", "system"):
            raise Invalid(f"{parameter.title} must not be empty.")
        return value


def initial_of(choices: Choices) -> dict[str, Any]:
    """A judge's form as it was filled in."""
    filled: dict[str, Any] = {f"p_{name}": value for name, value in choices.parameters.items()}
    for role, chosen in choices.played.items():
        filled |= {
            f"b_{role}": chosen.backend,
            f"m_{role}": chosen.model,
            f"w_{role}": chosen.window or None,
        }
    return filled | {"jurors": list(choices.jurors), "rationale": choices.rationale}


class EndpointForm(forms.Form):
    """A model server. The key goes in and never comes out."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("As judges call it."))
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Of an OpenAI-compatible server, up to /v1: https://models.example.org/v1"),
        widget=forms.TextInput({"inputmode": "url", "spellcheck": "false"}),
    )
    key = forms.CharField(
        label=_("Key"),
        max_length=2000,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("Kept encrypted, sent to this address alone, and never shown again."),
    )
    forget = forms.BooleanField(label=_("Forget the key"), required=False)
    concurrency = forms.IntegerField(label=_("Calls at once, at most"), min_value=1, max_value=256, initial=8)
    rate = forms.FloatField(
        label=_("Calls a second, at most"), min_value=0, initial=0, help_text=_("0: no bound.")
    )
    read = forms.FloatField(
        label=_("Price of a million tokens read"),
        min_value=0,
        initial=0,
        help_text=_("Runs count their cost by these prices and stop at their budget."),
    )
    written = forms.FloatField(label=_("Price of a million tokens written"), min_value=0, initial=0)

    def __init__(self, *args: Any, endpoint: Endpoint | None = None, **kwargs: Any) -> None:
        if endpoint is not None:
            kwargs["initial"] = shown(endpoint)
        super().__init__(*args, **kwargs)
        if endpoint is not None:
            del self.fields["name"]
        if endpoint is None or not endpoint.key:
            del self.fields["forget"]
        else:
            self.fields["key"].help_text = _(
                "A key is kept, encrypted. Leave this empty to keep it; another address forgets it."
            )

    def settings(self) -> Mapping[str, Any]:
        """What `set_endpoint` takes; a key of None leaves the stored one."""
        given = self.cleaned_data
        return {
            "url": given["url"].rstrip("/"),
            "key": given["key"] or ("" if given.get("forget") else None),
            "concurrency": given["concurrency"],
            "rate": given["rate"],
            "prices": {"read": given["read"], "written": given["written"]},
        }


def shown(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint's values, without its key."""
    prices = endpoint.prices
    return {
        "url": endpoint.url,
        "concurrency": endpoint.concurrency,
        "rate": endpoint.rate,
        "read": prices.get("read", 0),
        "written": prices.get("written", 0),
    }
