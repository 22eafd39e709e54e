"""How figures are printed: always with their interval and the number of observations."""

from decimal import Decimal

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from quality.intervals import Estimate

register = template.Library()

DASH = "–"


@register.filter
def figure(estimate: Estimate | None, places: int = 2) -> SafeString | str:
    """0.71, and small beside it 0.68–0.75, n 1,299."""
    if estimate is None or estimate.value is None:
        return DASH
    title = _("95 %% interval %(low)s to %(high)s") % bounds(estimate, places)
    return format_html(
        '<span class="num" title="{}">{}</span><br><small class="num">{}</small>',
        title if estimate.low is not None else "",
        fixed(estimate.value, places),
        small_print(estimate, places),
    )


@register.filter
def value(estimate: Estimate | None, places: int = 2) -> str:
    """The figure alone, for a sentence."""
    return DASH if estimate is None or estimate.value is None else fixed(estimate.value, places)


@register.filter
def signed(estimate: Estimate | None, places: int = 2) -> str:
    """A difference alone, with its sign: +0.03."""
    text = value(estimate, places)
    return text if text.startswith((DASH, "−")) else f"+{text}"


@register.filter
def interval(estimate: Estimate | None, places: int = 2) -> str:
    """The interval alone, for a sentence: 0.68–0.75, or −0.08 to 0.01."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return DASH
    if estimate.low < 0:  # a dash between minus signs cannot be read
        return _("%(low)s to %(high)s") % bounds(estimate, places)
    return f"{fixed(estimate.low, places)}–{fixed(estimate.high, places)}"


@register.filter
def rate(estimate: Estimate | None) -> SafeString | str:
    """A share in per cent: 13 %, and small beside it 9–19 %, n 159."""
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return DASH
    return format_html(
        '<span class="num">{} %</span><br><small class="num">{}–{} %, n {}</small>',
        *(f"{100 * share:.0f}" for share in (estimate.value, estimate.low, estimate.high)),
        intcomma(estimate.n),
    )


@register.filter
def money(amount: Decimal | None) -> str:
    return DASH if amount is None else f"{amount:,.2f}"


def bounds(estimate: Estimate, places: int) -> dict[str, str]:
    return {"low": fixed(estimate.low or 0.0, places), "high": fixed(estimate.high or 0.0, places)}


def small_print(estimate: Estimate, places: int) -> str:
    counted = f"n {intcomma(estimate.n)}"
    return counted if estimate.low is None else f"{interval(estimate, places)}, {counted}"


def fixed(number: float, places: int) -> str:
    """Decimals with a true minus sign; −0.00 is 0.00."""
    text = f"{number:.{places}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{places}f}"
