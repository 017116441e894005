"""Parameters made from a JSON Schema, fitting and not."""

from datetime import date

import pytest

from guanjia.lines.conformance.samples import Misfit, fitting, misfits

TODAY = date(2026, 11, 1)


def form(*required, **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"const": 7}, 7),
        ({"type": "string", "examples": ["AB-1"], "pattern": "^AB"}, "AB-1"),
        ({"type": "string", "default": "red"}, "red"),
        ({"enum": ["s", "m"]}, "s"),
        ({"type": "string"}, "check"),
        ({"type": "string", "minLength": 8}, "checkxxx"),
        ({"type": "string", "maxLength": 3}, "che"),
        ({"type": "string", "format": "date"}, "2026-12-01"),
        ({"type": "string", "format": "date-time"}, "2026-12-01T10:00:00Z"),
        ({"type": "string", "format": "email"}, "check@example.com"),
        ({"type": "string", "format": "time"}, "10:00:00Z"),
        ({"type": "string", "format": "uuid"}, "0b9f2f6a-6f0e-4c84-9d5a-0a4f0b1c2d3e"),
        ({"type": "string", "format": "in-house"}, "check"),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "null"}, None),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": 0}, -1),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "number", "minimum": 0.5}, 1),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        (
            {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
            [1, 2, 3],
        ),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True},
            ["check", "check2"],
        ),
        (
            {"type": "array", "items": {"enum": [5, 6]}, "minItems": 2, "uniqueItems": True},
            [5, 6],
        ),
        ({"type": "array", "prefixItems": [{"const": "x"}, {"type": "integer"}]}, ["x", 1]),
        (form("b", a={"type": "string"}, b={"type": "boolean"}), {"b": True}),
        ({"anyOf": [{"type": "string", "minLength": 9}, {"type": "integer"}]}, "checkxxxx"),
        ({"allOf": [form("a", a={"const": 1}), form("b", b={"const": 2})]}, {"a": 1, "b": 2}),
        (True, "check"),
    ],
)
def test_a_field_gets_a_value_that_fits(field, value):
    assert fitting(form("field", field=field), TODAY) == {"field": value}


def test_optional_fields_are_left_out():
    assert fitting(form(day={"type": "string"}), TODAY) == {}


def test_the_examples_of_the_whole_form_come_first():
    schema = form("sku", sku={"type": "string", "pattern": "^[A-Z]-[0-9]$"})
    assert fitting({**schema, "examples": [{"sku": "A-1"}]}, TODAY) == {"sku": "A-1"}
    assert fitting({**schema, "examples": [{"sku": "none"}]}, TODAY) is None


def test_local_references_are_followed():
    schema = {**form("a", a={"$ref": "#/$defs/x~1y"}), "$defs": {"x/y": {"const": 3}}}
    assert fitting(schema, TODAY) == {"a": 3}


def test_one_branch_of_a_choice_is_taken():
    branches = [{"required": ["a"]}, {"required": ["b"]}]
    schema = {**form(a={"const": 1}, b={"const": 2}), "oneOf": branches}
    assert fitting(schema, TODAY) == {"a": 1}


@pytest.mark.parametrize(
    "schema",
    [
        form("sku", sku={"type": "string", "pattern": "^[A-Z]-[0-9]$"}),
        form("a", a=False),
    ],
    ids=["a pattern", "a field that cannot be"],
)
def test_what_cannot_be_made_is_not(schema):
    assert fitting(schema, TODAY) is None


def test_each_misfit_spoils_one_member():
    schema = form("day", "n", day={"type": "string", "format": "date"}, n={"minimum": 0})
    found = misfits(schema, {"day": "2026-12-01", "n": 1})
    assert found == [
        Misfit("/day", {"n": 1}),
        Misfit("/n", {"day": "2026-12-01"}),
        Misfit("/day", {"day": [{"lp1": "check"}], "n": 1}),
        Misfit("/day", {"day": "!", "n": 1}),
        Misfit("/day", {"day": -1_000_000_007, "n": 1}),
        Misfit("/n", {"day": "2026-12-01", "n": -1_000_000_007}),
    ]


def test_a_member_with_odd_characters_has_an_escaped_pointer():
    (first, *_) = misfits(form("a/b~c"), {"a/b~c": 1})
    assert first.field == "/a~1b~0c"


def test_a_schema_that_accepts_everything_has_no_misfits():
    assert misfits({"type": "object"}, {}) == []
