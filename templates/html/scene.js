/** The boxes that stand for the nodes under a fold, and where they stand. Linear but for one sort. */

const ROW_HEIGHT = 34;
const ROW_GAP = 16;
const FOLDED_HEIGHT = 36;
const BAND_HEAD = 14;
const BAND_GAP = 22;

/** What a box stands for: a node, like nodes of one folded lane, a layer, a stage. */
const NODE = 0;
const RANKS = 1;
const LAYER = 2;
const STAGE = 3;

function buildScene(graph, fold) {
  const { laneOf, lanes } = foldLanes(graph, fold);
  const sets = laneSets(graph, laneOf, lanes);
  const boxes = gatherBoxes(graph, fold, sets);
  const rows = placeRows(graph, boxes, sets, lanes);
  const scene = { kind: 'graph', lanes, ...boxes, ...rows };
  scene.extent = extentOf(scene);
  scene.index = boxIndex(scene);
  Object.assign(scene, buildEdges(graph, scene, sets));
  scene.runs = buildRuns(scene);
  return scene;
}

/** For each set of columns the set of lanes, as runs of neighbours: [first, last, first, last, …]. */
function laneSets(graph, laneOf, lanes) {
  const numbers = new Map();
  const runs = [];
  const folded = [];
  const number = (found) => {
    const key = found.join();
    if (!numbers.has(key)) {
      numbers.set(key, runs.length);
      const run = [];
      for (const lane of found) {
        if (run.length && run[run.length - 1] === lane - 1) run[run.length - 1] = lane;
        else run.push(lane, lane);
      }
      runs.push(run);
      folded.push(found.some((lane) => lanes[lane].columns.length > 1));
    }
    return numbers.get(key);
  };
  const lanesOf = (columns) => [...new Set(Array.from(columns, (column) => laneOf[column]))].sort((a, b) => a - b);
  const of = graph.sets.map((set) => number(lanesOf(set)));
  return { of, runs, folded, number };
}

/** Which box each node is in. Boxes of folded layers know their lanes only when all nodes have been seen. */
function gatherBoxes(graph, fold, sets) {
  const boxOf = new Int32Array(graph.count);
  const list = [];
  const known = new Map();
  const spans = new Map();
  for (let node = 0; node < graph.count; node++) {
    const band = graph.band[node];
    const [layer, stage] = [graph.layers[band], graph.stages[band]];
    const set = sets.of[graph.setOf[node]];
    let level = NODE;
    let key = null;
    if (stage >= 0 && fold.stage.has(stage)) [level, key] = [STAGE, `s${stage}`];
    else if (layer >= 0 && fold.layer.has(layer)) [level, key] = [LAYER, `l${layer}`];
    else if (sets.folded[set]) {
      level = RANKS;
      key = `${band},${graph.step[node]},${graph.op[node]},${graph.shapeOfText[graph.title[node]]},${set}`;
    }
    let box = key === null ? -1 : (known.get(key) ?? -1);
    if (box < 0) {
      box = list.length;
      const whole = level > RANKS;
      list.push({ level, band, step: whole ? 0 : graph.step[node], op: whole ? -1 : graph.op[node], set, first: node, count: 0 });
      if (key !== null) known.set(key, box);
      if (level > RANKS) spans.set(box, new Set());
    }
    list[box].count++;
    if (level > RANKS) spans.get(box).add(graph.setOf[node]);
    boxOf[node] = box;
  }
  for (const one of list) if (one.level === RANKS && one.count === 1) one.level = NODE;
  for (const [box, used] of spans) {
    const lanes = new Set([...used].flatMap((set) => spread(sets.runs[sets.of[set]])));
    list[box].set = sets.number([...lanes].sort((a, b) => a - b));
    const columns = new Set([...used].flatMap((set) => Array.from(graph.sets[set])));
    list[box].gpus = gpusOfColumns(graph, columns).length;
  }
  return { boxOf, list };
}

function spread(runs) {
  const found = [];
  for (let i = 0; i < runs.length; i += 2) for (let lane = runs[i]; lane <= runs[i + 1]; lane++) found.push(lane);
  return found;
}

/** Rows from top to bottom; boxes of one step that would lie on each other get rows of their own. */
function placeRows(graph, { list }, sets, lanes) {
  const count = list.length;
  const first = (box) => sets.runs[list[box].set][0];
  const order = Array.from({ length: count }, (_, box) => box).sort(
    (a, b) => list[a].band - list[b].band || list[a].step - list[b].step || first(a) - first(b) || a - b,
  );
  const place = { x0: new Float64Array(count), x1: new Float64Array(count), y0: new Float64Array(count), y1: new Float64Array(count), row: new Int32Array(count) };
  const rowY = [];
  const frames = [];
  let y = 0;
  for (let at = 0; at < count; ) {
    const { band, level } = list[order[at]];
    const folded = level > RANKS;
    const top = y;
    const frame = { band, level, box: folded ? order[at] : -1, y0: top, x0: Infinity, x1: -Infinity };
    if (!folded) y += BAND_HEAD;
    while (at < count && list[order[at]].band === band) {
      const start = at;
      const { step } = list[order[at]];
      while (at < count && list[order[at]].band === band && list[order[at]].step === step) at++;
      const members = order.slice(start, at);
      const depth = packStep(members, list, sets, place.row, rowY.length);
      const height = folded ? FOLDED_HEIGHT : ROW_HEIGHT;
      for (let sub = 0; sub < depth; sub++) rowY.push(y + sub * (height + ROW_GAP));
      for (const box of members) {
        const runs = sets.runs[list[box].set];
        place.x0[box] = lanes[runs[0]].x;
        place.x1[box] = lanes[runs[runs.length - 1]].x + LANE_WIDTH;
        place.y0[box] = rowY[place.row[box]];
        place.y1[box] = place.y0[box] + height;
        frame.x0 = Math.min(frame.x0, place.x0[box]);
        frame.x1 = Math.max(frame.x1, place.x1[box]);
      }
      y += depth * (height + ROW_GAP);
    }
    frame.y1 = folded ? y - ROW_GAP : y;
    frames.push(frame);
    y = folded ? y - ROW_GAP + 10 : y + BAND_GAP;
  }
  return { ...place, rowY, frames, runsOf: (box) => sets.runs[list[box].set] };
}

/** First come first served by left ends; a row freed first is taken first. Returns the number of rows. */
function packStep(members, list, sets, row, base) {
  const last = (box) => sets.runs[list[box].set][sets.runs[list[box].set].length - 1];
  const byEnd = [...members].sort((a, b) => last(a) - last(b) || a - b);
  const free = [];
  let rows = 0;
  let ended = 0;
  let taken = 0;
  for (const box of members) {
    const left = sets.runs[list[box].set][0];
    while (ended < byEnd.length && last(byEnd[ended]) < left) free.push(row[byEnd[ended++]]);
    if (taken === free.length) row[box] = base + rows++;
    else row[box] = free[taken++];
  }
  return rows;
}

function extentOf({ x0, x1, y0, y1, list }) {
  const found = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (let box = 0; box < list.length; box++) {
    found.x0 = Math.min(found.x0, x0[box]);
    found.x1 = Math.max(found.x1, x1[box]);
    found.y0 = Math.min(found.y0, y0[box]);
    found.y1 = Math.max(found.y1, y1[box]);
  }
  return found;
}

function boxIndex({ x0, x1, y0, y1, list }) {
  const index = new Flatbush(list.length);
  for (let box = 0; box < list.length; box++) index.add(x0[box], y0[box], x1[box], y1[box]);
  index.finish();
  return index;
}

/** For far away: neighbours in a row that look the same, as one rectangle each; by row, from left to right. */
function buildRuns({ list, y0, y1, row, rowY, runsOf, lanes }) {
  const rows = rowY.map(() => []);
  for (let box = 0; box < list.length; box++) {
    const runs = runsOf(box);
    const { level, op } = list[box];
    for (let i = 0; i < runs.length; i += 2) {
      const [from, to] = [lanes[runs[i]].x, lanes[runs[i + 1]].x + LANE_WIDTH];
      rows[row[box]].push({ x0: from, x1: to, y0: y0[box], y1: y1[box], level, op });
    }
  }
  return rows.map((parts) => {
    parts.sort((a, b) => a.x0 - b.x0);
    const merged = [];
    for (const part of parts) {
      const before = merged[merged.length - 1];
      const alike = before && before.op === part.op && before.level === part.level;
      if (alike && part.x0 - before.x1 <= LANE_GAP) before.x1 = part.x1;
      else merged.push(part);
    }
    return merged;
  });
}
