"""Validate STAC items without the network: pystac's copy of the core schemas, and the rules of three extensions.

The rules restate, for items and the fields that paperlib writes, what the schemas of the extensions demand: types, the
exact list of fields with their prefix, and patterns. projection v2.0.0 knows no proj:epsg; processing v1.2.0 asks for at
least one of its fields; classification v2.0.0 wants machine-readable names and colours without "#".
"""

import json
from pathlib import Path

import pystac.validation
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource

CORE = Path(pystac.validation.__file__).parent / "jsonschemas"
ITEM = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json"
NUMBERS = {"type": "array", "items": {"type": "number"}}


def _fields(prefix: str, **fields) -> dict:
    """An object whose fields with a prefix are these alone."""
    rules = {f"{prefix}:{name}": rule for name, rule in fields.items()}
    return {
        "type": "object",
        "properties": rules,
        "propertyNames": {"anyOf": [{"enum": list(rules)}, {"pattern": f"^(?!{prefix}:)"}]},
    }


def _extension(name: str, version: str, **fields) -> dict:
    """The rules of an extension for the properties and the assets of an item that names it."""
    uri = f"https://stac-extensions.github.io/{name}/v{version}/schema.json"
    prefix = {"projection": "proj"}.get(name, name)
    content = _fields(prefix, **fields)
    named = {"type": "array", "contains": {"const": uri}, "uniqueItems": True}
    properties = {"stac_extensions": named, "properties": content, "assets": {"additionalProperties": content}}
    return {"$id": uri, "type": "object", "required": ["stac_extensions"], "properties": properties}


CLASS = {
    "type": "object", "required": ["value", "name"], "properties": {
        "value": {"type": "integer"}, "name": {"type": "string", "pattern": "^[0-9A-Za-z_-]+$"},
        "title": {"type": "string"}, "description": {"type": "string"},
        "color_hint": {"type": "string", "pattern": "^([0-9A-Fa-f]{6})$"}, "nodata": {"type": "boolean"},
    },
}  # fmt: skip
EXTENSIONS = (
    _extension(
        "projection", "2.0.0",
        code={"type": ["string", "null"], "pattern": "^[A-Z]+:(?!None)[0-9A-Za-z_.]+$"},
        wkt2={"type": ["string", "null"], "minLength": 1}, projjson={"type": ["object", "null"]},
        bbox=NUMBERS | {"minItems": 4, "maxItems": 4}, transform=NUMBERS | {"minItems": 6, "maxItems": 6},
        shape={"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}, geometry={"type": "object"},
    ),
    _extension("classification", "2.0.0", classes={"type": "array", "minItems": 1, "uniqueItems": True, "items": CLASS}),
    _extension(
        "processing", "1.2.0", software={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}
    ),
)  # fmt: skip


def validate(item: dict) -> None:
    """Raise jsonschema's `ValidationError` unless an item keeps the core's rules and those of all its extensions."""
    resources = [(path.name, Resource.from_contents(json.loads(path.read_text()))) for path in CORE.rglob("*.json")]
    # by the address that others use: one of the files has a misspelt $id
    registry = Registry().with_resources((ITEM.replace("item.json", name), content) for name, content in resources)
    registry = registry.with_resources((content.id(), content) for _, content in resources)
    known = {schema["$id"]: schema for schema in EXTENSIONS}
    for uri in (ITEM, *item["stac_extensions"]):
        schema = known.get(uri) or registry.contents(uri)
        Draft7Validator(schema, registry=registry, format_checker=FormatChecker()).validate(item)
    assert {"proj:code", "proj:wkt2", "proj:projjson"} & {key for key, value in item["properties"].items() if value}
