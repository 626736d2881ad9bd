"""Constraints between sizes, as a strategy file or a graph states them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["misfits"]


def misfits(sizes: Mapping[str, int | None]) -> Iterator[tuple[str, str, str]]:
    """Yield each size that does not fit another one: its symbol, what is wrong, what to do. Symbols fit anything."""
    heads, groups = sizes.get("N"), sizes.get("G")
    if heads and groups and heads % groups:
        yield "G", f"heads N={heads} are no multiple of kv_heads G={groups}", "G divides N"
    top, experts, physical = sizes.get("K"), sizes.get("E"), sizes.get("R")
    if physical and experts and physical < experts:
        why = f"physical experts R={physical} are fewer than experts E={experts}"
        yield "R", why, "R counts every copy: at least one of each expert"
    if top and experts and top > experts:
        yield "K", f"top_k K={top} is more than experts E={experts}", f"K is at most {experts}"
