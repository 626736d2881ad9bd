/** Which nodes are one box under a fold. */

/** What a box stands for: a node, like nodes of one folded lane, a layer, a stage. */
const NODE = 0;
const RANKS = 1;
const LAYER = 2;
const STAGE = 3;

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
      list.push({
        level,
        band,
        step: whole ? 0 : graph.step[node],
        op: whole ? -1 : graph.op[node],
        set,
        first: node,
        count: 0,
      });
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
