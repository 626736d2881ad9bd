/** What a selection lights up: its neighbours, or everything before and after it. */

function membersOf(scene, graph, box) {
  const { first, count } = scene.list[box];
  if (count === 1) return [first];
  const found = [];
  for (let node = first; node < graph.count && found.length < count; node++)
    if (scene.boxOf[node] === box) found.push(node);
  return found;
}

/** Nodes reached from some nodes along neighbours; one step, or all the way. */
function reach(neighbours, start, count, all) {
  const found = new Uint8Array(count);
  let [wave, total] = [start, 0];
  while (wave.length) {
    const next = [];
    for (const node of wave) {
      for (const other of neighbours.of(node)) {
        if (found[other]) continue;
        found[other] = 1;
        total++;
        next.push(other);
      }
    }
    wave = all ? next : [];
  }
  return { found, total };
}

function traceOf(graph, scene, nodes, all) {
  const before = reach(graph.before, nodes, graph.count, all);
  const after = reach(graph.after, nodes, graph.count, all);
  const hits = new Uint8Array(graph.count);
  for (let node = 0; node < graph.count; node++) hits[node] = before.found[node] | after.found[node];
  const own = new Uint8Array(graph.count);
  for (const node of nodes) hits[node] = own[node] = 1;
  const { edges } = scene;
  const [beforeEdges, afterEdges] = [new Set(), new Set()];
  for (let edge = 0; edges && edge < graph.tails.length; edge++) {
    const [tail, head] = [graph.tails[edge], graph.heads[edge]];
    if (edges.of[edge] < 0) continue;
    if (before.found[tail] && (own[head] || (all && before.found[head]))) beforeEdges.add(edges.of[edge]);
    else if (after.found[head] && (own[tail] || (all && after.found[tail]))) afterEdges.add(edges.of[edge]);
  }
  return {
    hits,
    all,
    before: before.total,
    after: after.total,
    beforeEdges: [...beforeEdges],
    afterEdges: [...afterEdges],
  };
}

/** The neighbour that an arrow key leads to: on the critical path first, then in the nearest lane. */
function stepAlong(app, direction) {
  const { scene, graph, selected: box } = app;
  const { edges, list } = scene;
  if (!edges) return -1;
  const middle = (scene.x0[box] + scene.x1[box]) / 2;
  let best = -1;
  let cost = Infinity;
  for (let edge = 0; edge < edges.count; edge++) {
    const [from, to] = direction > 0 ? [edges.tail[edge], edges.head[edge]] : [edges.head[edge], edges.tail[edge]];
    if (from !== box || to === box) continue;
    const onPath = graph.pathAt.has(list[box].first) && graph.pathAt.has(list[to].first) ? 1e9 : 0;
    const away =
      Math.abs((scene.x0[to] + scene.x1[to]) / 2 - middle) + 0.01 * Math.abs(scene.row[to] - scene.row[box]) - onPath;
    if (away < cost) [best, cost] = [to, away];
  }
  return best;
}

/** The next box in the same row. */
function stepAside({ scene, selected: box }, direction) {
  let best = -1;
  for (let other = 0; other < scene.list.length; other++) {
    if (scene.row[other] !== scene.row[box] || (scene.x0[other] - scene.x0[box]) * direction <= 0) continue;
    if (best < 0 || (scene.x0[other] - scene.x0[best]) * direction < 0) best = other;
  }
  return best;
}
