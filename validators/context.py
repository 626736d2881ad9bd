"""What the rules share about one graph: each analysis is made when first asked for, and once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING

from dagtool.dag import algorithms
from dagtool.dag.algorithms import Adjacency, Components
from dagtool.dag.idtemplate import group_ids, outlines
from dagtool.errors import DagtoolError
from dagtool.model.roles import ENTRY
from dagtool.report.finding import Excerpt, Facts, Finding, Outline, Severity
from dagtool.report.quote import excerpt, name_of
from dagtool.validators.wishes import AUTO, DEPLOYMENT

if TYPE_CHECKING:
    from dagtool.dag.graph import Dag, Kind
    from dagtool.dot import DotGraph
    from dagtool.foreign import Guess
    from dagtool.foreign.deployment import Nature
    from dagtool.generators.parts import ModelParts, Part
    from dagtool.generators.phase import Phase
    from dagtool.model.tensor import TensorType
    from dagtool.model.tree import Model
    from dagtool.report.fix import Proposal
    from dagtool.validators.edges import EdgeEnds, EdgeFault, Ends
    from dagtool.validators.inventory import Inventory
    from dagtool.validators.locality import Locality
    from dagtool.validators.offer import Offers
    from dagtool.validators.options import Option
    from dagtool.validators.products import LabelledProduct
    from dagtool.validators.reading import Reading
    from dagtool.validators.roles import Roles
    from dagtool.validators.rule import Rule
    from dagtool.validators.suppress import Suppressions
    from dagtool.validators.wishes import Wishes

__all__ = ["Context"]

_MAX_TEMPLATES = 20


class Context:
    """One graph under examination. ``where`` names it in a file that holds several."""

    def __init__(
        self, dag: Dag, *, path: str = "", where: str = "", group: bool = True, wishes: Wishes | None = None
    ) -> None:
        self.dag = dag
        self.graph: DotGraph | None = dag.source
        self.path = path
        self.where = where
        self.group = group
        self.wishes = wishes
        self.asked: frozenset[str] = frozenset()
        """Codes of the rules that are asked of this graph."""
        self.seconds: dict[str, float] = {}
        """How long each rule took, by its code."""
        self.suppressions: Suppressions | None = None
        self.offers: Offers | None = None
        """Makes the fixes of findings; None where there is no file to edit."""
        self.last_graph = True
        self.partial = False
        """Whether this is only the part of a broken file that could be read."""
        self.dropped = False
        """Whether something of the file had to be left out or guessed to read that part."""
        self._hidden: dict[int, Finding] = {}

    def shown(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that the file does not ask to hide."""
        return [finding for finding in findings if id(finding) not in self._hidden]

    def _told(self, rule: Rule, *, nodes: Sequence[int] = (), edges: Sequence[int] = ()) -> list[int]:
        """The nodes or edges for which the file does not hide the rule."""
        if not self.suppressions:
            return [*nodes, *edges]
        hide = self.suppressions.hide
        return [
            *(node for node in nodes if not hide(rule.code, None, node=node)),
            *(edge for edge in edges if not hide(rule.code, None, edge=edge)),
        ]

    def stance(self, option: Option) -> Severity | None:
        """How severe a breach of a convention is here; None where it is let be."""
        chosen = self.wishes.options if self.wishes else {}
        return option.severity(chosen.get(option.key, option.defaults[1]))

    @cached_property
    def outline(self) -> Outline | None:
        """What a graph that is no deployment is like; None for a deployment."""
        if self.nature.deployment:
            return None
        if not self.directed:
            return Outline(None)
        if self.acyclic:
            length, _ = algorithms.longest_path(self.order, self.before, [1] * self.size)
            return Outline(max(0, int(length) - 1))
        edges = algorithms.shortest_cycle(self.after, self.cyclic_components[0])
        return Outline(None, tuple(self.dag.ids[self.dag.tails[edge]] for edge in edges))

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.dag.ids)

    @property
    def directed(self) -> bool:
        """Whether the graph is a digraph."""
        return self.graph is None or self.graph.directed

    @cached_property
    def _degrees(self) -> tuple[list[int], list[int]]:
        return algorithms.degrees(self.size, self.dag.tails, self.dag.heads)

    @property
    def indegree(self) -> list[int]:
        """Edges into each node."""
        return self._degrees[0]

    @property
    def outdegree(self) -> list[int]:
        """Edges out of each node."""
        return self._degrees[1]

    @cached_property
    def after(self) -> Adjacency:
        """Successors."""
        return algorithms.successors(self.size, self.dag.tails, self.dag.heads)

    @cached_property
    def before(self) -> Adjacency:
        """Predecessors."""
        return algorithms.successors(self.size, self.dag.heads, self.dag.tails)

    @cached_property
    def order(self) -> list[int]:
        """Topological order; shorter than the graph where there is a cycle."""
        return algorithms.topological_order(self.after, self.indegree)

    @property
    def acyclic(self) -> bool:
        """Whether there is no cycle."""
        return len(self.order) == self.size

    @cached_property
    def cyclic_components(self) -> list[list[int]]:
        """Strong components that hold a cycle."""
        return algorithms.cyclic_components(self.size, self.dag.tails, self.dag.heads, self.order)

    @cached_property
    def components(self) -> Components:
        """Weakly connected components."""
        return algorithms.weak_components(self.size, self.dag.tails, self.dag.heads)

    @cached_property
    def isolated(self) -> list[int]:
        """Nodes without any edge."""
        return algorithms.isolated_nodes(self.indegree, self.outdegree)

    @cached_property
    def roles(self) -> Roles:
        """Which nodes are inputs, outputs, and no part of the deployment (legends)."""
        from dagtool.validators.roles import Roles

        return Roles(self)

    @cached_property
    def id_outlines(self) -> list[str]:
        """The id of each node, digits as 0: few texts for many nodes."""
        return outlines(self.dag.ids)

    @cached_property
    def label_outlines(self) -> list[str]:
        """The label attribute of each node, digits as 0."""
        nodes = self.graph.node_attributes if self.graph else [{}] * self.size
        return outlines([attributes.get("label", "") for attributes in nodes])

    @cached_property
    def labels(self) -> Guess | None:
        """What the labels say, in a file that declares no operators; None where they are declared."""
        if self.dag.declared or self.graph is None:
            return None
        from dagtool.foreign import guess

        return guess(self.graph)

    @cached_property
    def unread_labels(self) -> list[int]:
        """Nodes of the deployment whose labels hold text that was not understood."""
        if self.labels is None:
            return []
        roles = self.roles
        return [node for node in self.labels.unread if not (roles.is_legend(node) or roles.is_text(node))]

    @cached_property
    def nature(self) -> Nature:
        """Whether the graph is a deployment, and why: it declares so, it was asked for, or its nodes say so."""
        from dagtool.foreign.deployment import Nature, judge_nature

        if self.dag.declared or self.labels is None:
            return Nature(True, "the file declares operators")
        wishes = self.wishes
        if wishes and wishes.treat_as != AUTO:
            return Nature(wishes.treat_as == DEPLOYMENT, "as was asked for")
        if wishes and wishes.expected:
            return Nature(True, "it is expected to be one")
        return judge_nature(self.labels)

    @cached_property
    def reading(self) -> Reading:
        """What follows from the labels together; empty where operators are declared."""
        from dagtool.validators.reading import Reading

        return Reading(self)

    @cached_property
    def products(self) -> list[LabelledProduct]:
        """The matrix products that labels state."""
        from dagtool.validators.products import labelled_products

        return list(labelled_products(self))

    @property
    def expert_count(self) -> int:
        """How many experts there are nodes for: R where some are there more than once, else E; 0 where unknown."""
        sizes = self.dag.sizes
        return sizes.get("R") or sizes.get("E") or 0

    @cached_property
    def inventory(self) -> Inventory:
        """How many GPUs, layers, stages and experts there are."""
        from dagtool.validators.inventory import take_inventory

        return take_inventory(self)

    @cached_property
    def described(self) -> list[int]:
        """Nodes whose labels should describe an operator: no input, output, legend, placeholder, none without edges."""
        if self.labels is None:
            return []
        roles, nodes, alone = self.roles, self.labels.nodes, set(self.isolated) if self.dag.tails else set[int]()
        return [
            node
            for node, facts in enumerate(nodes)
            if facts.operation.family not in ("io", "placeholder")
            and node not in alone
            and not (roles.is_input(node) or roles.is_output(node) or roles.is_legend(node) or roles.is_text(node))
        ]

    @cached_property
    def misread_nodes(self) -> frozenset[int]:
        """Nodes whose names are parts of words that were meant otherwise, where DOT009 is asked and says so."""
        from dagtool.dot.split_names import QUOTES, misread

        if self.graph is None or "DOT009" not in self.asked:
            return frozenset()
        parts = chain.from_iterable(place.parts for place in misread(self.graph) if place.kind != QUOTES)
        return frozenset(self.graph.index[part] for part in parts if part in self.graph.index)

    @cached_property
    def families(self) -> list[str]:
        """The operator family of each kind; empty where there is no such operator."""
        if not self.dag.declared:
            return [""] * len(self.dag.kinds)
        from dagtool.ops import OPERATORS

        return [OPERATORS[kind.op].family if kind.op in OPERATORS else "" for kind in self.dag.kinds]

    @cached_property
    def _typed(self) -> list[tuple[TensorType, ...] | str | None]:
        """For each kind the recomputed outputs, or why its operator refuses, or None where nothing can be said."""
        from dagtool.dag.semantics import infer_outputs
        from dagtool.ops import OPERATORS, LayoutError

        unreadable = {self.dag.kind_of[problem.node] for problem in self.dag.problems if problem.node >= 0}
        found: list[tuple[TensorType, ...] | str | None] = []
        for index, kind in enumerate(self.dag.kinds):
            if kind.op not in OPERATORS or index in unreadable:
                found.append(None)
                continue
            try:
                found.append(infer_outputs(kind))
            except LayoutError as error:
                found.append(str(error))
        return found

    @cached_property
    def inferred(self) -> list[tuple[TensorType, ...] | None]:
        """The output types of each kind recomputed from its inputs; None where the operator refuses."""
        return [None if isinstance(found, str) else found for found in self._typed]

    @cached_property
    def refusals(self) -> dict[int, str]:
        """Kinds whose inputs their operator refuses, and why."""
        return {index: found for index, found in enumerate(self._typed) if isinstance(found, str)}

    @cached_property
    def undeclared(self) -> list[tuple[str, ...]]:
        """For each kind the meshes, axes and sizes its types use that the graph does not declare."""
        from dagtool.dag.semantics import undeclared

        return [tuple(dict.fromkeys(undeclared(kind, self.dag))) for kind in self.dag.kinds]

    @cached_property
    def model_faults(self) -> list[tuple[str, str]]:
        """(graph attribute, what is wrong with it), where it can be read but describes no model or phase there is."""
        from dagtool.generators.blocks.architecture import resolve
        from dagtool.generators.phase import parse_phases
        from dagtool.model.tree import ModelError, parse_model

        facts: dict[str, str] = self.dag.facts
        found: list[tuple[str, str]] = []
        try:
            model = parse_model(facts.get("model", ""))
        except ModelError:
            return []  # one of dag.problems
        try:
            resolve(model)
            model.order(self.dag.sizes.get("L") or 0) if model.pattern and self.dag.sizes.get("L") else None
        except ModelError as error:
            found.append(("model", str(error)))
        try:
            parse_phases(facts.get("phase", "forward"))
        except DagtoolError as error:
            found.append(("phase", f"{error.message}; {error.hint}" if error.hint else error.message))
        return found

    @cached_property
    def missing_sizes(self) -> list[str]:
        """Sizes that the declared model has and the graph does not give."""
        from dagtool.generators.unsharded import needed_sizes
        from dagtool.model.size import SizeError
        from dagtool.model.tree import ModelError, parse_model

        sizes = self.dag.sizes
        try:
            model = parse_model(self.dag.facts["model"])
            needed = [needed_sizes(model, frozenset(sizes), phase) for phase in self.phases.values()]
        except (KeyError, ModelError, SizeError):
            return []
        return [symbol for symbol in dict.fromkeys(chain.from_iterable(needed)) if symbol not in sizes]

    @cached_property
    def edge_ends(self) -> EdgeEnds:
        """Edges by the kinds of their ends."""
        from dagtool.validators.edges import EdgeEnds

        return EdgeEnds(self.dag)

    @cached_property
    def type_faults(self) -> dict[Ends, EdgeFault]:
        """Ends of edges whose types do not fit."""
        from dagtool.validators.edges import type_faults

        return type_faults(self.dag, self.edge_ends)

    def lacks_collective(self, edge: int) -> bool:
        """Whether the fault of an edge is a missing collective, which would also move its value."""
        fault = self.type_faults.get(self.edge_ends[edge])
        return fault is not None and fault.needs_collective

    @cached_property
    def sound(self) -> bool:
        """Whether what the graph declares holds together."""
        from dagtool.validators.soundness import is_sound

        return is_sound(self.dag)

    @cached_property
    def model(self) -> Model:
        """The model the graph deploys (precondition ``model``)."""
        from dagtool.model.tree import parse_model

        return parse_model(self.dag.facts["model"])

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """What the graph runs, by what tells the nodes of a phase apart: a forward pass unless it says otherwise.

        Precondition ``model`` refuses what cannot be read.
        """
        from dagtool.generators.phase import FORWARD, parse_phases

        try:
            return {phase.tag: phase for phase in parse_phases(self.dag.facts.get("phase", FORWARD.name))}
        except DagtoolError:
            return {FORWARD.tag: FORWARD}

    @cached_property
    def model_parts(self) -> dict[str, ModelParts]:
        """The parts of the model in each phase, by kind of layer."""
        from dagtool.generators.parts import model_parts

        return {tag: model_parts(self.model, self.dag.sizes, phase) for tag, phase in self.phases.items()}

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The parts of the model by role, in any phase and any kind of layer."""
        return {role: part for parts in reversed(self.phase_parts.values()) for role, part in parts.items()}

    @cached_property
    def phase_parts(self) -> dict[str, Mapping[str, Part]]:
        """The parts of each phase by role, in any kind of layer."""
        return {phase: parts.all() for phase, parts in self.model_parts.items()}

    def layer_kind(self, layer: int) -> str:
        """The kind of a layer; empty outside the layers (-1)."""
        return next(iter(self.model_parts.values())).kind_of(layer)

    @cached_property
    def layer_kinds(self) -> list[str]:
        """For each node the kind of its layer; empty outside the layers."""
        known = {layer: self.layer_kind(layer) for layer in set(self.dag.layer_of)}
        return [known[layer] for layer in self.dag.layer_of]

    @cached_property
    def kinds_by_layer_kind(self) -> dict[tuple[int, str], list[int]]:
        """The nodes of each kind in each kind of layer, in the order of the file."""
        found: dict[tuple[int, str], list[int]] = {}
        for node, key in enumerate(zip(self.dag.kind_of, self.layer_kinds, strict=True)):
            found.setdefault(key, []).append(node)
        return found

    def own_parts(self, phase: str, layer_kind: str) -> Mapping[str, Part]:
        """The parts that a kind of layer has in a phase; none where there is no such phase."""
        return self.model_parts[phase].of_kind(layer_kind) if phase in self.model_parts else {}

    def part(self, role: str, phase: str, layer_kind: str) -> Part | None:
        """A part as a kind of layer has it in a phase; as any has it where that one does not (MOD703 says it)."""
        return self.own_parts(phase, layer_kind).get(role) or self.parts.get(role)

    def is_of_expert(self, kind: int) -> bool:
        """Say whether nodes of a kind belong to one expert each; also where their role is no part of the model.

        What leads to another mesh carries the tokens of all experts together.
        """
        base = self.bases[kind]
        if base not in self.parts:
            return base != ENTRY  # MOD704 says it
        split = any(parts[base].per_expert for parts in self.phase_parts.values() if base in parts)
        return split and len(self.dag.kinds[kind].meshes) < 2

    @cached_property
    def bases(self) -> list[str]:
        """For each kind the part of the model whose value it holds."""
        from dagtool.model.roles import base_role

        return [base_role(kind.role) for kind in self.dag.kinds]

    @cached_property
    def values(self) -> list[str]:
        """For each kind that converts one of several outputs of a part: ``role:output``; else its base."""
        return [self._value(kind, base) for kind, base in zip(self.dag.kinds, self.bases, strict=True)]

    def _value(self, kind: Kind, base: str) -> str:
        part = self.parts.get(base)
        output = kind.role.removeprefix(f"{base}.").partition(".")[0]
        return f"{base}:{output}" if part and kind.role != base and output in part.outputs else base

    @cached_property
    def entries(self) -> frozenset[str]:
        """Parts whose value may enter a layer or the head: a layer's result, the embedding's, what carries them."""
        results = (role for parts in self.model_parts.values() for role in parts.results.values())
        return frozenset({*results, ENTRY})

    def nodes_of_base(self, role: str) -> list[int]:
        """All nodes that are a part of the model itself, not a conversion of it."""
        return self.nodes_of(index for index, kind in enumerate(self.dag.kinds) if kind.role == role)

    @cached_property
    def locality(self) -> Locality:
        """Which GPUs get each input and pass their output on."""
        from dagtool.validators.locality import Locality

        return Locality(self)

    @cached_property
    def _nodes_by_kind(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.dag.kinds]
        for node, kind in enumerate(self.dag.kind_of):
            found[kind].append(node)
        return found

    def nodes_of(self, kinds: Iterable[int]) -> list[int]:
        """All nodes of these kinds, in the order of the file."""
        return sorted(node for kind in kinds for node in self._nodes_by_kind[kind])

    @cached_property
    def facts(self) -> Facts:
        """What is counted in every graph."""
        return Facts(
            nodes=self.size,
            edges=len(self.dag.tails),
            directed=self.directed,
            acyclic=self.acyclic,
            sources=self.indegree.count(0),
            sinks=self.outdegree.count(0),
            isolated=len(self.isolated),
            components=len(self.components.sizes),
        )

    def name(self, node: int) -> str:
        """A node's id, safe to print."""
        return name_of(self.dag.ids[node])

    def located(self, node: int) -> str:
        """A node's id and, where it comes from a file, its line: ``ln1 (:988)``."""
        line = f" (:{self.graph.node_position(node).line})" if self.graph else ""
        return self.name(node) + line

    def templates(self, nodes: Iterable[int], limit: int = _MAX_TEMPLATES) -> str:
        """The ids of nodes by template: ``ln{1-2}_gpu{0-7} (16), input``."""
        return self._listed((self.dag.ids[node] for node in nodes), limit)

    @staticmethod
    def _listed(names: Iterable[str], limit: int = _MAX_TEMPLATES) -> str:
        groups = group_ids(names)
        shown = [name_of(group.text) + (f" ({group.count:,})" if group.count > 1 else "") for group in groups[:limit]]
        if len(groups) > limit:
            shown.append(f"… and {len(groups) - limit:,} more")
        return ", ".join(shown)

    def finding(
        self,
        rule: Rule,
        message: str,
        *,
        node: int | None = None,
        edge: int | None = None,
        at: int | None = None,
        attribute: str = "",
        count: int = 1,
        notes: Sequence[str] = (),
        help: str = "",
        label: str = "",
        severity: Severity | None = None,
        fix: Callable[[], Proposal | None] | None = None,
    ) -> Finding:
        """A finding of ``rule`` at a node, at its attribute, at an edge, at an offset of the text, or of the graph."""
        if at is None:
            line, column, piece = self._place(node, edge, attribute, label if count == 1 or label else None)
        else:
            line, column, piece = self._spot(at)
        about = node if node is not None else self.dag.tails[edge] if edge is not None else None
        found = Finding(
            code=rule.code,
            name=rule.name,
            severity=severity or rule.severity,
            message=f"{self.where}: {message}" if self.where else message,
            path=self.path,
            line=line,
            column=column,
            node=None if about is None else self.dag.ids[about],
            edge=None if edge is None else (self.dag.ids[self.dag.tails[edge]], self.dag.ids[self.dag.heads[edge]]),
            count=count,
            help=help,
            notes=tuple(filter(None, notes)),
            excerpt=piece,
        )
        if self.suppressions and not rule.last and self.suppressions.hide(rule.code, line, node, edge):
            self._hidden[id(found)] = found
        elif fix and self.offers:
            return replace(found, fix=self.offers.fix(fix()))
        return found

    def _place(
        self, node: int | None, edge: int | None, attribute: str, label: str | None
    ) -> tuple[int | None, int | None, Excerpt | None]:
        """Line, column and, unless ``label`` is None, the piece of the file to show."""
        graph = self.graph
        if graph is None or (node is None and edge is None):
            return None, None, None
        place = graph.edge_position(edge) if edge is not None else None
        if node is not None and edge is None:
            place = (graph.attribute_position(node, attribute) if attribute else None) or graph.node_position(node)
        assert place is not None
        if label is None:
            return place.line, place.column, None
        return (
            place.line,
            place.column,
            excerpt(graph.line_text(place.line), place.column, edge is not None, label),
        )

    def _spot(self, at: int) -> tuple[int | None, int | None, Excerpt | None]:
        assert self.graph is not None
        line, column = self.graph.position(at)
        return line, column, excerpt(self.graph.line_text(line), column, edge=False)

    def about_nodes(
        self,
        rule: Rule,
        nodes: Sequence[int],
        one: str,
        many: str,
        *,
        help: str = "",
        attribute: str = "",
        severity: Severity | None = None,
        limit: int = _MAX_TEMPLATES,
        fix: Callable[[Sequence[int]], Proposal | None] | None = None,
    ) -> list[Finding]:
        """The same fault of many nodes as one finding; as one each where grouping is off.

        ``one`` goes on from the node's id, ``many`` from the number of nodes; ``limit`` templates of ids are shown.
        ``fix`` is asked for the fix of these nodes.
        """
        if self.suppressions:
            nodes = self._told(rule, nodes=nodes)
        if len(nodes) > 1 and self.group:
            message = f"{len(nodes):,} of {self.size:,} nodes {many}"
            notes = (self.templates(nodes, limit),)
            return [
                self.finding(
                    rule, message, node=nodes[0], attribute=attribute, count=len(nodes), notes=notes,
                    help=help, severity=severity, fix=partial(fix, nodes) if fix else None,
                )
            ]  # fmt: skip
        return [
            self.finding(
                rule,
                f"{self.name(node)} {one}",
                node=node,
                attribute=attribute,
                help=help,
                severity=severity,
                fix=partial(fix, [node]) if fix else None,
            )
            for node in nodes
        ]

    def about_edges(
        self,
        rule: Rule,
        edges: Sequence[int],
        one: str,
        many: str,
        *,
        help: str = "",
        describe: Callable[[int], str] | None = None,
        severity: Severity | None = None,
        limit: int = _MAX_TEMPLATES,
        fix: Callable[[Sequence[int]], Proposal | None] | None = None,
    ) -> list[Finding]:
        """The same for edges. ``describe`` adds to the id pair of an edge what tells the edges apart."""
        if self.suppressions:
            edges = self._told(rule, edges=edges)
        pairs = [self.arrow(edge) + (describe(edge) if describe else "") for edge in edges]
        if len(edges) > 1 and self.group:
            message = f"{len(edges):,} of {len(self.dag.tails):,} edges {many}"
            return [
                self.finding(
                    rule,
                    message,
                    edge=edges[0],
                    count=len(edges),
                    notes=(self._listed(pairs, limit),),
                    help=help,
                    severity=severity,
                    fix=partial(fix, edges) if fix else None,
                )
            ]
        return [
            self.finding(
                rule,
                f"{pair} {one}",
                edge=edge,
                help=help,
                severity=severity,
                fix=partial(fix, [edge]) if fix else None,
            )
            for edge, pair in zip(edges, pairs, strict=True)
        ]

    def arrow(self, edge: int) -> str:
        """An edge as written: ``ln1 -> qkv``."""
        sign = "->" if self.directed else "--"
        return f"{self.name(self.dag.tails[edge])} {sign} {self.name(self.dag.heads[edge])}"
