"""All of an instance's aspects together: what the work screen shows and posts."""

from collections.abc import Iterable, Sequence
from typing import Any

from annotate.forms import FORMS
from annotate.forms.base import AspectForm, Fields
from annotate.forms.spans import SpansForm
from ledger.models import Aspect, Response


def aspect_form(aspect: Aspect, **given: Any) -> AspectForm:
    return FORMS.load(aspect.task_type)(aspect, **given)


class WorkForm:
    """The forms of `aspects`, over `responses` shown in `order`."""

    def __init__(
        self,
        aspects: Iterable[Aspect],
        *,
        responses: Iterable[Response],
        order: Sequence[int],
        fields: Fields | None = None,
    ) -> None:
        self.responses, self.order = list(responses), list(order)
        given = {"responses": self.responses, "order": self.order, "fields": fields}
        self.parts = [aspect_form(aspect, **given) for aspect in aspects]
        self.answers: dict[str, dict[str, Any]] = {}

    def __iter__(self) -> Any:
        return iter(self.parts)

    @property
    def open(self) -> AspectForm | None:
        """The aspect that the screen opens: the first wrong one, else the first without an answer, else the last."""
        wrong = (part for part in self.parts if part.error)
        unanswered = (part for part in self.parts if not part.answered)
        return next(wrong, None) or next(unanswered, None) or (self.parts[-1] if self.parts else None)

    def is_valid(self) -> bool:
        """Whether every required aspect has a valid answer; fills `answers` by the aspects' names."""
        values = {part.aspect.name: part.clean() for part in self.parts}
        self.answers = {name: value for name, value in values.items() if value is not None}
        return not any(part.error for part in self.parts)

    def fields_of(self, answers: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
        """The posted fields that would give `answers`."""
        fields: dict[str, list[str]] = {}
        for part in self.parts:
            if part.aspect.name in answers:
                fields |= part.fields_of(answers[part.aspect.name])
        return fields

    def dividing(self) -> SpansForm | None:
        """The part that needs the texts as they are stored, where there is one; of several the first."""
        return next((part for part in self.parts if isinstance(part, SpansForm)), None)
