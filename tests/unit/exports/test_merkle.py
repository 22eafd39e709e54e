"""The Merkle root: RFC 6962's own definition, and that every row and every order counts."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from exports.merkle import EMPTY, Merkle, leaf, node, root_of

ROWS = st.lists(st.binary(max_size=20), max_size=70)


def rfc_6962(rows: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, written as the text has it."""
    if not rows:
        return sha256(b"").digest()
    if len(rows) == 1:
        return leaf(rows[0])
    k = 1
    while k * 2 < len(rows):
        k *= 2
    return node(rfc_6962(rows[:k]), rfc_6962(rows[k:]))


@given(ROWS)
def test_the_streamed_root_is_the_one_of_the_definition(rows):
    assert root_of(rows) == rfc_6962(rows).hex()


def test_known_answers_of_certificate_transparency():
    """The test vectors of Google's certificate-transparency: the tree over the first n of eight inputs."""
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for count, root in roots.items():
        assert root_of(map(bytes.fromhex, inputs[:count])) == root


@given(ROWS, st.data())
def test_changing_one_row_changes_the_root(rows, data):
    if rows:
        at = data.draw(st.integers(0, len(rows) - 1))
        changed = [*rows]
        changed[at] += b"!"
        assert root_of(changed) != root_of(rows)


def test_the_empty_tree():
    assert (Merkle().root(), Merkle().rows) == (EMPTY, 0)


@given(ROWS, st.lists(st.integers(0, 70)), st.integers(0, 70))
def test_rows_may_come_in_any_portions_and_a_tree_be_taken_up_again(rows, cuts, stop):
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut <= len(rows))})
    tree = Merkle()
    for start, end in zip(edges, edges[1:], strict=False):
        tree.extend(rows[start:end])
    begun = Merkle()
    begun.extend(rows[:stop])
    resumed = Merkle(begun.rows, begun.peaks)
    resumed.extend(rows[stop:])
    assert tree.root() == resumed.root() == rfc_6962(rows).hex()
    assert (tree.rows, resumed.rows) == (len(rows), len(rows))
