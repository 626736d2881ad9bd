"""Deployments to report on or to compare: loaded, and priced where a cluster is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.analysis.subject import Subject
    from dagtool.generators.request import Request

__all__ = ["subject_of"]


def subject_of(name: str, request: Request, options: Mapping[str, object]) -> Subject:
    """One preset, strategy file or DOT file. Raises DagtoolError."""
    from dataclasses import replace

    from dagtool.analysis.subject import Priced, Subject
    from dagtool.cli._pricing import priced
    from dagtool.cli._subject import is_strategy, load_file
    from dagtool.cost.dtypes import dtype_bytes
    from dagtool.cost.memory import Assumptions
    from dagtool.cost.schedule import schedule
    from dagtool.errors import DagtoolError
    from dagtool.generators.partition import partition
    from dagtool.generators.request import read_strategy

    dtype, way = str(options["dtype"]), str(options["dispatch"])
    given = Assumptions(
        weight_width_bytes=float(dtype_bytes(dtype, "weight")),
        activation_width_bytes=float(dtype_bytes(dtype, "activation")),
        kv_width_bytes=float(dtype_bytes(dtype, "cache")),
        fused_attention=options["attention"] == "fused",
    )
    if is_strategy(name):
        strategy = read_strategy(name, request)
        dag, changed = partition(strategy), dict(request.settings)
        found = Subject(strategy.name, dag, strategy, changed, assumptions=given, dispatch=way)
    else:
        found = Subject(name, load_file(name, request), assumptions=given, dispatch=way)
    if not options["cluster"]:
        return found
    if not found.dag.declared:
        raise DagtoolError(
            f"{name}: its nodes declare no operators and sizes, so their time is not known", "leave out --cluster"
        )
    try:
        cluster, times = priced(found.dag, options)
        plan = schedule(found.dag, times.time_s)
    except DagtoolError as error:
        raise DagtoolError(f"{name}: {error.message}", error.hint) from None
    except ValueError as error:
        raise DagtoolError(f"{name}: {error}", f"'dagtool validate {name}' shows it") from None
    return replace(found, priced=Priced(cluster, str(options["dtype"]), times, plan))
