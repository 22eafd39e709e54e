"""What a text names: numbers, addresses, identifiers of code, and capitalised names, found by their form.

HyPER asks spaCy's large model; here no model is needed, and the same text always names the same things. What a form
cannot tell is left out: a lone capitalised word that opens a sentence is a name only where it, or a longer name that it
begins, stands inside a sentence too, or where it is written like an acronym.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import dropwhile

import numpy as np

from routing.features.base import Block, standard
from routing.table import Floats, Table

ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>()\[\]\"']+|[\w.+-]+@\w[\w-]*(?:\.\w[\w-]*)+")
CODE = re.compile(
    r"(?<![\w.])(?:"
    r"[A-Za-z]\w*(?:\.[A-Za-z_]\w*)+(?:\(\))?"  # os.path.join, list.sort()
    r"|[A-Za-z_]\w*\(\)"  # main()
    r"|_*[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+"  # snake_case, MAX_SIZE
    r"|[a-z][a-z0-9]*(?:[A-Z][a-z0-9]+)+"  # camelCase
    r")"
)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:[.,:/]\d+)*%?")
PIECE = re.compile(r"[^\W\d_][\w'’-]*|\n|[^\w\s]")
OPENS = frozenset('.!?:;\n-*•#>"“”(|')  # after one of these, a capital may only mark a beginning
JOINS = frozenset(("of", "the", "de", "la", "von", "van", "der", "du", "da", "di", "del", "al"))
# Words that stand before a name and are no part of it.
LEADING = frozenset(
    "A An The This That These Those In On At By For From To Of With As And But Or So If When While Where After "
    "Before Since Because Although However Then There Here It He She They We You I Is Are Was Were Do Does Did Has "
    "Have Had Can Could Will Would Should Might Must Not No Yes My Your His Her Its Our Their What Who Which Why "
    "How Also Both Each Every Some Any All Most Many First Second Finally Dear".split()
)


def entities(text: str) -> frozenset[str]:
    """The distinct things that a text names, in lower case.

    >>> sorted(entities("The capital of France is Paris. Paris has 2,100,000 people, see www.paris.fr/en."))
    ['2,100,000', 'france', 'paris', 'www.paris.fr/en']
    >>> sorted(entities("Running is healthy. Call os.path.join or use my_list in the United States of America."))
    ['my_list', 'os.path.join', 'united states of america']
    """
    found: set[str] = set()

    def take(match: re.Match[str]) -> str:
        found.add(match[0].rstrip(".,:;!?").lower())
        return " , "  # no name reaches across

    for form in (ADDRESS, CODE, NUMBER):
        text = form.sub(take, text)
    return frozenset(found.union(name.lower() for name in names(text)))


def names(text: str) -> set[str]:
    """Capitalised names, of one word or several, as they are written."""
    inside: set[str] = set()
    opening: set[str] = set()
    for words, opens in runs(PIECE.findall(text)):
        kept = list(dropwhile(LEADING.__contains__, words))
        name = " ".join(kept)
        if len(name) < 2:
            continue
        marked = len(kept) > 1 or any(letter.isupper() for letter in name[1:])
        (opening if opens and kept == words and not marked else inside).add(name)
    known = inside | {name.split(" ", 1)[0] for name in inside}
    return inside | (opening & known)


def runs(pieces: list[str]) -> Iterator[tuple[list[str], bool]]:
    """Runs of capitalised words, with joining words between them, and whether each opens a sentence."""
    at = 0
    while at < len(pieces):
        if not pieces[at][0].isupper():
            at += 1
            continue
        end = after = at + 1
        while after < len(pieces) and (pieces[after][0].isupper() or pieces[after] in JOINS):
            after += 1
            end = after if pieces[after - 1][0].isupper() else end
        yield pieces[at:end], at == 0 or pieces[at - 1] in OPENS
        at = end


def overlap(table: Table) -> Floats:
    """Intersection over union of what both responses name (n,); 1 where neither names anything. Found once."""
    if "entities" not in table.cache:
        sets = [entities(text) for text in table.responses]
        either = [(sets[first] & sets[second], sets[first] | sets[second]) for first, second in table.pair]
        table.cache["entities"] = np.array(
            [len(both) / len(every) if every else 1.0 for both, every in either], dtype=float
        )
    found = table.cache["entities"]
    assert isinstance(found, np.ndarray)
    return found


def entity_overlap(table: Table) -> Block:
    return Block(even={"overlap": standard(overlap(table))})
