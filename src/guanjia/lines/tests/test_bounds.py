import pytest

from guanjia.lines.protocol.bounds import MAX_SIZE, check_size
from guanjia.lines.protocol.params import ParamsSchema


def test_a_reference_to_a_definition_is_followed():
    check_size({"type": "object", "properties": {"a": {"$ref": "#/$defs/day"}}, "$defs": {"day": {}}})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "allOf": [{"$ref": "#"}]},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {
            "type": "object",
            "anyOf": [{"$ref": "#/$defs/a"}],
            "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/a"}}},
        },
        {"type": "object", "properties": {"a": {"$ref": "https://example.org/schema"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/missing"}}},
    ],
)
def test_a_schema_that_refers_to_itself_or_elsewhere_is_refused(schema):
    with pytest.raises(ValueError, match=r"refer"):
        ParamsSchema(schema)


def test_references_that_multiply_are_refused_before_they_are_compiled():
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}
    schema = {"type": "object", "allOf": [{"$ref": "#/$defs/d0"}], "$defs": doubling | {"d60": {}}}
    with pytest.raises(ValueError, match=str(MAX_SIZE)):
        ParamsSchema(schema)
