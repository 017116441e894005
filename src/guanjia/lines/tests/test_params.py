"""Parameters of a service: filled in from what is known, and refused in the reader's words."""

import pytest
from django.utils import translation

from guanjia.base.errors import FieldError
from guanjia.lines.models import Line, Service
from guanjia.lines.params import ERRORS_MOST, PARAMS_MOST, SchemaViolation, check, prefill

TITLES = {"zh-Hans": "首页展示位", "en": "Home page banner"}
SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date", "x-titles": {"zh-Hans": "日期", "en": "Day"}},
        "shop": {"type": "string", "maxLength": 5, "x-fact": "shop_name", "title": "Shop"},
        "boxes": {"type": "integer", "minimum": 1, "maximum": 9},
        "size": {"enum": ["S", "M"]},
        "tags": {
            "type": "array",
            "items": {"type": "string", "pattern": "^a+$", "title": "Tag"},
            "minItems": 1,
            "maxItems": 3,
            "uniqueItems": True,
        },
        "a/b~c": {"type": "integer"},
        "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "any": True,
    },
    "required": ["day"],
    "additionalProperties": False,
}
DAY = {"day": "2026-11-11"}


def service(schema=SCHEMA):
    return Service(line=Line(slug="display-slots"), code="banner", titles=TITLES, schema=schema)


def errors(params, schema=SCHEMA, language="zh-hans"):
    with translation.override(language), pytest.raises(SchemaViolation) as refusal:
        check(service(schema), params)
    return refusal.value.errors


# --- what is known ------------------------------------------------------------------------------


def test_known_facts_fill_in_what_was_not_given():
    facts = {"shop_name": "云栖女装", "city": "杭州"}
    assert prefill(service(), facts, DAY) == {"day": "2026-11-11", "shop": "云栖女装"}


def test_what_was_given_wins_over_what_is_known():
    assert prefill(service(), {"shop_name": "云栖女装"}, {"shop": "新店"}) == {"shop": "新店"}


def test_a_schema_without_properties_takes_what_was_given():
    assert prefill(service({"type": "object"}), {"shop_name": "x"}, DAY) == DAY


# --- what is wrong ------------------------------------------------------------------------------


def test_parameters_that_fit_pass():
    check(service(), DAY | {"shop": "云栖女装", "boxes": 9, "size": "S", "tags": ["a", "aa"], "share": 0.5})


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({}, FieldError("/day", "日期", "必填")),
        ({"day": "soon"}, FieldError("/day", "日期", "格式不对，应为 日期（年-月-日）")),
        ({"day": 11}, FieldError("/day", "日期", "类型不对，应为 一段文字")),
        (DAY | {"shop": "云栖女装杭州"}, FieldError("/shop", "Shop", "最多 5 个字")),
        (DAY | {"boxes": 0}, FieldError("/boxes", "boxes", "不能小于 1")),
        (DAY | {"boxes": 10}, FieldError("/boxes", "boxes", "不能大于 9")),
        (DAY | {"share": 0}, FieldError("/share", "share", "必须大于 0")),
        (DAY | {"share": 1}, FieldError("/share", "share", "必须小于 1")),
        (DAY | {"size": "L"}, FieldError("/size", "size", "只能是其中之一：S、M")),
        (DAY | {"tags": []}, FieldError("/tags", "tags", "至少 1 项")),
        (DAY | {"tags": ["a", "a"]}, FieldError("/tags", "tags", "不能有重复项")),
        (DAY | {"tags": ["a", "b"]}, FieldError("/tags/1", "tags › Tag", "写法不符合要求")),
        (DAY | {"a/b~c": "x"}, FieldError("/a~1b~0c", "a/b~c", "类型不对，应为 一个整数")),
        (DAY | {"colour": 1}, FieldError("", "首页展示位", "没有这些字段：colour")),
    ],
)
def test_each_wrong_field_is_named_as_people_call_it(params, error):
    assert errors(params) == (error,)


def test_labels_follow_the_readers_language():
    [error] = errors({}, language="en")
    assert (error.path, error.label) == ("/day", "Day")


def test_the_summary_says_which_service_and_what():
    with pytest.raises(SchemaViolation) as refusal:
        check(service(), {"boxes": 0})
    assert refusal.value.message == "“首页展示位”还不能提交。boxes：不能小于 1；日期：必填"
    assert (refusal.value.code, refusal.value.status) == ("schema_violation", 422)


def test_a_rule_we_have_no_words_for_is_still_named():
    [error] = errors({"n": 3}, {"type": "object", "properties": {"n": {"multipleOf": 2}}})
    assert (error.path, error.message) == ("/n", "3 is not a multiple of 2")


def test_the_list_of_errors_has_an_end():
    schema = {"type": "object", "required": [f"f{n}" for n in range(ERRORS_MOST + 5)]}
    assert len(errors({}, schema)) == ERRORS_MOST


# --- what cannot be sent ------------------------------------------------------------------------


def _nested(depth):
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "poison", ["a\x00b", {"a\x00": 1}, "\ud800", float("nan"), float("inf"), _nested(64), _nested(100_000)]
)
def test_what_no_line_could_read_is_refused_before_it_is_stored(poison):
    assert errors(DAY | {"any": poison}) == ()


def test_text_that_only_looks_like_an_escape_passes():
    check(service(), DAY | {"any": "\\u0000 \\ud800"})


def test_the_size_has_an_end():
    empty = len('{"params":{"any":""}}')
    schema = {"type": "object"}
    check(service(schema), {"any": "x" * (PARAMS_MOST - empty)})
    assert errors({"any": "x" * (PARAMS_MOST - empty + 1)}, schema) == ()


def test_a_pattern_that_would_take_forever_elsewhere_is_checked_in_linear_time():
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    [error] = errors({"x": "a" * 30_000 + "!"}, schema)
    assert error.message == "写法不符合要求"
