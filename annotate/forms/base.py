"""What the forms share: prefixed fields, the extras of every aspect, and the words of an error."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from ledger.models import Aspect, Response
from ledger.task_types.base import InvalidAnswer

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Option:
    """One control of a choice: its posted value, its words, the number of its key, and whether it is chosen."""

    value: str
    words: str
    key: str
    chosen: bool
    hint: str = ""


def number(text: str) -> int | float | str:
    """`text` as a number where it is one; the task type refuses the rest by name."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def plain_number(value: float) -> str:
    """`4` for 4.0, `4.5` for 4.5: as a form field holds it."""
    return str(int(value)) if float(value).is_integer() else str(value)


class AspectForm(ABC):
    """One aspect's questions over one instance.

    `responses` are the instance's, by index; `order` holds the indices as shown; `fields` what was posted, kept
    as a draft, or made from an earlier value. Everything posted names responses by index, never by place.
    """

    template: ClassVar[str]

    def __init__(
        self,
        aspect: Aspect,
        *,
        responses: Iterable[Response],
        order: Sequence[int],
        fields: Fields | None = None,
    ) -> None:
        self.aspect = aspect
        self.responses = list(responses)
        self.texts = [response.text for response in self.responses]
        self.size = len(self.texts)
        self.order = list(order)
        self.fields = fields or {}
        self.error = ""

    # ---- fields

    @property
    def prefix(self) -> str:
        return f"a{self.aspect.pk}"

    def name(self, field: str) -> str:
        return f"{self.prefix}.{field}"

    def get(self, field: str) -> str:
        values = self.fields.get(self.name(field)) or [""]
        return values[-1].strip()

    def get_all(self, field: str) -> list[str]:
        return list(self.fields.get(self.name(field)) or [])

    @cached_property
    def settings(self) -> dict[str, Any]:
        return self.aspect.task.settings(self.aspect.settings)

    # ---- to be written by each form

    @abstractmethod
    def main(self) -> dict[str, Any]:
        """The value without its extras; empty where nothing was chosen."""

    @abstractmethod
    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        """The inverse of `main`: unprefixed fields that show `value` again."""

    @abstractmethod
    def summary(self) -> str:
        """The answer in one short line."""

    # ---- what the screen asks

    @property
    def answered(self) -> bool:
        return bool(self.main())

    @property
    def touched(self) -> bool:
        return self.answered or bool(self.extras())

    @property
    def lingers(self) -> bool:
        """Whether something optional is asked beside the choice, so that the screen should not move on by itself."""
        settings = self.settings
        return settings["confidence"] != "off" or bool(settings["reasons"]) or settings["comment"]

    def confidence_options(self) -> list[Option]:
        if self.settings["confidence"] == "off":
            return []
        words = [_("unsure"), _("fairly sure"), _("sure")]
        return [
            Option(str(n), word, str(n), self.get("confidence") == str(n)) for n, word in enumerate(words, 1)
        ]

    def reason_options(self) -> list[Option]:
        ticked = self.get_all("reasons")
        return [Option(reason, reason, "", reason in ticked) for reason in self.settings["reasons"]]

    @property
    def comment(self) -> str:
        return self.get("comment")

    # ---- reading and writing values

    def extras(self) -> dict[str, Any]:
        extras: dict[str, Any] = {}
        if self.get("confidence"):
            extras["confidence"] = number(self.get("confidence"))
        if self.get_all("reasons"):
            extras["reasons"] = self.get_all("reasons")
        if self.comment:
            extras["comment"] = self.comment
        return extras

    def clean(self) -> dict[str, Any] | None:
        """The validated value; None where an optional aspect was left alone, and where `error` says what is wrong."""
        if not self.touched and not self.aspect.required:
            return None
        if not self.answered:
            self.error = _("Choose an answer.")
            return None
        try:
            return self.aspect.task.clean(self.main() | self.extras(), settings=self.settings, size=self.size)
        except InvalidAnswer as refusal:
            self.error = refusal.detail
            return None

    def fields_of(self, value: dict[str, Any]) -> dict[str, list[str]]:
        """The posted fields that would give `value`."""
        fields = self.main_fields(value)
        if "confidence" in value:
            fields["confidence"] = [str(value["confidence"])]
        fields["reasons"] = list(value.get("reasons", []))
        fields["comment"] = [value["comment"]] if value.get("comment") else []
        return {self.name(field): values for field, values in fields.items() if values}
