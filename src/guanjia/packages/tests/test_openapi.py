"""The description that the front page links to says what the machine door does."""

import dataclasses
import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
from django.contrib.staticfiles import finders

from guanjia.cases import queries as cases
from guanjia.cases import urls as cases_urls
from guanjia.packages import queries, words
from guanjia.packages import urls as packages_urls
from guanjia.packages.tests import stories

FILE = Path(__file__).parents[1] / "static" / "packages" / "openapi.json"
DOCUMENT = json.loads(FILE.read_text("utf-8"))
LOOKS = {
    "Package": queries.PackageLook,
    "Item": queries.ItemLook,
    "Track": queries.LineTrack,
    "Step": words.Step,
    "Catalogue": queries.Catalogue,
    "Service": queries.ServiceLook,
    "DecisionTerms": queries.DecisionTerms,
    "Case": cases.CaseLook,
    "Clock": cases.ClockLook,
    "Message": cases.MessageLook,
}


def test_every_path_of_the_api_is_described_and_no_other():
    patterns = [str(one.pattern) for one in (*packages_urls.urlpatterns, *cases_urls.urlpatterns)]
    known = {re.sub(r"<[^>]+>", "{}", pattern) for pattern in patterns if pattern.startswith("api/")}
    assert {re.sub(r"\{\w+\}", "{}", path).lstrip("/") for path in DOCUMENT["paths"]} == known


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_every_answer_is_described_member_by_member(name):
    schema = DOCUMENT["components"]["schemas"][name]
    members = [field.name for field in dataclasses.fields(LOOKS[name])]
    assert list(schema["properties"]) == schema["required"] == members


def valid(name, answer):
    """Whether the body is what the document promises under this name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    problems = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(answer.json())
    assert [f"{problem.instance_path}: {problem.message}" for problem in problems] == []
    return answer.status_code


@pytest.mark.parametrize(
    "stage",
    [stories.ask, stories.pending, stories.dearer, stories.confirming, stories.done, stories.refused],
)
def test_a_package_is_what_the_document_says_at_every_stage(market, call, now, stage):
    path = f"/api/packages/{stage(market, now).number}"
    assert valid("Package", call(market.mira, "GET", path)) == 200


def test_the_other_answers_are_too(market, call):
    opened = call(market.mira, "POST", "/api/cases", {"merchant": "M-1042", "need": "x"})
    number = opened.json()["number"]
    assert valid("Case", opened) == 201
    assert valid("Message", call(market.mira, "POST", f"/api/cases/{number}/messages", {"body": "x"})) == 201
    assert valid("Catalogue", call(market.mira, "GET", "/api/services?limit=1")) == 200
    assert valid("Problem", call(market.mira, "POST", f"/api/cases/{number}/packages", {"mode": 1})) == 422
    assert valid("Problem", call(market.mira, "GET", "/api/packages/PK-1")) == 404


def test_the_examples_of_requests_are_taken(market, call):
    door = DOCUMENT["paths"]["/api/cases"]["post"]["requestBody"]["content"]["application/json"]["example"]
    number = call(market.mira, "POST", "/api/cases", door).json()["number"]
    path = DOCUMENT["paths"]["/api/cases/{case}/packages"]["post"]
    wanted = path["requestBody"]["content"]["application/json"]["example"]
    assert call(market.mira, "POST", f"/api/cases/{number}/packages", wanted).status_code == 201


def test_the_front_page_links_to_it(market, client):
    assert "/static/packages/openapi.json" in client.get("/").content.decode()
    assert finders.find("packages/openapi.json") == str(FILE)
