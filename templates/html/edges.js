/** Edges between boxes and the way each takes: down, across in a gap between rows, down beside a lane, in. */

const BEND = 6;

function buildEdges(graph, scene, sets) {
  const { boxOf, list } = scene;
  const tail = [];
  const head = [];
  const kind = [];
  const weight = [];
  const known = new Map();
  const edgeOf = new Int32Array(graph.tails.length).fill(-1);
  for (let edge = 0; edge < graph.tails.length; edge++) {
    const [a, b] = [boxOf[graph.tails[edge]], boxOf[graph.heads[edge]]];
    if (a === b && list[a].level !== NODE) continue;
    const several = list[a].count > 1 || list[b].count > 1;
    const key = several ? (a * list.length + b) * 4 + graph.class[edge] : -1;
    let at = several ? (known.get(key) ?? -1) : -1;
    if (at < 0) {
      at = tail.length;
      tail.push(a);
      head.push(b);
      kind.push(graph.class[edge]);
      weight.push(0);
      if (several) known.set(key, at);
    }
    weight[at]++;
    edgeOf[edge] = at;
  }
  const routes = routeEdges(scene, sets, tail, head, kind);
  return { edges: { tail, head, kind, weight, of: edgeOf, count: tail.length, ...routes } };
}

function routeEdges(scene, sets, tail, head, kind) {
  const { list, lanes, row, y0, y1 } = scene;
  const count = tail.length;
  const route = {
    x1: new Float64Array(count),
    y1: new Float64Array(count),
    x2: new Float64Array(count),
    y2: new Float64Array(count),
    via: new Float64Array(count),
  };
  const taken = occupiedRows(scene, sets);
  const index = new Flatbush(Math.max(1, count));
  for (let edge = 0; edge < count; edge++) {
    const [a, b] = [tail[edge], head[edge]];
    const [from, to] = meet(sets.runs[list[a].set], sets.runs[list[b].set]);
    // Edges of one kind share a way; of several kinds between the same boxes each has its own.
    const shift = from === to && lanes[from] ? 0 : 4 * (kind[edge] - 1);
    route.x1[edge] = lanes[from].x + LANE_WIDTH / 2 + (from === to ? 0 : shift);
    route.x2[edge] = lanes[to].x + LANE_WIDTH / 2;
    if (from === to) route.x1[edge] = route.x2[edge];
    route.y1[edge] = y1[a];
    route.y2[edge] = y0[b];
    const direct = row[b] > row[a] && nextRow(taken[to], row[a]) >= row[b];
    const side = LANE_WIDTH / 2 + 5 + 4 * (row[a] % 3);
    route.via[edge] = direct ? route.x2[edge] : route.x2[edge] + (route.x1[edge] < route.x2[edge] ? -side : side);
    const xs = [route.x1[edge], route.x2[edge], route.via[edge]];
    const ys = [route.y1[edge], route.y2[edge]];
    index.add(Math.min(...xs), Math.min(...ys) - BEND, Math.max(...xs), Math.max(...ys) + BEND);
  }
  if (!count) index.add(0, 0, 0, 0);
  index.finish();
  return { ...route, index };
}

/** In which lane an edge leaves and in which it arrives: the same one where both ends have it. */
function meet(tailRuns, headRuns) {
  const [a0, a1] = [tailRuns[0], tailRuns[tailRuns.length - 1]];
  const [b0, b1] = [headRuns[0], headRuns[headRuns.length - 1]];
  if (b0 === b1 && has(tailRuns, b0)) return [b0, b0];
  if (a0 === a1 && has(headRuns, a0)) return [a0, a0];
  const [low, high] = [Math.max(a0, b0), Math.min(a1, b1)];
  if (low <= high) {
    const middle = (low + high) >> 1;
    for (let away = 0; away <= high - low; away++) {
      for (const lane of [middle + away, middle - away]) {
        if (lane >= low && lane <= high && has(tailRuns, lane) && has(headRuns, lane)) return [lane, lane];
      }
    }
  }
  return a1 < b0 ? [a1, b0] : b1 < a0 ? [a0, b1] : [nearest(tailRuns, (b0 + b1) / 2), nearest(headRuns, (a0 + a1) / 2)];
}

function has(runs, lane) {
  for (let i = 0; i < runs.length; i += 2) if (runs[i] <= lane && lane <= runs[i + 1]) return true;
  return false;
}

function nearest(runs, lane) {
  return [...runs].sort((a, b) => Math.abs(a - lane) - Math.abs(b - lane))[0];
}

/** By lane the rows in which something stands, ascending. */
function occupiedRows({ list, row, lanes }, sets) {
  const taken = lanes.map(() => []);
  const order = Array.from({ length: list.length }, (_, box) => box).sort((a, b) => row[a] - row[b]);
  for (const box of order) {
    const runs = sets.runs[list[box].set];
    for (let i = 0; i < runs.length; i += 2)
      for (let lane = runs[i]; lane <= runs[i + 1]; lane++) taken[lane].push(row[box]);
  }
  return taken;
}

function nextRow(rows, after) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] <= after) low = middle + 1;
    else high = middle;
  }
  return low < rows.length ? rows[low] : Infinity;
}

/** Adds the way of an edge to a path, in pixels; corners are round where that can be seen. */
function traceEdge(path, edges, edge, toX, toY, round) {
  const [x1, y1] = [toX(edges.x1[edge]), toY(edges.y1[edge])];
  const [x2, y2] = [toX(edges.x2[edge]), toY(edges.y2[edge])];
  const via = toX(edges.via[edge]);
  path.moveTo(x1, y1);
  if (x1 === x2 && via === x2) {
    path.lineTo(x2, y2);
    return;
  }
  const [low, high] = [toY(edges.y1[edge] + BEND), toY(edges.y2[edge] - BEND)];
  const corners = [
    [x1, low],
    [via, low],
    [via, high],
    [x2, high],
    [x2, y2],
  ];
  if (round < 1) {
    for (const [x, y] of corners) path.lineTo(x, y);
    return;
  }
  for (let i = 0; i < 4; i++) path.arcTo(...corners[i], ...corners[i + 1], round);
  path.lineTo(x2, y2);
}
