/** The side panel: facts of what is selected. */

const MOST_NEIGHBOURS = 12;

function showPanel(app) {
  byId('selection').replaceChildren(...selectionParts(app));
}

function selectionParts(app) {
  const { scene, graph } = app;
  if (app.selected < 0) {
    return [
      element('p', {
        class: 'hint',
        text: 'Click a node for its facts and neighbours, shift-click for all that leads to it and follows from it. Press ? for the keys.',
      }),
    ];
  }
  const one = scene.list[app.selected];
  const parts = one.count > 1 ? groupParts(app, app.selected) : nodeParts(app, one.first);
  if (app.trace) {
    const what = app.trace.all ? ['ancestor', 'descendant'] : ['input', 'output'];
    parts.splice(
      1,
      0,
      element(
        'p',
        { class: 'reach' },
        element('span', { class: 'before', text: `↑ ${plural(app.trace.before, what[0])}` }),
        element('span', { class: 'after', text: `↓ ${plural(app.trace.after, what[1])}` }),
      ),
    );
  }
  return parts;
}

function heading(graph, node, text) {
  const [op, family, tag] = graph.ops[graph.op[node]];
  return element(
    'header',
    {},
    element('h2', { text }),
    element('p', {
      class: 'kind',
      text: [tag, op.replaceAll('_', ' '), family].filter(Boolean).join(' · ') || 'unknown operator',
    }),
  );
}

function nodeParts(app, node) {
  const { graph } = app;
  const rows = [
    ['id', graph.ids[node]],
    ['GPUs', gpuText(gpusOf(graph, node)).replace('GPU ', '')],
  ];
  const layer = graph.layers[graph.band[node]];
  if (layer >= 0) rows.push([graph.bandWord, layer]);
  if (graph.expert[node] >= 0) rows.push(['expert', graph.expert[node]]);
  if (graph.line.length) rows.push(['line', graph.line[node].toLocaleString('en')]);
  if (graph.pathAt.has(node)) rows.push([pathName(graph), `${graph.pathAt.get(node) + 1} of ${graph.path.length}`]);
  for (const at of graph.runsOf.get(node) || [])
    rows.push(['time', `${timeText(graph.start[at])} – ${timeText(graph.end[at])}`]);
  const texts = [];
  for (const line of graph.texts[graph.facts[node]].split('\n').filter(Boolean)) {
    const at = graph.declared ? line.indexOf(': ') : -1;
    if (at > 0) rows.push([line.slice(0, at), line.slice(at + 2)]);
    else texts.push(line);
  }
  return [
    heading(graph, node, titleOf(graph, node)),
    ...(graph.marksOf.get(node) || []).map((mark) =>
      element('p', { class: `mark ${mark[1]}`, text: `${mark[1]} ${mark[0]}: ${mark[2]}` }),
    ),
    factList(rows),
    texts.length ? element('pre', { class: 'text', dir: 'ltr', text: texts.join('\n') }) : null,
    neighbourList(app, 'Inputs', graph.before.of(node)),
    neighbourList(app, 'Outputs', graph.after.of(node)),
  ].filter(Boolean);
}

function factList(rows) {
  return element(
    'dl',
    {},
    ...rows.flatMap(([name, value]) => [element('dt', { text: name }), element('dd', { text: `${value}` })]),
  );
}

function neighbourList(app, name, nodes, most = MOST_NEIGHBOURS) {
  if (!nodes.length) return null;
  const { graph } = app;
  const items = Array.from(nodes.slice(0, most), (node) =>
    element(
      'li',
      {},
      element(
        'button',
        { type: 'button', class: 'node', onclick: () => app.goTo(node) },
        element('b', { text: graph.ops[graph.op[node]][2] || '·' }),
        element('span', { text: graph.ids[node] }),
      ),
    ),
  );
  if (nodes.length > most)
    items.push(element('li', { class: 'more', text: `… and ${(nodes.length - most).toLocaleString('en')} more` }));
  return element(
    'section',
    {},
    element('h3', { text: `${name} (${nodes.length.toLocaleString('en')})` }),
    element('ul', {}, ...items),
  );
}

function groupParts(app, box) {
  const { scene, graph } = app;
  const one = scene.list[box];
  const nodes = membersOf(scene, graph, box);
  const gpus = [...new Set(nodes.flatMap((node) => gpusOf(graph, node)))].sort((a, b) => a - b);
  const rows = [
    ['nodes', one.count.toLocaleString('en')],
    ['GPUs', gpuText(gpus).replace('GPU ', '')],
  ];
  const ops = new Map();
  for (const node of nodes) ops.set(graph.op[node], (ops.get(graph.op[node]) || 0) + 1);
  if (ops.size > 1)
    for (const [op, number] of [...ops].sort((a, b) => b[1] - a[1]))
      rows.push([graph.ops[op][0].replaceAll('_', ' ') || 'unknown', number.toLocaleString('en')]);
  const title =
    one.level > RANKS
      ? element('header', {}, element('h2', { text: groupText(app, box).replace(/ \(.*/, '') }))
      : heading(graph, one.first, groupText(app, box));
  return [
    title,
    element(
      'p',
      {},
      element('button', { type: 'button', class: 'open', text: 'Open (Enter)', onclick: () => app.toggleBox(box) }),
    ),
    factList(rows),
    one.level > RANKS ? null : neighbourList(app, 'Nodes', nodes),
  ].filter(Boolean);
}

function pathName(graph) {
  return graph.pathTime ? 'critical path' : 'longest chain';
}
