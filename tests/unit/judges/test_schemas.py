"""The small JSON Schema checker agrees with the reference implementation wherever it answers at all."""

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.backends.schemas import UnknownKeyword, problems

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.sampled_from(["", "a", "ab", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])


def schemas(inner):
    return st.fixed_dictionaries(
        {},
        optional={
            "type": kinds,
            "enum": st.lists(values, min_size=1, max_size=3),
            "const": values,
            "minimum": st.integers(-3, 3),
            "exclusiveMaximum": st.integers(-3, 3),
            "minLength": st.integers(0, 2),
            "pattern": st.sampled_from(["a", "^b$"]),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "additionalProperties": inner | st.booleans(),
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "minProperties": st.integers(0, 2),
        },
    )


@settings(max_examples=300, deadline=None)
@given(value=values, schema=st.recursive(st.just({}), schemas, max_leaves=4))
def test_it_agrees_with_jsonschema(value, schema):
    assert (not problems(value, schema)) == jsonschema.Draft202012Validator(schema).is_valid(value)


def test_a_keyword_that_it_does_not_know_is_refused():
    with pytest.raises(UnknownKeyword):
        problems({}, {"patternProperties": {}})
