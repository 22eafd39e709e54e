"""Does `defer` hold on sets that nobody looked at? Many variations of the real sets, family by family.

    OMP_NUM_THREADS=1 .venv/bin/python bench/replay_unseen.py

replays `random`, `uncertainty`, `length_gap`, `defer` and both single sources on every judge that the sets carry and
on variations of them: other judges hidden, no model names, no shared responses, few instances, no ties, texts that
say nothing, one or two people a pair, and judges planted on people's votes (weak, strong, biased, random, contrary).
Choices between designs were made by what is best over the other families. It writes bench/unseen.md.
"""

import argparse
import pickle
import platform
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sown import worlds

from routing.features.lengths import length_gap
from routing.policies import POLICIES
from routing.policies.base import Policy
from routing.policies.oracle import NO_GOLD
from routing.questions import text_codes
from routing.replay import area, run_policy, take, world
from routing.table import Floats, Ints, People, Table

BUDGETS = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
RIVALS = ("random", "uncertainty", "length_gap")
NAMES = (*RIVALS, "all_human", "all_ai", "defer")
ALLOWED = 0.02  # below a rival at some budget
KEPT = ROOT / "bench" / ".replay"
World = tuple[Table, People]
Change = Callable[[Table, People, np.random.Generator], World]


@dataclass(frozen=True)
class Case:
    """A pseudo-unseen set: its family, the judged set that it starts from, and what is changed in each seed."""

    family: str
    name: str
    base: tuple[str, str]
    changes: tuple[Change, ...] = ()
    size: int | None = None  # drawn anew in each seed
    seeds: int = 4

    def build(self, bases: dict[tuple[str, str], World], seed: int) -> World:
        table, people = bases[self.base]
        rng = np.random.default_rng([seed, zlib.crc32(f"{self.family} {self.name}".encode())])
        for change in self.changes:
            table, people = change(table, people, rng)
        if self.size is not None and self.size < table.size:
            table, people = narrow(table, people, np.sort(rng.permutation(table.size)[: self.size]))
        return table, people


# ---------------------------------------------------------------- changes


def narrow(table: Table, people: People, keep: Ints) -> World:
    """The pairs `keep`, and nothing left of the texts and models of the others."""
    code = np.full(table.size, -1, dtype=np.int64)
    code[keep] = np.arange(len(keep))
    inside = code[people.pair] >= 0
    people = filtered(replace(people, pair=code[people.pair]), inside)
    table = take(table, keep)
    prompts, prompt = np.unique(table.prompt, return_inverse=True)
    responses, pair = np.unique(table.pair, return_inverse=True)
    table = replace(
        table,
        prompts=tuple(table.prompts[row] for row in prompts),
        prompt=prompt,
        responses=tuple(table.responses[row] for row in responses),
        pair=pair.reshape(-1, 2),
        model_of=table.model_of[responses],
    )
    return table, people


def filtered(people: People, rows: Ints) -> People:
    return replace(
        people,
        pair=people.pair[rows],
        rater=people.rater[rows],
        verdict=people.verdict[rows],
        scores=people.scores[rows],
    )


def only_judge(table: Table, people: People, rng: np.random.Generator) -> World:
    """The standing judge alone."""
    row = [table.standing]
    return (
        replace(
            table,
            judges=(table.judges[table.standing],),
            verdict=table.verdict[row],
            probability=table.probability[row],
            consistent=table.consistent[row],
            standing=0,
            cache={},
        ),
        people,
    )


def nameless(table: Table, people: People, rng: np.random.Generator) -> World:
    """No response says which model wrote it."""
    return replace(table, models=(), model_of=np.full_like(table.model_of, -1), cache={}), people


def alone(table: Table, people: People, rng: np.random.Generator) -> World:
    """Pairs that share no response: a random matching."""
    codes, keep = text_codes(table)[table.pair], []
    met: set[int] = set()
    for row in rng.permutation(table.size):
        a, b = codes[row].tolist()
        if not {a, b} & met:
            met |= {a, b}
            keep.append(row)
    return narrow(table, people, np.sort(np.array(keep)))


def one_a_prompt(table: Table, people: People, rng: np.random.Generator) -> World:
    """One pair a prompt."""
    order = rng.permutation(table.size)
    _, first = np.unique(table.prompt[order], return_index=True)
    return narrow(table, people, np.sort(order[first]))


def without_ties(table: Table, people: People, rng: np.random.Generator) -> World:
    """No tie of the standing judge, and none of people."""
    people = filtered(people, people.verdict != 0)
    held = np.zeros(table.size, dtype=bool)
    held[people.pair] = True
    return narrow(table, people, np.flatnonzero(held & (table.ai != 0)))


def blank(table: Table, people: People, rng: np.random.Generator) -> World:
    """Texts of one length that say nothing, each response still itself."""
    return (
        replace(
            table,
            prompts=tuple(f"question {row:05d}" for row in range(len(table.prompts))),
            responses=tuple(f"answer {code:05d}" for code in text_codes(table)),
            cache={},
        ),
        people,
    )


def two_people(table: Table, people: People, rng: np.random.Generator) -> World:
    """At most two labels a pair: gold is one other person."""
    order = np.lexsort((rng.random(len(people.pair)), people.pair))
    pair = people.pair[order]
    place = np.arange(len(pair)) - np.searchsorted(pair, pair)
    return table, filtered(people, np.sort(order[place < 2]))


def popular(people: People, size: int) -> Floats:
    """People's mean verdict on each pair (n,)."""
    return np.bincount(people.pair, weights=people.verdict, minlength=size) / np.maximum(
        np.bincount(people.pair, minlength=size), 1
    )


@dataclass(frozen=True)
class Planted:
    """A judge that follows people's mean verdict, length, position and chance."""

    follows: float = 1.0
    length: float = 0.0
    position: float = 0.0
    noise: float = 0.5
    tie: float = 0.15
    sure: bool = False  # whether it gives probabilities
    keeps: bool = False  # whether the judges that were there stay, as others

    def __call__(self, table: Table, people: People, rng: np.random.Generator) -> World:
        lean = self.follows * popular(people, table.size) + self.length * length_gap(table)
        lean = lean + self.position + self.noise * rng.normal(size=table.size)
        verdict = np.where(np.abs(lean) < self.tie, 0.0, np.sign(lean))[None]
        chance = 1 / (1 + np.exp(-3 * lean[None])) if self.sure else np.full_like(verdict, np.nan)
        empty = np.full_like(verdict, np.nan)
        rest = slice(None) if self.keeps else slice(0)
        return (
            replace(
                table,
                judges=("planted", *(table.judges[rest])),
                verdict=np.vstack([verdict, table.verdict[rest]]),
                probability=np.vstack([chance, table.probability[rest]]),
                consistent=np.vstack([empty, table.consistent[rest]]),
                standing=0,
                cache={},
            ),
            people,
        )


WEAK = Planted(follows=0.4, length=0.3, noise=1.0)
STRONG = Planted(follows=1.0, noise=0.25)
GOOD = Planted(follows=1.0, noise=0.6)
LONG = Planted(follows=0.5, length=1.2, noise=0.3)
FIRST = Planted(follows=0.6, position=-0.5, noise=0.4)
CHANCE = Planted(follows=0.0, noise=1.0)
AGAINST = Planted(follows=-1.0, noise=0.5)
TIES = Planted(follows=1.0, noise=0.3, tie=0.8)
SURE = Planted(follows=1.0, noise=0.6, sure=True)
COMMITTEE: tuple[Change, ...] = (GOOD, replace(WEAK, keeps=True), replace(LONG, keeps=True))

MT, PANDA, CODE, UKP, SOWN = FAMILIES = ("mtbench", "pandalm", "conala_code", "ukp_convarg", "planted")
GPT4, GPT35, NOREF = "gpt-4/mt-bench-pair", "gpt-3.5-turbo", "gpt-3.5-turbo/no_step_no_ref"
PLAIN: dict[str, tuple[Change, ...]] = {
    "as it is": (),
    "one judge": (only_judge,),
    "no names": (nameless,),
    "one judge, no names": (only_judge, nameless),
    "nothing shared": (alone,),
    "nothing shared, one judge, no names": (alone, only_judge, nameless),
    "no ties": (without_ties,),
    "blank texts": (blank,),
    "chance judge": (CHANCE,),
    "strong judge": (STRONG,),
}


def cases() -> Iterator[Case]:
    """Every pseudo-unseen set."""
    for family, judge in ((MT, GPT4), (PANDA, GPT35)):
        for name, changes in PLAIN.items():
            yield Case(family, name, (family, judge), changes)
        for size, seeds in ((100, 16), (300, 8)):
            yield Case(family, f"{size} pairs", (family, judge), size=size, seeds=seeds)
        yield Case(family, "two people", (family, judge), (two_people,))
    for judge in ("gpt-4/vanilla-norules", "palm-2/metrics-reference", "llama-2-70b-chat/vanilla-norules"):
        yield Case(MT, judge, (MT, judge), seeds=12)
    yield Case(MT, "chatgpt-0613 alone", (MT, "chatgpt-0613/vanilla-norules"), (only_judge,), seeds=12)
    yield Case(PANDA, "pandalm-7b", (PANDA, "pandalm-7b"))
    yield Case(PANDA, "pandalm-7b, one judge, no names", (PANDA, "pandalm-7b"), (only_judge, nameless))
    for config in ("no_step_no_ref", "no_step_with_ref", "with_step_no_ref", "with_step_with_ref"):
        yield Case(CODE, config, (CODE, f"gpt-3.5-turbo/{config}"), size=1000)
    for name in ("one judge, no names", "nothing shared, one judge, no names", "blank texts", "chance judge"):
        yield Case(CODE, name, (CODE, NOREF), PLAIN[name], size=1000)
    yield Case(CODE, "one pair a prompt", (CODE, NOREF), (one_a_prompt,))
    yield Case(CODE, "300 pairs", (CODE, NOREF), size=300, seeds=8)
    planted = {"weak": WEAK, "good": GOOD, "strong": STRONG, "long": LONG, "first": FIRST}
    planted |= {"chance": CHANCE, "contrary": AGAINST, "many ties": TIES, "with probabilities": SURE}
    for name, plant in planted.items():
        yield Case(UKP, name, (UKP, ""), (plant,))
    yield Case(UKP, "committee", (UKP, ""), COMMITTEE)
    for name in ("weak", "good", "strong"):
        yield Case(UKP, f"{name}, nothing shared", (UKP, ""), (alone, planted[name]))
    yield Case(UKP, "good, 200 pairs", (UKP, ""), (GOOD,), size=200, seeds=12)
    yield Case(UKP, "good, no ties", (UKP, ""), (GOOD, without_ties))
    for name, sown in worlds().items():
        yield Case(SOWN, name, (UKP, ""), (sown,))


# ---------------------------------------------------------------- replaying


def replayed(
    case: Case, bases: dict[tuple[str, str], World], policies: Mapping[str, Callable[[], Policy]]
) -> dict[str, Floats]:
    """Agreement of each policy: name to (seeds, budgets)."""
    found: dict[str, list[list[float]]] = {name: [] for name in policies}
    table, people = case.build(bases, 0)
    for seed in range(case.seeds):
        if seed and (case.changes or case.size):
            table, people = case.build(bases, seed)
        drawn = world(people, table.size, seed=seed)
        held = drawn.gold != NO_GOLD
        for name, make in policies.items():
            states = run_policy(make(), table, drawn, seed=seed, budgets=BUDGETS).states
            found[name].append([float((state.settled == drawn.gold)[held].mean()) for state in states])
    return {name: np.array(rows) for name, rows in found.items()}


def bases() -> dict[tuple[str, str], World]:
    """The real sets under each of their judges, read once and kept; people alone under the judge ''."""
    form = zlib.crc32(" ".join(field.name for field in fields(Table)).encode())
    path = KEPT / f"bases-{form:08x}.pkl"  # pickles of a table do not outlive a change of its fields
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(read_bases()))
    found = pickle.loads(path.read_bytes())  # noqa: S301 - written by this script
    assert isinstance(found, dict)
    return found


def read_bases() -> dict[tuple[str, str], World]:
    import replay_tables  # noqa: PLC0415 - sets up Django, which the replays here do without

    from ledger.models import Rater  # noqa: PLC0415
    from routing.loading import as_table, find_aspect, judges_of, load, read_pairs, read_people
    from routing.replay import replayable

    found = {}
    for name in (MT, PANDA, CODE):
        project = replay_tables.project(name)
        for judge in judges_of(find_aspect(project)):
            loaded = load(project, judge=judge.name)
            found[name, judge.name] = replayable(loaded.table, loaded.people)
    project = replay_tables.project(UKP)
    aspect = find_aspect(project)
    pairs = read_pairs(project, pairwise=True)

    nobody = Rater(pk=-1, name="")
    found[UKP, ""] = as_table(project, pairs, [nobody], nobody, aspect), read_people(pairs, aspect)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=FAMILIES)
    parser.add_argument("--seeds", type=int, help="at most so many of each case")
    parser.add_argument("--table", action="store_true", help="write the table from what is kept")
    options = parser.parse_args()
    if not options.table:
        held = bases()
        with threadpool_limits(1):
            for case in cases():
                if options.family in (None, case.family):
                    case = replace(case, seeds=min(case.seeds, options.seeds or case.seeds))
                    keep(case, replayed(case, held, {name: POLICIES.load(name) for name in NAMES}))
    (ROOT / "bench" / "unseen.md").write_text(table(), encoding="utf-8")


def kept(family: str) -> dict[str, dict[str, Floats]]:
    """The agreements that were replayed, by case."""
    path = KEPT / f"unseen-{family}.pkl"
    return pickle.loads(path.read_bytes()) if path.exists() else {}  # noqa: S301 - written by this script


def keep(case: Case, found: dict[str, Floats]) -> None:
    """Adds a case's agreements to what is kept."""
    path = KEPT / f"unseen-{case.family}.pkl"
    path.write_bytes(pickle.dumps(kept(case.family) | {case.name: found}))
    print(row(case.family, case.name, found), flush=True)


HEAD = """# `defer` on variations of the sets

Gain in area over `random`; the best gain of `uncertainty` and `length_gap` there; where `defer` lies furthest below \
each rival over the budgets, ± one standard error of that difference over the seeds (the least of seven noisy \
differences is below zero by chance alone); and, with the whole budget open, `defer` less the better single source. \
Small sets are drawn anew in every seed.

{cases} cases; mean gain over `random` {gain:+.3f}, below zero in {below}. Machine: {machine}. Reproduce: \
`OMP_NUM_THREADS=1 .venv/bin/python bench/replay_unseen.py --seeds 3`; cases with fewer seeds than three, and those \
that are not in the table, were cut short for want of time.

Further than {allowed} below in the mean at some budget:

{shortfalls}

What the data show of these: where no response is met twice and nobody is asked twice, one label a pair says nothing \
of how reliable people are, nor do other judges, who err together. `defer` takes people to be a little better than in \
the mean of the public sets: that is too little for people as sure as pandalm's (the whole budget ends below them, and \
so below every policy that asks them all), and too much where a planted judge is far above one person. `length_gap` \
peaks at half the budget on mtbench, where it has asked about every verdict against length and about half of the ties; \
with one judge `defer` stays behind it there, and ahead at most other budgets. Sets of 100 pairs hold too few labels \
to learn from. What other opinions of people would give is in bench/constants.md.

| set | case | seeds | all AI | all human | gain | best rival | furthest below random | below uncertainty \
| below length_gap | whole budget |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def table() -> str:
    """What is kept, case by case, under where `defer` falls short."""
    found = [(family, name, each) for family in FAMILIES for name, each in kept(family).items()]
    gaps = [area(each["defer"] - each["random"], BUDGETS).mean() for _family, _name, each in found]
    machine = f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    head = HEAD.format(
        cases=len(found), gain=np.mean(gaps), below=sum(gap < 0 for gap in gaps), machine=machine,
        allowed=ALLOWED, shortfalls="\n".join(shortfalls(found)),
    )  # fmt: skip
    return head + "".join(f"{row(*each)}\n" for each in found)


def shortfalls(found: list[tuple[str, str, dict[str, Floats]]]) -> Iterator[str]:
    """A line for each rival, with the cases in which `defer` lies further below it than is allowed."""
    for rival in RIVALS:
        yield listed(rival, [case for case in found if lowest(case[2], rival) < -ALLOWED])
    short = [case for case in found if at_whole_budget(case[2]) < -ALLOWED]
    yield listed("the better single source, whole budget", short)


def listed(rival: str, cases: list[tuple[str, str, dict[str, Floats]]]) -> str:
    return f"- {rival}: {'; '.join(f'{family} {name}' for family, name, _each in cases) or 'nowhere'}"


def lowest(found: dict[str, Floats], rival: str) -> float:
    """The lowest mean difference of `defer` and a rival over the budgets."""
    return float((found["defer"] - found[rival]).mean(axis=0).min())


def at_whole_budget(found: dict[str, Floats]) -> float:
    """`defer` with the whole budget open, less the better single source."""
    return float(
        found["defer"][:, -1].mean() - max(found[each][:, -1].mean() for each in ("all_ai", "all_human"))
    )


def row(family: str, name: str, found: dict[str, Floats]) -> str:
    """One case's line; every array is (seeds, budgets)."""
    mean = {policy: values.mean(axis=0) for policy, values in found.items()}
    gains = {rival: float(area(mean[rival] - mean["random"], BUDGETS)) for rival in (*RIVALS, "defer")}
    best = max(gains[rival] for rival in RIVALS)
    below = " | ".join(furthest(found["defer"] - found[rival]) for rival in RIVALS)
    return (
        f"| {family} | {name} | {len(found['defer'])} | {mean['all_ai'][0]:.3f} | {mean['all_human'][-1]:.3f} | "
        f"{gains['defer']:+.3f} | {best:+.3f} | {below} | {at_whole_budget(found):+.3f} |"
    )


def furthest(gaps: Floats) -> str:
    """The lowest mean difference over the budgets, with its standard error: gaps (S, B)."""
    place = int(gaps.mean(axis=0).argmin())
    error = gaps[:, place].std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else float("nan")
    return f"{gaps[:, place].mean():+.3f} ± {error:.3f}"


if __name__ == "__main__":
    main()
