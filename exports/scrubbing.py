"""Secrets and personal data in texts: found by shape, counted by kind, dropped or masked when that is chosen.

The patterns are those that the services publish for their own keys (GitHub, AWS, Slack, Google,
Stripe, OpenAI, PEM, JWT) and the usual shapes of addresses and numbers. Card numbers must pass Luhn's
check (ISO/IEC 7812-1, annex B), so that an order number is not one. A filter by shape misses names.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv4Address

Check = Callable[[str], bool]

SECRETS: dict[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "Stripe key": re.compile(r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}\b"),
    "API key": re.compile(r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_]{20,}\b"),
    "web token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:[^\s/:@]{3,100}@"),
}
PERSONAL: dict[str, re.Pattern[str]] = {
    "e-mail address": re.compile(r"\b[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b"),
    "card number": re.compile(r"(?<![\d.])[2-6](?:[ -]?\d){12,18}(?![\d.])"),
    "IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"),
    "phone number": re.compile(
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?)(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}(?!\w)|\(\d{3}\) ?\d{3}-\d{4}"
    ),
    "US social security number": re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
    "IP address": re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),
}
NOBODY = ("127.0.0.1", "0.0.0.0", "255.255.255.255")  # noqa: S104 - addresses in texts that name no one


def luhn(number: str) -> bool:
    """Whether the digits pass Luhn's check.

    >>> luhn("4111 1111 1111 1111"), luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(c) for c in number if c.isdigit()]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(number: str) -> bool:
    """Whether ISO 13616's remainder modulo 97 is 1."""
    text = number.replace(" ", "")
    return 15 <= len(text) <= 34 and int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def public_address(text: str) -> bool:
    """Whether the four numbers are an address that can belong to somebody."""
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return False
    return address.is_global and text not in NOBODY


CHECKS: dict[str, Check] = {"card number": luhn, "IBAN": iban, "IP address": public_address}


def found(text: str, patterns: dict[str, re.Pattern[str]]) -> Iterator[tuple[str, str]]:
    """(kind, match) of everything in `text` that has the shape of one of `patterns`."""
    for kind, pattern in patterns.items():
        check = CHECKS.get(kind)
        for match in pattern.finditer(text):
            if check is None or check(match[0]):
                yield kind, match[0]


def mask(text: str, patterns: dict[str, re.Pattern[str]]) -> tuple[str, list[str]]:
    """The text with every find replaced by its kind in brackets, and the kinds found.

    >>> mask("Write to ann@example.org.", PERSONAL)
    ('Write to [e-mail address].', ['e-mail address'])
    """
    kinds = []
    for kind, hit in list(found(text, patterns)):
        kinds.append(kind)
        text = text.replace(hit, f"[{kind}]")
    return text, kinds
