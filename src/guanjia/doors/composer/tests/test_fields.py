"""Fields from a JSON Schema, and parameters from what was typed."""

import pytest

from guanjia.base.errors import FieldError
from guanjia.doors.composer.fields import blame, fields_of, fill, homeless, leaves, params_of, placed
from guanjia.packages.composition import Typed

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date", "x-titles": {"zh-Hans": "日期", "en": "Day"}},
        "shop": {"type": "string", "x-fact": "shop_name"},
        "note": {"type": "string", "maxLength": 500, "description": "给业务线看"},
        "boxes": {"type": "integer", "minimum": 1, "maximum": 500},
        "share": {"type": ["number", "null"]},
        "cold": {"type": "boolean", "default": True},
        "size": {"enum": ["S", "M", 3]},
        "city": {"enum": ["a", "b", "c", "d", "e"]},
        "skus": {"type": "array", "items": {"type": "integer"}},
        "days": {"type": "array", "items": {"enum": ["Mon", "Tue"]}},
        "who": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "more": {"type": "object"}},
        },
        "odd/one": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    },
    "required": ["day", "boxes"],
}


def named(fields):
    return {leaf.path: leaf for leaf in leaves(fields)}


def test_every_kind_of_schema_has_a_field_of_its_own():
    fields = named(fields_of(SCHEMA, {}))
    assert {path: field.kind for path, field in fields.items()} == {
        "/day": "date",
        "/shop": "text",
        "/note": "long",
        "/boxes": "integer",
        "/share": "number",
        "/cold": "flag",
        "/size": "radios",
        "/city": "choice",
        "/skus": "list",
        "/days": "many",
        "/who/name": "text",
        "/who/more": "json",
        "/odd~1one": "json",
    }
    assert (fields["/day"].label, fields["/shop"].label) == ("日期", "shop")
    assert [path for path, field in fields.items() if field.required] == ["/day", "/boxes", "/who/name"]
    assert (fields["/boxes"].help, fields["/note"].help) == ("1 到 500", "给业务线看")
    assert fields["/cold"].value == "1"


def test_a_known_fact_is_filled_in_and_says_so_until_it_is_changed():
    fields = fields_of(SCHEMA, {"shop_name": "云栖女装"})
    assert (named(fields)["/shop"].value, named(fields)["/shop"].known) == ("云栖女装", True)
    assert named(fill(fields, {"/shop": "云栖女装"}))["/shop"].known
    assert not named(fill(fields, {"/shop": "别家"}))["/shop"].known


def test_what_was_typed_becomes_parameters_and_what_was_not_is_left_out():
    typed: Typed = {
        "/day": " 2026-12-01 ",
        "/boxes": "1,200",
        "/share": "0.5",
        "/cold": "",
        "/size": "3",
        "/skus": "7\n\n8 ",
        "/days": ["Tue"],
        "/who/name": "王",
        "/odd~1one": '"x"',
        "/note": "",
    }
    params, errors = params_of(fill(fields_of(SCHEMA, {}), typed))
    assert errors == []
    assert params == {
        "day": "2026-12-01",
        "boxes": 1200,
        "share": 0.5,
        "cold": False,
        "size": 3,
        "skus": [7, 8],
        "days": ["Tue"],
        "who": {"name": "王"},
        "odd/one": "x",
    }


@pytest.mark.parametrize("typed", ["many", "inf", "nan", "1e999", "9" * 5000])
def test_what_is_no_number_stays_as_it_was_typed_for_the_schema_to_refuse(typed):
    params, _ = params_of(fill(fields_of(SCHEMA, {}), {"/boxes": typed}))
    assert str(params["boxes"]) == typed


def test_json_that_is_none_is_told_at_its_field():
    fields = fill(fields_of(SCHEMA, {}), {"/odd~1one": "{"})
    _, errors = params_of(fields)
    assert errors == [FieldError("/odd~1one", "odd/one", "不是合法的 JSON")]
    assert named(blame(fields, errors))["/odd~1one"].error == "不是合法的 JSON"


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"properties": {"a": {}}, "required": ["b"]},
        {"properties": {"a": True}},
        {"$ref": "#/$defs/x", "$defs": {"x": {}}},
    ],
)
def test_a_schema_that_fields_cannot_show_is_filled_in_as_a_whole(schema):
    [field] = fields_of(schema, {})
    assert (field.kind, field.path) == ("json", "")
    assert params_of(fill([field], {"": '{"b": [1]}'})) == ({"b": [1]}, [])
    assert params_of(fill([field], {"": "[1]"})) == ({}, [FieldError("", "参数 (JSON)", "应为对象 {…}")])
    assert params_of(fill([field], {"": "{"}))[1] == [FieldError("", "参数 (JSON)", "不是合法的 JSON")]


def test_errors_find_their_field_and_the_rest_is_told_beside_the_item():
    fields = fields_of(SCHEMA, {})
    missing, deep, whole = (
        FieldError("/who", "who", "必填"),
        FieldError("/skus/1", "skus", "类型不对"),
        FieldError("", "服务", "没有这些字段：x"),
    )
    blamed = named(blame(fields, [missing, deep, whole]))
    assert {path: field.error for path, field in blamed.items() if field.error} == {
        "/skus": "类型不对",
        "/who/name": "必填",
    }
    assert homeless(fields, [missing, deep, whole]) == [whole]


def test_each_field_has_a_place_of_its_own_in_the_form():
    fields = leaves(placed(fields_of(SCHEMA, {}), "i7"))
    assert len({field.id for field in fields}) == len(fields)
    assert {field.input for field in fields} >= {"i7:/day", "i7*/days", "i7:/odd~1one"}
