"""What a hosted service offers, and what one use of it takes from the inventory.

A property of the schema with `"x-slot": true` names the slot a use takes from; several make a
composite key, in the alphabetical order of their names; none means that the service is one slot,
with the empty key. An integer property with `"x-quantity": true` says how many units, 1 without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from guanjia.lines.models import Service
from guanjia.lines.protocol.messages import DecisionRule, Money, Rule, ServiceSpec, Silence
from guanjia.lines.protocol.params import ParamsSchema

_SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a use takes: `quantity` units of the slot with this key."""

    service_pk: int
    key: str
    quantity: int


@dataclass(frozen=True, slots=True)
class HostedService:
    """A published service; `slot` are the names of the properties its key is made of."""

    pk: int
    spec: ServiceSpec
    slot: tuple[str, ...]
    quantity: str | None

    @classmethod
    def of(cls, service: Service) -> Self:
        spec = spec_of(service)
        return cls(service.pk, spec, slot_fields(spec.schema), _quantity_field(spec.schema))

    def claim(self, params: Mapping[str, Any]) -> Claim:
        """For parameters that fit the schema."""
        quantity = params.get(self.quantity, 1) if self.quantity else 1
        # A JSON Schema integer may be written 2.0.
        return Claim(self.pk, slot_key([params[name] for name in self.slot]), int(quantity))


def spec_of(service: Service) -> ServiceSpec:
    """A row as the manifest publishes it."""
    price = service.price_amount
    rule = Rule(service.decision_rule)
    return ServiceSpec(
        code=service.code,
        titles=service.titles,
        schema=service.schema,
        hold_ttl_seconds=service.hold_ttl_seconds,
        price=None if price is None else Money(price, service.currency),
        decision=DecisionRule(
            rule,
            within_seconds=service.decision_within_seconds,
            grace_seconds=service.decision_grace_seconds,
            silence=Silence(service.silence),
        ),
    )


def slot_fields(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The properties the key is made of, in its order (a database does not keep that of the schema)."""
    return tuple(sorted(_marked(schema, "x-slot")))


def slot_key(values: list[Any]) -> str:
    """The key for the values of the slot's properties, in the order of `slot_fields`."""
    texts = [value if isinstance(value, str) else str(int(value)) for value in values]
    if len(texts) == 1:
        return texts[0]
    return _SEPARATOR.join(text.replace("%", "%25").replace(_SEPARATOR, "%2F") for text in texts)


def check_inventory(schema: Mapping[str, Any]) -> None:
    """ValueError where the schema does not say for every use what it takes."""
    required = schema.get("required", [])
    for name in _marked(schema, "x-slot"):
        if schema["properties"][name].get("type") not in ("string", "integer"):
            raise ValueError(f'{name}: an x-slot property is of "type": "string" or "integer"')
        if name not in required:
            raise ValueError(f"{name}: an x-slot property is required")
    for name in _marked(schema, "x-quantity"):
        least = schema["properties"][name].get("minimum")
        if schema["properties"][name].get("type") != "integer" or type(least) is not int or least < 1:
            raise ValueError(f'{name}: an x-quantity property is an integer with a "minimum" of 1 or more')
    if len(_marked(schema, "x-quantity")) > 1:
        raise ValueError("only one property can be the x-quantity")


def check_key(schema: Mapping[str, Any], key: str) -> None:
    """ValueError for a key that no parameters can ask for: inventory under it would never be found."""
    names = slot_fields(schema)
    texts = [key] if len(names) == 1 else [_decoded(text) for text in key.split(_SEPARATOR)]
    if not names:
        texts = []
    if len(texts) != len(names) or (not names and key):
        raise ValueError(f"a key has the parts {_SEPARATOR.join(names) or '(none)'}")
    fields = {name: schema["properties"][name] for name in names}
    values = [_value(fields[name], text) for name, text in zip(names, texts, strict=True)]
    part = {"type": "object", "properties": fields, "$defs": schema.get("$defs", {})}
    for error in ParamsSchema(part).errors(dict(zip(names, values, strict=True))):
        raise ValueError(f"{error.field[1:]}: {error.message}")
    if slot_key(values) != key:
        raise ValueError(f"the key is written {slot_key(values)}")


def _value(field: Mapping[str, Any], text: str) -> str | int:
    return int(text) if field.get("type") == "integer" else text


def _decoded(text: str) -> str:
    return text.replace("%2F", _SEPARATOR).replace("%25", "%")


def _quantity_field(schema: Mapping[str, Any]) -> str | None:
    return next(iter(_marked(schema, "x-quantity")), None)


def _marked(schema: Mapping[str, Any], mark: str) -> list[str]:
    properties = schema.get("properties", {})
    return [
        name for name, field in properties.items() if isinstance(field, Mapping) and field.get(mark) is True
    ]
