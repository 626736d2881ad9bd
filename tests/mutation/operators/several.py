"""Two faults at once: one may hide the other."""

from __future__ import annotations

from random import Random

from mutation.draft import Draft, Place, falsifies


@falsifies
def two_anywhere(draft: Draft, rng: Random) -> Place | None:
    """Any two mutations, one after the other."""
    return _both(draft, rng, "")


@falsifies
def two_of_a_family(draft: Draft, rng: Random) -> Place | None:
    """Two mutations of one family."""
    return _both(draft, rng, rng.choice(["edges", "collectives", "layers", "weights", "experts", "types"]))


@falsifies
def same_twice(draft: Draft, rng: Random) -> Place | None:
    """The same mutation at two places."""
    from mutation.catalogue import mutations

    names = [name for name in mutations() if name.partition(".")[0] not in ("several", "harmless", "header")]
    mutation = mutations()[rng.choice(names)]
    try:
        return _joined(mutation(draft, rng), mutation(draft, rng))
    except (ValueError, KeyError, IndexError):
        return None


def _both(draft: Draft, rng: Random, family: str) -> Place | None:
    from mutation.catalogue import mutations

    names = [
        name
        for name in mutations()
        if name.partition(".")[0] not in ("several", "harmless", "header") and name.startswith(family)
    ]
    first, second = rng.sample(names, 2)
    done = mutations()[first](draft, rng)
    try:
        return _joined(done, mutations()[second](draft, rng))
    except (ValueError, KeyError, IndexError):  # the first one left nothing that the second can read
        return done


def _joined(first: Place | None, second: Place | None) -> Place | None:
    return None if first is None and second is None else tuple(dict.fromkeys((*(first or ()), *(second or ()))))
