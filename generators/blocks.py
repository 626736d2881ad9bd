"""The model's blocks, written once for every strategy: embedding, attention, MLP, mixture of experts, head.

Each function takes a value and gives a value; where they lie is the strategy's matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagtool.generators.program import Builder, Ref

__all__ = ["attention", "dense_mlp", "embedding", "head", "layer", "mixture_of_experts"]


def embedding(b: Builder) -> Ref:
    """Input and embedding: ids [B, S] -> [B, S, H]; a model without embedding takes [B, S, H]."""
    how = b.strategy.model.embedding
    if how == "none":
        return b.place(b.source("input", "input", "B", "S", "H"), "stream")
    ids = b.place(b.source("input", "input", "B", "S"), "embedding")
    if how != "token,position":
        return b.place(_table(b, "embedding.tokens", ids, "V", how), "stream")
    tokens = _table(b, "embedding.tokens", ids, "V", "token")
    positions = _table(b, "embedding.positions", ids, "S", "position")
    if b.type_of(tokens) == b.type_of(positions):  # one conversion of the sum instead of one of each term
        return b.place(b.add("embedding.add", "add", {"x": tokens, "y": positions}), "stream")
    return b.add("embedding.add", "add", {"x": b.place(tokens, "stream"), "y": b.place(positions, "stream")})


def _table(b: Builder, role: str, ids: Ref, rows: str, tables: str) -> Ref:
    return b.add(role, "embedding", {"x": ids}, params={"param": b.weight("embedding", rows, "H"), "tables": tables})


def _norm(b: Builder, role: str, x: Ref) -> Ref:
    return b.add(role, "norm", {"x": x}, params={"function": b.strategy.model.norm, "param": "[H]"})


def _enter(b: Builder, role: str, x: Ref, region: str) -> Ref:
    """A value entering parallel branches, through a copy node where the strategy draws one."""
    x = b.place(x, region)
    return b.add(role, "copy", {"x": x}) if b.strategy.operators["copies"] == "yes" else x


def _linear(b: Builder, role: str, x: Ref, region: str, *sizes: str, contract: int = 1) -> Ref:
    params = {"param": b.weight(region, *sizes), "contract": str(contract) if contract > 1 else ""}
    return b.add(role, "linear", {"x": x}, params=params)


def attention(b: Builder, x: Ref) -> Ref:
    """x [B, S, H] -> x + attention(norm(x))."""
    x = b.place(x, "stream")
    h = _enter(b, "attention.copy_in", _norm(b, "attention.norm", x), "attention")
    q, k, v = _projections(b, h)
    q, k, v = b.place(q, "attention.core"), b.place(k, "attention.keys"), b.place(v, "attention.keys")
    form = _forms(b)
    scores = b.add("attention.scores", "scores", {"q": q, "k": k}, params={"einsum": form.scores})
    weights = b.add("attention.softmax", "softmax", {"x": scores})
    y = b.add("attention.weighted", "weighted_sum", {"p": weights, "v": v}, params={"einsum": form.weighted})
    y = b.place(y, "attention.out")
    if b.strategy.operators["merge_heads"] == "yes":
        y = b.add("attention.merge", "head_merge", {"x": y}, params={"einsum": form.merge})
        y = b.add("attention.copy_out", "copy", {"x": y}) if b.strategy.operators["copies"] == "yes" else y
        y = _linear(b, "attention.out", y, "attention.out", "N*D", "H")
    else:
        y = _linear(b, "attention.out", y, "attention.out", *form.heads, "H", contract=len(form.heads))
    return b.add("attention.residual", "add", {"x": x, "y": b.place(y, "stream")})


@dataclass(frozen=True, slots=True)
class _Form:
    """How heads stand in the tensors of attention: in one dimension, or grouped by their key and value head."""

    heads: tuple[str, ...]
    scores: str
    weighted: str
    merge: str
    query_heads: str
    key_heads: str


_FORMS = {
    # (grouped, heads brought to the front first)
    (False, False): _Form(("N", "D"), "bsnd,btnd->bnst", "bnst,btnd->bsnd", "bsnd->bs(nd)", "", ""),
    (False, True): _Form(("N", "D"), "bnsd,bntd->bnst", "bnst,bntd->bsnd", "bsnd->bs(nd)", "bsnd->bnsd", "bsnd->bnsd"),
    (True, False): _Form(("G", "N/G", "D"), "bsgrd,btgd->bgrst", "bgrst,btgd->bsgrd", "bsgrd->bs(grd)", "", ""),
    (True, True): _Form(
        ("G", "N/G", "D"), "bgrsd,bgtd->bgrst", "bgrst,bgtd->bsgrd", "bsgrd->bs(grd)", "bsgrd->bgrsd", "bsgd->bgsd"
    ),
}


def _forms(b: Builder) -> _Form:
    return _FORMS["G" in b.strategy.sizes, b.strategy.operators["heads"] == "outer"]


def _projections(b: Builder, h: Ref) -> tuple[Ref, Ref, Ref]:
    form = _forms(b)
    fused = b.strategy.operators["qkv"] == "fused"
    if "G" not in b.strategy.sizes and fused:
        q = _fused(b, "attention.qkv", h, ("q", "k", "v"), "N")
        found = [q, Ref(q.step, 1), Ref(q.step, 2)]
    elif fused:  # queries are wider than keys and values: those two are one product
        q, k = (
            _linear(b, "attention.q", h, "attention", "H", *form.heads),
            _fused(b, "attention.kv", h, ("k", "v"), "G"),
        )
        found = [q, k, Ref(k.step, 1)]
    else:
        held = ("G", "D") if "G" in b.strategy.sizes else form.heads
        found = [
            _linear(b, f"attention.{name}", h, "attention", "H", *(form.heads if name == "q" else held))
            for name in "qkv"
        ]
    if form.query_heads:
        found = [
            b.add(
                f"attention.{name}_heads",
                "head_split",
                {"x": x},
                params={"einsum": form.query_heads if name == "q" else form.key_heads},
            )
            for name, x in zip("qkv", found, strict=True)
        ]
    return found[0], found[1], found[2]


def _fused(b: Builder, role: str, h: Ref, outputs: tuple[str, ...], heads: str) -> Ref:
    params = {"param": b.weight("attention", "H", len(outputs), heads, "D"), "fused": str(len(outputs))}
    return b.add(role, "linear", {"x": h}, outputs=outputs, params=params)


def dense_mlp(b: Builder, x: Ref) -> Ref:
    """x [B, S, H] -> x + mlp(norm(x))."""
    h = _enter(b, "mlp.copy_in", _norm(b, "mlp.norm", b.place(x, "ffn")), "mlp")
    y = _ffn(b, "mlp", "linear", "mlp", {"x": h}, per_expert=False, params={})
    return b.add("mlp.residual", "add", {"x": b.place(x, "stream"), "y": b.place(y, "stream")})


def _ffn(
    b: Builder,
    part: str,
    op: str,
    region: str,
    inputs: dict[str, Ref],
    *,
    per_expert: bool,
    params: dict[str, str],
) -> Ref:
    """up, activation, down; a gated model has both of its up-projections in one weight [H, 2, F]."""
    model = b.strategy.model
    function = {"function": model.activation}

    def step(
        name: str, op: str, inputs: dict[str, Ref], params: dict[str, str], outputs: tuple[str, ...] = ("",)
    ) -> Ref:
        return b.add(f"{part}.{name}", op, inputs, outputs=outputs, per_expert=per_expert, params=params)

    if model.gated:
        weight = {"param": b.weight(region, "H", 2, "F"), "fused": "2"}
        up = step("up", op, inputs, {**params, **weight}, ("gate", "up"))
        hidden = step("activation", "gated_activation", {"gate": up, "up": Ref(up.step, 1)}, function)
    else:
        up = step("up", op, inputs, {**params, "param": b.weight(region, "H", "F")})
        hidden = step("activation", "activation", {"x": up}, function)
    # The second product takes tokens as they are: only the first may pick them out itself.
    return step("down", op, {"x": hidden}, {"param": b.weight(region, "F", "H")})


def mixture_of_experts(b: Builder, x: Ref) -> Ref:
    """x [B, S, H] -> x + the weighted sum of each token's K experts over norm(x)."""
    h = b.place(_norm(b, "moe.norm", b.place(x, "ffn")), "router")
    gate = {"param": b.weight("router", "H", "E"), "top_k": "K"}
    route = b.add("moe.gate", "gate", {"x": h}, params=gate)
    owner = b.region("experts").cuts.get("E", ())
    exchanged = bool(owner) and set(owner) <= set(b.type_of(h).sharded_axes)
    routing = {"experts": "E", "owner": ",".join(owner)}
    pick = {"x": h, "route": route}
    params: dict[str, str] = {}
    if exchanged:
        pick = {"x": b.add("moe.dispatch", "dispatch", pick, params=routing)}
    elif b.strategy.operators["routing"] == "nodes":
        pick = {"x": b.add("moe.route", "route", pick, per_expert=True, params=routing)}
    else:
        params = routing
    tokens = _ffn(b, "moe", "expert_linear", "experts", pick, per_expert=True, params=params)
    held = b.type_of(tokens)
    tokens = b.convert(tokens, type(held)(held.dims, held.mesh, (), held.varying))
    y = _return_tokens(b, tokens, route, routing, exchanged=exchanged)
    return b.add("moe.residual", "add", {"x": b.place(x, "stream"), "y": b.place(y, "stream")})


def _return_tokens(b: Builder, tokens: Ref, route: Ref, routing: dict[str, str], *, exchanged: bool) -> Ref:
    back = {"tokens": tokens, "route": route}
    if exchanged:
        return b.add("moe.combine", "combine", back, params=routing)
    if routing["owner"] and b.strategy.operators["routing"] == "nodes":
        return b.add("moe.route_back", "route_back", back, per_expert=True, params=routing)
    op = "combine_reduce" if routing["owner"] else "aggregate"
    return b.add("moe.combine", op, back, params=routing)


def layer(b: Builder, x: Ref) -> Ref:
    """One decoder layer."""
    x = attention(b, x)
    return mixture_of_experts(b, x) if b.strategy.model.ffn == "moe" else dense_mlp(b, x)


def head(b: Builder, x: Ref) -> Ref:
    """Final norm, projection onto the vocabulary, output."""
    h = b.place(_norm(b, "head.norm", b.place(x, "stream")), "head")
    logits = _linear(b, "head.projection", h, "head", "H", "V")
    return b.add("output", "output", {"x": b.place(logits, "output")})
