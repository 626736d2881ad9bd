/** Columns under a fold: those that a folded host or axis brings together are one lane. */

const LANE_WIDTH = 132;
const LANE_GAP = 22;
const HOST_GAP = 26;

function foldLanes(graph, fold) {
  const root = Int32Array.from({ length: graph.lanes }, (_, column) => column);
  const find = (column) => {
    while (root[column] !== column) column = root[column] = root[root[column]];
    return column;
  };
  const join = (columns) => {
    for (const column of columns) {
      const [a, b] = [find(columns[0]), find(column)];
      root[Math.max(a, b)] = Math.min(a, b);
    }
  };
  for (const host of fold.host) join(graph.hosts.get(host) || []);
  for (const [, axes, columns] of graph.meshes) joinAxes(axes, columns, fold.axis, join);
  const laneOf = new Int32Array(graph.lanes);
  const lanes = [];
  for (let column = 0; column < graph.lanes; column++) {
    if (find(column) === column) {
      laneOf[column] = lanes.length;
      lanes.push({ columns: [] });
    }
    laneOf[column] = laneOf[find(column)];
    lanes[laneOf[column]].columns.push(column);
  }
  placeLanes(graph, lanes);
  return { laneOf, lanes };
}

/** GPUs of a mesh that differ only along folded axes are one. */
function joinAxes(axes, columns, folded, join) {
  if (!axes.some(([name, size]) => size > 1 && folded.has(name))) return;
  const groups = new Map();
  columns.forEach((column, rank) => {
    if (column < 0) return;
    let key = '';
    let rest = rank;
    for (const [name, size] of [...axes].reverse()) {
      if (!folded.has(name)) key += `${rest % size},`;
      rest = Math.floor(rest / size);
    }
    groups.set(key, [...(groups.get(key) || []), column]);
  });
  for (const group of groups.values()) join(group);
}

function placeLanes(graph, lanes) {
  let x = 0;
  let last = null;
  for (const lane of lanes) {
    const gpus = gpusOfColumns(graph, lane.columns);
    lane.host = hostOf(gpus, graph.host);
    if (last !== null && lane.host !== last) x += HOST_GAP;
    last = lane.host;
    lane.x = x;
    x += LANE_WIDTH + LANE_GAP;
    lane.label = gpus.length ? `GPU ${runsText(gpus, 3)}` : '';
  }
}
