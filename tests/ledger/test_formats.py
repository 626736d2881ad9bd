"""How a ledger is written: the contract of the JSON, Markdown, the page, and the difference of two."""

import json
from html.parser import HTMLParser

import jsonschema
import pytest

from dagtool.errors import DagtoolError
from dagtool.generators.plans.document import Run
from dagtool.generators.request import Request
from dagtool.ledger.ask import ledger_of, plan_launch, plan_name
from dagtool.ledger.formats import FORMATS, format_diff

COUNT = {"type": "integer", "minimum": 0}
CLASS = {
    "type": "object",
    "required": [
        "ranks", "count", "weight_bytes", "cache_bytes", "activation_bytes", "communication_bytes", "gradient_bytes",
        "optimizer_bytes", "flops",
    ],
    "properties": {
        "ranks": {"type": "string", "pattern": "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$"},
        **dict.fromkeys(("weight_bytes", "cache_bytes", "activation_bytes", "communication_bytes"), COUNT),
        **dict.fromkeys(("gradient_bytes", "optimizer_bytes"), COUNT),
        "count": COUNT,
        "flops": COUNT,
    },
}  # fmt: skip
COLLECTIVE = {
    "type": "object",
    "required": ["op", "group_size", "groups", "count", "bytes", "module", "why"],
    "properties": {
        **{name: {"type": "integer", "minimum": 1} for name in ("group_size", "groups", "count", "bytes")},
        **{name: {"type": "string", "minLength": 1} for name in ("op", "module", "why")},
    },
}
CONTRACT = {
    "type": "object",
    "required": ["schema", "model", "classes", "collectives", "fits", "headroom_bytes"],
    "properties": {
        "schema": {"const": "dagtool/ledger/1"},
        "model": {"type": "object", "required": ["parameters", "active_parameters"]},
        "classes": {"type": "array", "minItems": 1, "items": CLASS},
        "collectives": {"type": "array", "items": COLLECTIVE},
        "fits": {"type": ["boolean", "null"]},
        "headroom_bytes": {"type": ["integer", "null"]},
    },
}


def ledger(words="dp2_tp2_ep4", model="mixtral-8x7b", memory=None, **run):
    return ledger_of(plan_name(words, Request(model=model, run=Run(**run))), gpu_memory_bytes=memory)


@pytest.mark.parametrize("memory", [None, 80 * 2**30, 10 * 2**30])
@pytest.mark.parametrize("words", ["tp1", "dp2_tp2_ep4", "pp2_tp2", "fsdp4"])
def test_contract(words, memory):
    """Every sum is that of its parts, and ranks are each in one class."""
    found = ledger(words, memory=memory)
    document = json.loads(FORMATS["json"](found))
    jsonschema.validate(document, CONTRACT)
    assert sum(one["count"] for one in document["classes"]) == document["gpus"]
    for one in document["classes"]:
        assert sum(one["weight_bytes_by_module"].values()) == one["weight_bytes"]
        assert sum(one["flops_by_module"].values()) == one["flops"]
    assert (document["fits"] is None) == (memory is None)


def test_text_and_markdown_say_the_same():
    found = ledger(memory=20 * 2**30)
    for form in ("text", "markdown"):
        text = FORMATS[form](found)
        for part in ("dispatch", "moe.up", "46,702,792,704", "oes not fit in 20 GiB", "earest change"):
            assert part in text, (form, part)
    assert all(
        line.count("|") == 9 for line in FORMATS["markdown"](found).splitlines() if line.startswith("| dispatch")
    )


class Tags(HTMLParser):
    """Whether tags are closed in order, and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        assert not any(name in ("src", "href") for name, _ in attrs), "the page needs nothing else"
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_page():
    """Closed tags, nothing from elsewhere, texts escaped."""
    planned = plan_launch(
        ["vllm", "serve", "m", "-tp", "2", "--served-model-name", "<b>&"], Request(model="mixtral-8x7b"), None
    )
    parser = Tags()
    parser.feed(FORMATS["html"](ledger_of(planned, gpu_memory_bytes=80 * 2**30)))
    assert not parser.open
    text = "".join(parser.text)
    assert "--served-model-name <b>&" in text
    assert "fits in" in text
    assert "attention.out sums over kv_heads G" in text


def test_difference():
    before = FORMATS["json"](ledger("tp8", "llama-3.1-8b", memory=80 * 2**30))
    after = ledger("tp8_sp", "llama-3.1-8b", memory=5 * 2**30)
    text = format_diff(before, "before.json", after, "text")
    assert "- all_reduce after mlp.down over 8 ranks: 32 x 32 MiB" in text
    assert "+ reduce_scatter after mlp.down over 8 ranks: 32 x 32 MiB" in text
    assert "fits: yes -> no" in text
    assert format_diff(before, "b", after, "markdown").startswith("## tp8 -\\> tp8\\_sp\n")
    assert json.loads(format_diff(before, "b", after, "json"))["schema"] == "dagtool/ledger-diff/1"
    same = ledger("tp8", "llama-3.1-8b", memory=80 * 2**30)
    assert "nothing changed" in format_diff(before, "b", same, "text")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "is no JSON"),
        ("[]", "is no ledger"),
        ('{"schema": "dagtool/memory/1"}', "dagtool/memory/1"),
        ('{"schema": "dagtool/ledger/1"}', "no complete ledger"),
    ],
)
def test_differences_against_something_else(text, part):
    with pytest.raises(DagtoolError, match=part):
        format_diff(text, "x.json", ledger("tp8", "llama-3.1-8b"), "text")
    with pytest.raises(DagtoolError, match="written as text"):
        format_diff(FORMATS["json"](ledger("tp8", "llama-3.1-8b")), "x", ledger("tp8", "llama-3.1-8b"), "html")
