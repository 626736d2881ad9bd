"""Random deployments: models on meshes no preset has, degrees drawn among those that divide."""

from typing import Any

from hypothesis import strategies as st

SIZES = {"B": 8, "S": 16, "H": 32, "N": 8, "D": 8, "F": 64, "V": 128, "L": 2, "E": 8, "K": 2}


def fitting(document: dict[str, Any]) -> dict[str, Any]:
    """A document without the sizes and regions of experts where its model has none, and the other way round."""
    experts = document.get("model", {}).get("ffn") == "moe"
    drop = {"mlp"} if experts else {"experts", "router", "E", "K"}
    tables = {
        table: {key: value for key, value in document[table].items() if key not in drop}
        for table in ("sizes", "regions")
        if table in document
    }
    return {**document, **tables}


@st.composite
def strategies_(draw: st.DrawFn) -> dict[str, Any]:
    """Random models on random meshes, degrees drawn among those that divide."""
    powers = st.sampled_from([1, 2, 4])
    dp, tp, ep, pp = draw(powers), draw(powers), draw(powers), draw(st.sampled_from([1, 2]))
    moe, gated = draw(st.booleans()), draw(st.booleans())
    layers = pp * draw(st.integers(1, 2))
    sizes = {**SIZES, "B": 16, "L": layers, "H": draw(st.sampled_from([16, 48])), "D": draw(st.sampled_from([4, 8]))}
    mesh = "stage" if pp > 1 else "all"
    batch = "B/dp/ep" if moe else "B/dp"
    stream = f"{mesh} {batch}" + (" S/tp" if draw(st.booleans()) and not moe else "")
    regions = {
        "stream": stream,
        "attention": f"{mesh} {batch} N/tp",
        "mlp": f"{mesh} {batch} F/tp",
        **({"experts": f"{mesh} E/ep" + (" F/tp" if draw(st.booleans()) else "")} if moe else {}),
        "head": f"{mesh} {batch} " + draw(st.sampled_from(["V/tp", "H/tp"])),
        "input": draw(st.sampled_from([mesh, f"{mesh} {batch}"])),
        "output": draw(st.sampled_from([mesh, f"{mesh} {batch}", f"{mesh} {batch} V/tp", f"{mesh} S/tp"])),
    }
    embedding = draw(st.sampled_from(["token", "token,position", "token+position", "none"]))
    if embedding != "none":
        regions["embedding"] = f"{mesh} {batch} " + draw(st.sampled_from(["V/tp", "H/tp"]))
    operators = {
        "qkv": draw(st.sampled_from(["fused", "separate"])),
        "heads": draw(st.sampled_from(["inner", "outer"])),
        "merge_heads": draw(st.sampled_from(["no", "yes"])),
        "copies": draw(st.sampled_from(["no", "yes"])),
        "transfer": draw(st.sampled_from(["one_node", "send_and_recv"])),
    }
    return fitting({
        "sizes": sizes,
        "model": {
            "ffn": "moe" if moe else "dense",
            "gated": gated,
            "embedding": embedding,
        },
        "degrees": {"dp": dp, "tp": tp, "pp": pp, **({"ep": ep} if moe else {})},
        "mesh": {mesh: ["dp", "ep", "tp"] if moe else ["dp", "tp"]},
        "regions": regions,
        "operators": operators,
    })  # fmt: skip
