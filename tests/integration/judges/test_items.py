"""What an instance says about how to judge it reaches the judges as it stands."""

import pytest

from judges.loading import item_of
from tests.integration.judges.making import make_instance, make_project

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "read"),
    [(None, ()), ([], ()), ("", ()), ("Kind.", ("Kind.",)), (["Kind.", "Brief."], ("Kind.", "Brief."))],
)
def test_principles_are_as_many_as_the_instance_has(given, read):
    one = make_instance(make_project(), "i", "a", "b")
    one.context = {} if given is None else {"principles": given}
    assert item_of(one).principles == read


def test_the_context_is_read_whole():
    one = make_instance(make_project(), "i", "a", "b")
    one.context = {"system": "Be brief.", "reference": "a", "rubric": "It must rhyme.", "persona": "A poet."}
    item = item_of(one)
    assert (item.system, item.reference, item.rubric, item.persona) == tuple(one.context.values())
