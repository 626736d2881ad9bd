"""Generate, validate, price and draw the deployment DAG of a large language model.

>>> import dagtool
>>> dag = dagtool.generate("pp2")
>>> dag.validate()
[]
>>> len(dag.critical_path().nodes) > 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag

__all__ = ["generate", "read"]
__version__ = "0.1.0"


def generate(name: str, **settings: int | str) -> Dag:
    """The DAG of a preset or strategy file; sizes and degrees by keyword: ``generate("ep16", L=8, B="B")``.

    Raises dagtool.errors.DagtoolError for an unknown name or a degree that does not divide.
    """
    from dagtool.generators import generate as build

    return build(name, {key: str(value) for key, value in settings.items()})


def read(path: str) -> Dag:
    """The first graph of a DOT file. Raises dagtool.errors.DagtoolError, located, where it is not DOT."""
    from dagtool.dot.load import load_dag

    return load_dag(path)
