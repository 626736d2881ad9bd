/** The graph as the page uses it: typed arrays by node and edge, neighbours, texts. Nothing here changes later. */

function makeGraph({ header, columns }) {
  const count = header.ids.length;
  const tails = columns.tail;
  const heads = tails.map((tail, edge) => tail + columns.reach[edge]);
  const lanes = header.gpus.length;
  // The columns of a node: its own where it stands in one lane, else those of its GPUs.
  const sets = [...header.devices, ...header.gpus.map((_, column) => [column])].map((set) =>
    Int32Array.from(set).sort(),
  );
  const setOf = new Int32Array(count);
  for (let node = 0; node < count; node++) {
    const slot = columns.slot[node];
    setOf[node] = slot >= 0 ? header.devices.length + slot : columns.device[node];
  }
  const shapeOfText = textShapes(header.texts);
  return {
    ...header,
    ...columns,
    count,
    lanes,
    heads,
    tails,
    sets,
    setOf,
    shapeOfText,
    after: neighbours(count, tails, heads),
    before: neighbours(count, heads, tails),
    marksOf: marksByNode(header.marks || []),
    runsOf: runsByNode(columns.run),
    pathAt: new Map(Array.from(columns.path, (node, place) => [node, place])),
    index: new Map(header.ids.map((id, node) => [id, node])),
    hosts: hostsOf(header.gpus, header.host),
  };
}

/** Neighbours of v: targets[offsets[v]] up to targets[offsets[v + 1] - 1]; edges has the edge of each. */
function neighbours(count, tails, heads) {
  const offsets = new Int32Array(count + 1);
  for (const tail of tails) offsets[tail + 1]++;
  for (let node = 0; node < count; node++) offsets[node + 1] += offsets[node];
  const next = offsets.slice(0, count);
  const targets = new Int32Array(tails.length);
  const edges = new Int32Array(tails.length);
  for (let edge = 0; edge < tails.length; edge++) {
    const at = next[tails[edge]]++;
    targets[at] = heads[edge];
    edges[at] = edge;
  }
  const of = (node) => targets.subarray(offsets[node], offsets[node + 1]);
  return { offsets, targets, edges, of };
}

/** Texts that differ in their numbers only have the same shape: such nodes may become one box. */
function textShapes(texts) {
  const known = new Map();
  return Int32Array.from(texts, (text) => {
    const shape = text.length < 200 ? text.replace(/\d+/g, '#') : text;
    if (!known.has(shape)) known.set(shape, known.size);
    return known.get(shape);
  });
}

function marksByNode(marks) {
  const found = new Map();
  for (const mark of marks) for (const node of mark[3]) found.set(node, [...(found.get(node) || []), mark]);
  return found;
}

/** By node its runs, in the order of the payload. */
function runsByNode(nodes) {
  const found = new Map();
  nodes.forEach((node, at) => found.set(node, [...(found.get(node) || []), at]));
  return found;
}

/** The host of GPUs: -1 for none at all, -2 where they are of several. */
function hostOf(gpus, size) {
  const hosts = new Set(gpus.map((gpu) => Math.floor(gpu / size)));
  return hosts.size > 1 ? -2 : ([...hosts][0] ?? -1);
}

/** Hosts that can be folded, each with its columns: there are others beside them, and several columns in them. */
function hostsOf(gpus, size) {
  const hosts = new Map();
  gpus.forEach((some, column) => {
    const host = hostOf(some, size);
    if (host !== -1) hosts.set(host, [...(hosts.get(host) || []), column]);
  });
  return new Map([...hosts].filter(([host, columns]) => host >= 0 && columns.length > 1 && hosts.size > 1));
}

function titleOf(graph, node) {
  return graph.texts[graph.title[node]] || graph.ids[node];
}

function gpusOf(graph, node) {
  return gpusOfColumns(graph, graph.sets[graph.setOf[node]]);
}

/** A GPU may have several columns, and a column several GPUs. */
function gpusOfColumns(graph, columns) {
  return [...new Set(Array.from(columns).flatMap((column) => graph.gpus[column]))].sort((a, b) => a - b);
}

/** 0–3, 8: ascending runs of whole numbers; the middle of many runs is left out. */
function runsText(numbers, most = 6) {
  const runs = [];
  for (const one of numbers) {
    const last = runs[runs.length - 1];
    if (last && one === last[1] + 1) last[1] = one;
    else runs.push([one, one]);
  }
  const texts = runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  if (texts.length > most) texts.splice(most - 2, texts.length - most + 1, '…');
  return texts.join(', ');
}

function gpuText(gpus) {
  return gpus.length ? `GPU ${runsText(gpus)}` : 'no GPU';
}

function plural(count, word) {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;
}

function severityRank(severity) {
  return ['error', 'warning', 'info'].indexOf(severity);
}
