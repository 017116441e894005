"""Services of a hosted line, written as a table of fields; of a remote line, read from its manifest."""

import json

import pytest

from guanjia.demo.cast import DISPLAY_SLOTS, WAREHOUSING
from guanjia.doors.console.formtable import FieldRow, compile_schema, read_schema
from guanjia.doors.console.tests.conftest import SESSION
from guanjia.lines.models import Service
from guanjia.lines.protocol.messages import Manifest
from guanjia.lines.visit import LineDoesNotAnswer

HERE = "/console/group-buying/"
EDIT = f"{HERE}services/session/edit/"
NEW = f"{HERE}new-service/"


def typed(*rows, **changes):
    """The editor as a browser sends it."""
    about = {
        "code": "tasting",
        "zh": "试吃",
        "en": "Tasting",
        "price": "12.50",
        "hold": "30",
        "rule": "never",
    }
    about |= {
        "within": "240",
        "grace": "60",
        "silence": "refusal",
        "way": "table",
        "do": "publish",
        "raw": "",
    }
    data = about | {"f-TOTAL_FORMS": str(len(rows)), "f-INITIAL_FORMS": "0"} | changes
    for number, row in enumerate(rows):
        data |= {f"f-{number}-{name}": value for name, value in ({"kind": "text"} | row).items()}
    return data


DAY = {"name": "day", "zh": "日期", "en": "Day", "kind": "date", "required": "on", "mark": "slot"}
LOTS = {
    "name": "lots",
    "zh": "批数",
    "en": "Lots",
    "kind": "integer",
    "least": "1",
    "most": "10",
    "mark": "quantity",
}


# --- the table and the schema ---------------------------------------------------------------------

ROWS = [
    FieldRow("day", "日期", "Day", "date", True, mark="slot"),
    FieldRow("lots", "批数", "Lots", "integer", True, least=1, most=10, mark="quantity"),
    FieldRow("shop", "店铺名", "", "text", False, most=60, fact="shop_name"),
    FieldRow("kind", "", "Kind", "choice", False, options=("a", "b")),
    FieldRow("share", "", "", "number", False, least=0.5),
    FieldRow("gift", "", "", "yes", False),
    FieldRow("at", "", "", "moment", False),
]


def test_a_table_compiles_to_a_schema_and_is_read_back():
    schema = compile_schema(ROWS)
    assert schema["properties"]["day"] == {
        "type": "string",
        "format": "date",
        "x-titles": {"zh-Hans": "日期", "en": "Day"},
        "x-slot": True,
    }
    assert schema["required"] == ["day", "lots"]
    assert read_schema(schema) == ROWS


@pytest.mark.parametrize("manifest", [DISPLAY_SLOTS, WAREHOUSING, Manifest("x", {}, (SESSION,))])
def test_the_schemas_of_the_house_fit_the_table(manifest):
    for spec in manifest.services:
        assert read_schema(spec.schema) is not None


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "object", "properties": {"a": {"type": "array"}}, "additionalProperties": False},
        {
            "type": "object",
            "properties": {"a": {"type": "string", "pattern": "x"}},
            "additionalProperties": False,
        },
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": True}, "additionalProperties": False},
        {"type": "object", "oneOf": []},
    ],
)
def test_what_a_table_cannot_say_is_left_to_json(odd):
    assert read_schema(odd) is None


# --- publishing -----------------------------------------------------------------------------------


def test_a_new_service_is_published_from_the_table(house, otto):
    answer = otto.post(NEW, typed(DAY, LOTS, {"name": ""}))
    assert (answer.status_code, answer["location"]) == (303, f"{HERE}services/tasting/")
    service = Service.objects.get(code="tasting")
    assert service.schema == compile_schema(
        [
            FieldRow("day", "日期", "Day", "date", True, mark="slot"),
            FieldRow("lots", "批数", "Lots", "integer", False, least=1, most=10, mark="quantity"),
        ]
    )
    assert (service.price_amount, service.hold_ttl_seconds, service.decision_rule) == (1250, 1800, "never")


def test_an_existing_service_opens_with_its_own_fields_and_keeps_its_code(house, otto):
    page = otto.get(EDIT)
    assert [form.initial.get("name") for form in page.context["fields"]][:2] == ["day", "product"]
    otto.post(EDIT, typed(DAY, code="other", zh="团购大场", rule="always", silence="consent"))
    service = Service.objects.get(code="session")
    assert service.titles["zh-Hans"] == "团购大场"
    assert (service.decision_within_seconds, service.decision_grace_seconds) == (14_400, 3_600)
    assert not Service.objects.filter(code="other").exists()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (DAY | {"name": "Day!"}, "小写字母开头"),
        (DAY | {"required": ""}, "定档位的字段要必填"),
        (DAY | {"kind": "yes"}, "档位只能由"),
        (LOTS | {"least": "0"}, "最小至少为 1"),
        ({"name": "kind", "kind": "choice", "options": " , "}, "请列出选项"),
        ({"name": "n", "kind": "text", "least": "1.5"}, "请填整数"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_published(house, otto, unchanged, row, says):
    otto.get(NEW)
    with unchanged():
        answer = otto.post(NEW, typed(row))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert "试吃" in answer.content.decode()


def test_two_fields_of_one_name(house, otto, unchanged):
    otto.get(NEW)
    with unchanged():
        answer = otto.post(NEW, typed(DAY, DAY))
    assert "不止一次" in answer.content.decode()


def test_a_person_who_decides_has_a_time(house, otto):
    answer = otto.post(NEW, typed(DAY, rule="always", within=""))
    assert "要人来决定，就要有时限。" in answer.content.decode()


def test_a_preview_publishes_nothing(house, otto, unchanged):
    otto.get(NEW)
    with unchanged():
        answer = otto.post(NEW, typed(DAY, do="preview"))
    assert [one.kind for one in answer.context["preview"]] == ["date"]


def test_more_rows_keep_what_was_typed(house, otto):
    answer = otto.post(NEW, typed(DAY, do="more"))
    assert len(answer.context["fields"].forms) == 6
    assert 'value="day"' in answer.content.decode()


def test_advanced_json(house, otto):
    schema = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    assert otto.post(NEW, typed(way="json", raw=json.dumps(schema))).status_code == 303
    assert Service.objects.get(code="tasting").schema == schema
    page = otto.get(f"{HERE}services/tasting/edit/")
    assert page.context["form"]["way"].value() == "json"


@pytest.mark.parametrize("raw", ["", "{", "[]", '{"type": "string"}', '{"type":"object","$ref":"http://x/"}'])
def test_json_that_is_no_form_is_refused_in_words(house, otto, unchanged, raw):
    otto.get(NEW)
    with unchanged():
        answer = otto.post(NEW, typed(way="json", raw=raw))
    assert answer.status_code in (400, 422)


def test_a_service_is_withdrawn_and_offered_again(house, otto):
    answer = otto.post(f"{HERE}services/session/withdraw/")
    assert answer.status_code == 303
    assert not Service.objects.get(code="session").active
    otto.post(EDIT, typed(DAY))
    assert Service.objects.get(code="session").active


@pytest.mark.parametrize("path", [EDIT, NEW, f"{HERE}services/session/withdraw/", f"{HERE}manifest/"])
def test_nobody_else_writes(house, client, unchanged, path):
    client.force_login(house.cast.lin)
    with unchanged():
        assert client.post(path, typed(DAY)).status_code == 404


def test_an_unknown_service_is_not_there(otto):
    assert otto.get(f"{HERE}services/none/").status_code == 404
    assert otto.get(f"{HERE}services/none/edit/").status_code == 404


# --- a remote line --------------------------------------------------------------------------------

THERE = "/console/display-slots/"


def test_a_remote_line_shows_its_manifest_and_is_not_edited_here(house, otto):
    assert "首页展示位" in otto.get(f"{THERE}services/").content.decode()
    page = otto.get(f"{THERE}services/home-banner/")
    assert [(one.name, one.kind, one.fact) for one in page.context["preview"]] == [
        ("day", "date", ""),
        ("shop", "text", "shop_name"),
    ]
    assert otto.get(f"{THERE}services/home-banner/edit/").status_code == 404


def test_the_manifest_is_read_again(house, otto, monkeypatch):
    [spec] = DISPLAY_SLOTS.services
    changed = Manifest("display-slots", DISPLAY_SLOTS.titles, ())
    monkeypatch.setattr("guanjia.doors.console.views.services.call_on", lambda _endpoint: changed)
    answer = otto.post(f"{THERE}manifest/")
    assert (answer.status_code, answer["location"]) == (303, f"{THERE}services/")
    assert not Service.objects.get(code=spec.code).active


def test_a_line_that_does_not_answer_is_said_in_words(house, otto, unchanged, monkeypatch):
    def silent(_endpoint):
        raise LineDoesNotAnswer("业务线没有应答", hint="请确认地址可达")

    monkeypatch.setattr("guanjia.doors.console.views.services.call_on", silent)
    with unchanged():
        answer = otto.post(f"{THERE}manifest/")
    assert answer.status_code == 502
    assert "请确认地址可达" in answer.content.decode()
