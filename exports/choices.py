"""What can be chosen at an export: the same for every format, kept with a snapshot.

One dataclass is the truth: the command's options, the HTTP parameters, the dashboard's form and
the manifest are derived from its fields.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from exports.problems import BadChoice

MAX_ROWS_PER_PROMPT = 10_000


def one_of(*values: str, help: str) -> Any:
    return field(default=values[0], metadata={"values": values, "help": help})


def free(default: Any, help: str, *, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The choices, at their defaults: every live, decided preference, texts unchanged, explicit prompt."""

    aspect: str = free("", "only this aspect; empty: the project's main aspect where it has several")
    consensus: str = free("", "the method that settles before a live export; empty: the project's")
    labels: str = one_of(
        "settled",
        "human",
        "ai",
        "fused",
        help="as the project settles, people's alone, the judge's alone, or a posterior from both",
    )
    source: str = one_of("any", "human", "ai", "fused", help="keep only what such labels settled")
    prompt: str = one_of("explicit", "implicit", help="the prompt as a column, or inside chosen and rejected")
    ties: str = one_of(
        "drop", "soft", "both", help="drop ties, keep them once as soft labels, or write both ways"
    )
    undecided: str = one_of("drop", "keep", help="instances whose raters diverge without a majority")
    min_margin: float = free(0.0, "the least margin", low=0.0)
    min_agreement: float = free(0.0, "the least agreement among the raters", low=0.0, high=1.0)
    pairs: str = one_of(
        "best-worst", "all", "adjacent", "best-random", help="which pairs a ranking or a set of ratings gives"
    )
    pairs_per_prompt: int = free(
        0, "the most pairs from one prompt; 0: no cap", low=0, high=MAX_ROWS_PER_PROMPT
    )
    tokenizer: str = free(
        "", "of a model in the models folder or on the hub (command line: or a folder's path)"
    )
    max_tokens: int = free(0, "the most tokens of prompt and longer response; 0: no limit", low=0)
    language: str = free("", "only instances in this language (metadata `language`)")
    where: str = free("", "only instances whose metadata say so: key=value, comma separated")
    deduplicate: bool = free(False, "write equal prompt, chosen and rejected once")
    identical: str = one_of("keep", "drop", help="pairs of two equal texts, which teach a trainer nothing")
    balance: str = one_of("none", "length", "position", help="thin out the more frequent kind of pair")
    order: str = one_of("instance", "easy-first", "hard-first", help="a curriculum by margin, or as imported")
    half: str = one_of("whole", "easy", "hard", help="the half with the larger or the smaller margins (MPO)")
    splits: str = free("", "shares by prompt group, such as train=0.9,validation=0.05,test=0.05")
    secrets: str = one_of("keep", "drop", "mask", help="rows that hold a key, a token or a password")
    personal: str = one_of("keep", "drop", "mask", help="rows that hold an e-mail address, a phone number …")
    threshold: float = free(
        0.0, "trl-unpaired: good at or above this share of the scale; 0: strict evidence", low=0.0, high=1.0
    )
    seed: int = free(0, "of everything that is drawn", low=0)

    def __post_init__(self) -> None:
        for spec in fields(self):
            _check(spec, getattr(self, spec.name))
        self.split_shares()
        self.conditions()

    def split_shares(self) -> dict[str, float]:
        """The splits' shares, {} when there are none: "train=0.9,test=0.1" -> {"train": 0.9, "test": 0.1}."""
        shares = {name: _share(value) for name, value in _assignments(self.splits, "splits").items()}
        if shares and abs(sum(shares.values()) - 1) > 1e-6:
            raise BadChoice(
                f"The splits' shares add up to {sum(shares.values()):g}, not to 1.", choice="splits"
            )
        return shares

    def conditions(self) -> dict[str, str]:
        """The metadata that an instance must have: "domain=code" -> {"domain": "code"}."""
        return _assignments(self.where, "where")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def changed(self) -> dict[str, Any]:
        """Those that differ from the default, for the manifest and the card."""
        return {
            spec.name: value for spec in fields(self) if (value := getattr(self, spec.name)) != spec.default
        }


def parse_choices(given: Mapping[str, Any], *, paths: bool = False) -> Choices:
    """The choices from strings (a command line, a query, a form) or JSON values; raises `BadChoice`.

    With `paths` (the command line) the tokenizer may be any folder of this machine; else it is a name.

    >>> parse_choices({"ties": "soft", "min_margin": "0.5"}).min_margin
    0.5
    """
    known = {spec.name: spec for spec in fields(Choices)}
    values = {}
    for key, value in given.items():
        name = key.replace("-", "_")
        if name not in known:
            raise BadChoice(f"There is no choice named {key!r}.{_hint(name, known)}", choice=key)
        values[name] = _read(known[name], value)
    if not paths and str(values.get("tokenizer", "")).startswith(("/", ".", "~")):
        raise BadChoice("A tokenizer is named here; a path is for the command line.", choice="tokenizer")
    return Choices(**values)


def _read(spec: Any, value: Any) -> Any:
    """`value` in the type of the field's default; raises `BadChoice`."""
    wanted = type(spec.default)
    if isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
        return value
    text = str(value).strip().lower() if wanted is bool else str(value)
    if wanted is bool and text in BOOLEANS:
        return BOOLEANS[text]
    try:
        if wanted is bool:
            raise ValueError(text)
        return wanted(text)
    except ValueError as error:
        raise BadChoice(f"{spec.name} must be {WORDS[wanted]}, not {value!r}.", choice=spec.name) from error


BOOLEANS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "": False,
}
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _check(spec: Any, value: Any) -> None:
    allowed, low, high = (spec.metadata.get(key) for key in ("values", "low", "high"))
    if allowed and value not in allowed:
        hint = _hint(value, allowed)
        raise BadChoice(f"{spec.name} cannot be {value!r}.{hint}", choice=spec.name, allowed=list(allowed))
    if isinstance(value, float) and value != value:
        raise BadChoice(f"{spec.name} must be a number, not NaN.", choice=spec.name)
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"between {low:g} and {high:g}" if high is not None else f"at least {low:g}"
        raise BadChoice(f"{spec.name} must be {bounds}, not {value}.", choice=spec.name)


def _hint(name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."


def _assignments(text: str, choice: str) -> dict[str, str]:
    """ "a=1,b=2" -> {"a": "1", "b": "2"}; raises `BadChoice`."""
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise BadChoice(f"{choice} must read name=value,name=value, not {text!r}.", choice=choice)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError as error:
        raise BadChoice(f"A split's share must be a number, not {text!r}.", choice="splits") from error
    if not 0 < share <= 1:
        raise BadChoice(f"A split's share must lie in (0, 1], not {text}.", choice="splits")
    return share
