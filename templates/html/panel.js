/** The side panel: facts of what is selected, findings, the legend, what can be folded. */

const MOST_NEIGHBOURS = 12;

function showPanel(app) {
  byId('selection').replaceChildren(...selectionParts(app));
}

function selectionParts(app) {
  const { scene, graph } = app;
  if (app.selected < 0) {
    return [element('p', { class: 'hint', text: 'Click a node for its facts and neighbours, shift-click for all that leads to it and follows from it. Press ? for the keys.' })];
  }
  const one = scene.list[app.selected];
  const parts = one.count > 1 ? groupParts(app, app.selected) : nodeParts(app, one.first);
  if (app.trace) {
    const what = app.trace.all ? ['ancestor', 'descendant'] : ['input', 'output'];
    parts.splice(1, 0, element('p', { class: 'reach' },
      element('span', { class: 'before', text: `↑ ${plural(app.trace.before, what[0])}` }),
      element('span', { class: 'after', text: `↓ ${plural(app.trace.after, what[1])}` })));
  }
  return parts;
}

function heading(graph, node, text) {
  const [op, family, tag] = graph.ops[graph.op[node]];
  return element('header', {},
    element('h2', { text }),
    element('p', { class: 'kind', text: [tag, op.replaceAll('_', ' '), family].filter(Boolean).join(' · ') || 'unknown operator' }));
}

function nodeParts(app, node) {
  const { graph } = app;
  const rows = [['id', graph.ids[node]], ['GPUs', gpuText(gpusOf(graph, node)).replace('GPU ', '')]];
  const layer = graph.layers[graph.band[node]];
  if (layer >= 0) rows.push([graph.bandWord, layer]);
  if (graph.expert[node] >= 0) rows.push(['expert', graph.expert[node]]);
  if (graph.line.length) rows.push(['line', graph.line[node].toLocaleString('en')]);
  if (graph.pathAt.has(node)) rows.push([pathName(graph), `${graph.pathAt.get(node) + 1} of ${graph.path.length}`]);
  if (graph.timed && !Number.isNaN(graph.start[node])) rows.push(['time', `${timeText(graph.start[node])} – ${timeText(graph.end[node])}`]);
  const texts = [];
  for (const line of graph.texts[graph.facts[node]].split('\n').filter(Boolean)) {
    const at = graph.declared ? line.indexOf(': ') : -1;
    if (at > 0) rows.push([line.slice(0, at), line.slice(at + 2)]);
    else texts.push(line);
  }
  return [
    heading(graph, node, titleOf(graph, node)),
    ...(graph.marksOf.get(node) || []).map((mark) => element('p', { class: `mark ${mark[1]}`, text: `${mark[1]} ${mark[0]}: ${mark[2]}` })),
    factList(rows),
    texts.length ? element('pre', { class: 'text', dir: 'ltr', text: texts.join('\n') }) : null,
    neighbourList(app, 'Inputs', graph.before.of(node)),
    neighbourList(app, 'Outputs', graph.after.of(node)),
  ].filter(Boolean);
}

function factList(rows) {
  return element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', { text: name }), element('dd', { text: `${value}` })]));
}

function neighbourList(app, name, nodes, most = MOST_NEIGHBOURS) {
  if (!nodes.length) return null;
  const { graph } = app;
  const items = Array.from(nodes.slice(0, most), (node) => element('li', {},
    element('button', { type: 'button', class: 'node', onclick: () => app.goTo(node) },
      element('b', { text: graph.ops[graph.op[node]][2] || '·' }), element('span', { text: graph.ids[node] }))));
  if (nodes.length > most) items.push(element('li', { class: 'more', text: `… and ${(nodes.length - most).toLocaleString('en')} more` }));
  return element('section', {}, element('h3', { text: `${name} (${nodes.length.toLocaleString('en')})` }), element('ul', {}, ...items));
}

function groupParts(app, box) {
  const { scene, graph } = app;
  const one = scene.list[box];
  const nodes = membersOf(scene, graph, box);
  const gpus = [...new Set(nodes.flatMap((node) => gpusOf(graph, node)))].sort((a, b) => a - b);
  const rows = [['nodes', one.count.toLocaleString('en')], ['GPUs', gpuText(gpus).replace('GPU ', '')]];
  const ops = new Map();
  for (const node of nodes) ops.set(graph.op[node], (ops.get(graph.op[node]) || 0) + 1);
  if (ops.size > 1) for (const [op, number] of [...ops].sort((a, b) => b[1] - a[1])) rows.push([graph.ops[op][0].replaceAll('_', ' ') || 'unknown', number.toLocaleString('en')]);
  const title = one.level > RANKS ? element('header', {}, element('h2', { text: groupText(app, box).replace(/ \(.*/, '') })) : heading(graph, one.first, groupText(app, box));
  return [
    title,
    element('p', {}, element('button', { type: 'button', class: 'open', text: 'Open (Enter)', onclick: () => app.toggleBox(box) })),
    factList(rows),
    one.level > RANKS ? null : neighbourList(app, 'Nodes', nodes),
  ].filter(Boolean);
}

function pathName(graph) {
  return graph.pathTime ? 'critical path' : 'longest chain';
}

function showFindings(app) {
  const { graph } = app;
  const place = byId('findings');
  if (!graph.marks) {
    place.hidden = true;
    return;
  }
  const marks = [...graph.marks].sort((a, b) => severityRank(a[1]) - severityRank(b[1]));
  const items = marks.slice(0, 200).map((mark) => {
    const [code, severity, message, [node], line, count, help] = mark;
    const times = count > 1 ? ` (${count.toLocaleString('en')} places)` : '';
    const where = line ? `line ${line.toLocaleString('en')} · ` : '';
    const jump = node !== undefined ? { onclick: () => app.goTo(node) } : { disabled: '' };
    return element('li', {}, element('button', { type: 'button', class: 'finding', title: help, ...jump },
      element('b', { class: severity, text: `${{ error: 'E', warning: 'W', info: 'i' }[severity]} ${code}` }),
      element('span', { text: `${where}${message}${times}` })));
  });
  if (marks.length > 200) items.push(element('li', { class: 'more', text: `… and ${(marks.length - 200).toLocaleString('en')} more` }));
  place.replaceChildren(element('h2', { text: `Findings (${marks.length.toLocaleString('en')})` }),
    marks.length ? element('ul', {}, ...items) : element('p', { class: 'hint', text: 'The rules found nothing.' }));
}

function showLegend(app) {
  const { graph, theme } = app;
  const counts = new Map();
  for (const op of graph.op) counts.set(op, (counts.get(op) || 0) + 1);
  const families = ['io', 'routing', 'norm', 'compute', 'communication', ''];
  const order = [...counts.keys()].sort((a, b) => families.indexOf(graph.ops[a][1]) - families.indexOf(graph.ops[b][1]) || counts.get(b) - counts.get(a));
  const items = order.map((op) => {
    const [name, , tag] = graph.ops[op];
    const words = name.replaceAll('_', ' ') || 'unknown operator';
    return element('li', {}, element('button', { type: 'button', class: 'entry', title: 'Show only these', onclick: () => app.setQuery(app.query === `op:${name}` ? '' : `op:${name}`) },
      swatch(app, (ctx) => {
        ctx.fillStyle = theme.fills[op];
        ctx.strokeStyle = theme.line;
        ctx.beginPath();
        outline(ctx, graph.ops[op][5], 1, 1, 26, 14);
        ctx.fill();
        ctx.stroke();
      }),
      element('b', { text: tag }), element('span', { text: words }), element('i', { text: counts.get(op).toLocaleString('en') })));
  });
  byId('legend').replaceChildren(element('h2', { text: 'Operators' }), element('ul', {}, ...items), element('h2', { text: 'Edges' }), edgeLegend(app));
}

const CLASS_WORDS = { data: 'data within a GPU', collective: 'to or from a collective', transfer: 'from one GPU to another', route: 'selection of the gate' };

function edgeLegend(app) {
  const { graph, theme } = app;
  const counts = graph.classes.map(() => 0);
  for (const one of graph.class) counts[one]++;
  const items = graph.classes.map((name, kind) => (counts[kind] ? element('li', { class: 'entry' },
    swatch(app, (ctx) => {
      ctx.strokeStyle = theme.edges[kind];
      ctx.lineWidth = WIDTHS[name] * 1.3;
      ctx.setLineDash(DASHES[name] || []);
      ctx.beginPath();
      ctx.moveTo(0, 8);
      ctx.lineTo(28, 8);
      ctx.stroke();
    }),
    element('span', { text: CLASS_WORDS[name] }), element('i', { text: counts[kind].toLocaleString('en') })) : null));
  return element('ul', {}, ...items.filter(Boolean));
}

function swatch({ ratio }, draw) {
  const canvas = element('canvas', { width: 28 * ratio, height: 16 * ratio, 'aria-hidden': 'true', class: 'swatch' });
  const ctx = canvas.getContext('2d');
  ctx.scale(ratio, ratio);
  draw(ctx);
  return canvas;
}

/** One switch for each mesh axis, and for all layers, hosts and stages. */
function showFolds(app) {
  const { graph, fold } = app;
  const all = foldable(graph);
  const names = { stage: 'stages', layer: `${graph.bandWord}s`, host: 'hosts' };
  const switches = [];
  const add = (text, on, flip) => switches.push(element('button', { type: 'button', class: 'switch', 'aria-pressed': `${on}`, text, onclick: flip }));
  for (const kind of ['stage', 'layer', 'host']) {
    if (all[kind].length < 2) continue;
    const on = fold[kind].size === all[kind].length;
    add(names[kind], on, () => app.setFold({ ...copyFold(fold), [kind]: new Set(on ? [] : all[kind]) }));
  }
  for (const axis of all.axis) {
    const on = fold.axis.has(axis);
    add(`ranks along ${axis}`, on, () => {
      const next = copyFold(fold);
      if (on) next.axis.delete(axis);
      else next.axis.add(axis);
      app.setFold(next);
    });
  }
  byId('folds').hidden = !switches.length;
  byId('folds').replaceChildren(element('h2', { text: 'Fold' }), element('div', { class: 'switches' }, ...switches));
}
