/** What is folded: stages, layers, hosts, mesh axes; how deep one looks; and how a link says it. */

function noFold() {
  return { stage: new Set(), layer: new Set(), host: new Set(), axis: new Set() };
}

const FOLD_KINDS = ['stage', 'layer', 'host', 'axis'];

/** Everything there is to fold. */
function foldable(graph) {
  const axes = graph.meshes.flatMap(([, sizes]) => sizes.filter(([, size]) => size > 1).map(([name]) => name));
  return {
    stage: [...new Set(graph.stages.filter((stage) => stage >= 0))],
    layer: graph.layers.filter((layer) => layer >= 0),
    host: [...graph.hosts.keys()],
    axis: [...new Set(axes)],
  };
}

/** From the coarsest picture to every node. Pictures that are the same stand here once. */
function depths(graph) {
  const all = foldable(graph);
  const make = (stage, layer, host) => ({
    ...noFold(),
    stage: new Set(stage),
    layer: new Set(layer),
    host: new Set(host),
  });
  const some = all.layer.length > 1 ? all.layer : [];
  // Two hosts side by side can be read; of more the first one is open.
  const rest = all.host.length > 2 ? all.host.slice(1) : [];
  const ladder = [
    { name: 'stages', fold: make(all.stage, some, all.host) },
    { name: some.length ? 'layers' : 'hosts', fold: make([], some, all.host) },
    { name: 'first layer', fold: make([], some.slice(1), rest) },
    { name: 'all layers', fold: make([], [], rest) },
    { name: 'every node', fold: noFold() },
  ];
  if (!all.stage.length) ladder.shift();
  return ladder.filter(({ fold }, at) => at === 0 || foldText(graph, fold) !== foldText(graph, ladder[at - 1].fold));
}

const FEW_NODES = 400;

/** A small graph is open; of a large one the first layer is. */
function defaultDepth(graph) {
  const ladder = depths(graph);
  const first = ladder.findIndex(({ name }) => name === 'first layer');
  return graph.count <= FEW_NODES || first < 0 ? ladder.length - 1 : first;
}

/** layer:1-15;host:1-7;axis:tp, or none. */
function foldText(graph, fold) {
  const parts = FOLD_KINDS.filter((kind) => fold[kind].size).map((kind) => {
    const values = [...fold[kind]];
    if (kind === 'axis') return `axis:${values.sort().join(',')}`;
    const runs = runsText(
      values.sort((a, b) => a - b),
      Infinity,
    )
      .replace(/–/g, '-')
      .replace(/ /g, '');
    return `${kind}:${runs}`;
  });
  return parts.join(';') || 'none';
}

/** The other way round; what is not there to be folded is passed over. */
function parseFold(graph, text) {
  const fold = noFold();
  const all = foldable(graph);
  for (const part of text.split(';')) {
    const [kind, values = ''] = part.split(':');
    if (!FOLD_KINDS.includes(kind)) continue;
    const wanted = kind === 'axis' ? (axis) => values.split(',').includes(axis) : numberTest(values);
    fold[kind] = new Set(all[kind].filter((one) => wanted && wanted(one)));
  }
  return fold;
}

/** Whether a number is one of 0-3,8; null where the text is no such list. */
function numberTest(text) {
  const runs = text.split(',').map((run) => /^(\d{1,9})(?:[-–](\d{1,9}))?$/.exec(run.trim()));
  if (runs.some((run) => !run)) return null;
  const ranges = runs.map(([, first, last]) => [Number(first), Number(last ?? first)]);
  return (number) => ranges.some(([first, last]) => first <= number && number <= last);
}

function copyFold(fold) {
  return Object.fromEntries(FOLD_KINDS.map((kind) => [kind, new Set(fold[kind])]));
}

/** The fold opened as far as a node needs it to be seen by itself. */
function revealNode(graph, fold, node) {
  const opened = copyFold(fold);
  const band = graph.band[node];
  opened.layer.delete(graph.layers[band]);
  opened.stage.delete(graph.stages[band]);
  const columns = new Set(graph.sets[graph.setOf[node]]);
  for (const [host, members] of graph.hosts) if (members.some((one) => columns.has(one))) opened.host.delete(host);
  if (columns.size < graph.lanes) opened.axis.clear();
  return opened;
}
