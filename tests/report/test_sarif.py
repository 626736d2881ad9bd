"""SARIF as published: the parts of the 2.1.0 schema that our output uses, with every constraint they have.

Read from sarif-schema-2.1.0.json of the OASIS specification (errata 01): names allowed in each object, which are
required, enumerations, minima, unique items. A name that stands for any value is one we do not write.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dagtool.generators import generate
from dagtool.report.finding import FileReport
from dagtool.report.formats import Style, renderer
from dagtool.validators.engine import check_bytes

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 1}
LEVEL: Schema = {"type": "string", "enum": ["none", "note", "warning", "error"]}
BAG: Schema = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True, "items": TEXT}}}


def many(item: Schema, least: int = 0, *, unique: bool = False) -> Schema:
    """An array."""
    return {"type": "array", "minItems": least, "uniqueItems": unique, "items": item}


def thing(required: str, also: str = "", **known: Schema) -> Schema:
    """An object: ``known`` are properties with their schemas, ``also`` the names of further ones it may have."""
    properties = {**{name: {} for name in also.split()}, "properties": BAG, **known}
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required.split()}


MULTIFORMAT = thing("text", text=TEXT, markdown=TEXT)
MESSAGE = {
    **thing("", text=TEXT, markdown=TEXT, id=TEXT, arguments=many(TEXT)),
    "anyOf": [{"required": ["text"]}, {"required": ["id"]}],
}
CONTENT = thing("", "rendered", text=TEXT, binary=TEXT)
FILE = thing("", "description", uri=TEXT, uriBaseId=TEXT, index={"type": "integer", "minimum": -1})
REGION = {
    **thing(
        "",
        "charOffset charLength byteOffset byteLength snippet message sourceLanguage",
        startLine=COUNT, startColumn=COUNT, endLine=COUNT, endColumn=COUNT,
    ),
    "anyOf": [{"required": [name]} for name in ("startLine", "charOffset", "byteOffset")],
}  # fmt: skip
PHYSICAL = {
    **thing("", "address contextRegion", artifactLocation=FILE, region=REGION),
    "anyOf": [{"required": ["address"]}, {"required": ["artifactLocation"]}],
}
LOCATION = thing("", "id logicalLocations annotations relationships", physicalLocation=PHYSICAL, message=MESSAGE)
REPLACEMENT = thing("deletedRegion", deletedRegion=REGION, insertedContent=CONTENT)
CHANGE = thing("artifactLocation replacements", artifactLocation=FILE, replacements=many(REPLACEMENT, 1))
FIX = thing("artifactChanges", description=MESSAGE, artifactChanges=many(CHANGE, 1, unique=True))
RESULT = thing(
    "message",
    "rule analysisTarget guid correlationGuid fingerprints stacks codeFlows graphs graphTraversals suppressions"
    " baselineState rank attachments hostedViewerUri workItemUris provenance taxa webRequest webResponse kind",
    ruleId=TEXT, ruleIndex={"type": "integer", "minimum": -1}, level=LEVEL, message=MESSAGE, locations=many(LOCATION),
    occurrenceCount=COUNT, partialFingerprints={"type": "object", "additionalProperties": TEXT},
    relatedLocations=many(LOCATION, unique=True), fixes=many(FIX, unique=True),
)  # fmt: skip
RULE = thing(
    "id",
    "deprecatedIds guid deprecatedGuids deprecatedNames messageStrings relationships",
    id=TEXT, name=TEXT, shortDescription=MULTIFORMAT, fullDescription=MULTIFORMAT, help=MULTIFORMAT,
    helpUri={"type": "string", "pattern": "^[a-z]+:"},
    defaultConfiguration=thing("", "enabled rank parameters", level=LEVEL),
)  # fmt: skip
DRIVER = thing(
    "name",
    "guid organization product productSuite shortDescription fullDescription fullName dottedQuadFileVersion"
    " releaseDateUtc downloadUri globalMessageStrings notifications taxa locations language contents isComprehensive"
    " localizedDataSemanticVersion minimumRequiredLocalizedDataSemanticVersion associatedComponent"
    " translationMetadata supportedTaxonomies",
    name=TEXT, version=TEXT, semanticVersion=TEXT, informationUri={"type": "string", "pattern": "^[a-z]+:"},
    rules=many(RULE, unique=True),
)  # fmt: skip
NOTIFICATION = thing(
    "message", "threadId timeUtc exception descriptor associatedRule", message=MESSAGE, level=LEVEL,
    locations=many(LOCATION, unique=True),
)  # fmt: skip
INVOCATION = thing(
    "executionSuccessful",
    "commandLine arguments exitCode",
    executionSuccessful={"type": "boolean"}, toolExecutionNotifications=many(NOTIFICATION),
    toolConfigurationNotifications=many(NOTIFICATION),
)  # fmt: skip
RUN = thing(
    "tool",
    "artifacts originalUriBaseIds",
    tool=thing("driver", "extensions", driver=DRIVER), invocations=many(INVOCATION), results=many(RESULT),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
)  # fmt: skip
LOG = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {"$schema": TEXT, "version": {"enum": ["2.1.0"]}, "runs": many(RUN), "properties": BAG},
}
CHECK = jsonschema.Draft7Validator(LOG)
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


def log(*reports: FileReport) -> dict[str, Any]:
    return dict(json.loads("".join(renderer("sarif")(reports, Style()))))


FAULTY = b"""digraph x {
  a -> b -> a; gate [shape=paralleogram]; gate -> a; c
  a [label="Linear\\nOutput: [B, 8]"]
}"""


@pytest.mark.parametrize(
    ("data", "edits"),
    [(FAULTY, True), (FAULTY, False), (b"not dot", True), (b"digraph {a -> b", True), (b"digraph {}", False)],
)
def test_as_published(data: bytes, edits: bool) -> None:
    CHECK.validate(log(check_bytes(data, "some folder/ü.dot", edits=edits)))


def test_of_nothing_of_what_cannot_be_read_and_of_a_preset() -> None:
    CHECK.validate(log())
    CHECK.validate(log(FileReport("x.dot", error="no such file")))
    CHECK.validate(log(check_bytes(generate("tp8").to_dot().replace("partial", "").encode(), "tp8.dot", edits=True)))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_of_every_file_of_the_corpus() -> None:
    reports = [check_bytes(path.read_bytes(), path.name) for path in sorted(CORPUS.glob("*.dot"))]
    document = log(*reports)
    assert len(document["runs"][0]["results"]) == sum(len(report.findings) for report in reports)
    CHECK.validate(document)


@pytest.mark.parametrize(
    "damage",
    [
        lambda log: log.update(version="2.0"),
        lambda log: log["runs"][0]["results"][0].update(level="info"),
        lambda log: log["runs"][0]["results"][0].pop("message"),
        lambda log: log["runs"][0]["results"][0].update(line=3),
        lambda log: log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        lambda log: log["runs"][0]["tool"]["driver"]["rules"].append(log["runs"][0]["tool"]["driver"]["rules"][0]),
    ],
)
def test_the_schema_refuses_what_is_wrong(damage: Any) -> None:
    document = copy.deepcopy(log(check_bytes(FAULTY, "x.dot", edits=True)))
    damage(document)
    with pytest.raises(jsonschema.ValidationError):
        CHECK.validate(document)
