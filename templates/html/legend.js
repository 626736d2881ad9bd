/** The legend: operators and classes of edges that there are, with their numbers; an operator is searched by a click. */

function showLegend(app) {
  const { graph, theme } = app;
  const counts = new Map();
  for (const op of graph.op) counts.set(op, (counts.get(op) || 0) + 1);
  const families = ['io', 'routing', 'norm', 'compute', 'communication', ''];
  const order = [...counts.keys()].sort(
    (a, b) => families.indexOf(graph.ops[a][1]) - families.indexOf(graph.ops[b][1]) || counts.get(b) - counts.get(a),
  );
  const items = order.map((op) => {
    const [name, , tag] = graph.ops[op];
    const words = name.replaceAll('_', ' ') || 'unknown operator';
    return element(
      'li',
      {},
      element(
        'button',
        {
          type: 'button',
          class: 'entry',
          title: 'Show only these',
          onclick: () => app.setQuery(app.query === `op:${name}` ? '' : `op:${name}`),
        },
        swatch(app, (ctx) => {
          ctx.fillStyle = theme.fills[op];
          ctx.strokeStyle = theme.line;
          ctx.beginPath();
          outline(ctx, graph.ops[op][5], 1, 1, 26, 14);
          ctx.fill();
          ctx.stroke();
        }),
        element('b', { text: tag }),
        element('span', { text: words }),
        element('i', { text: counts.get(op).toLocaleString('en') }),
      ),
    );
  });
  byId('legend').replaceChildren(
    element('h2', { text: 'Operators' }),
    element('ul', {}, ...items),
    element('h2', { text: 'Edges' }),
    edgeLegend(app),
  );
}

const CLASS_WORDS = {
  data: 'data within a GPU',
  collective: 'to or from a collective',
  transfer: 'from one GPU to another',
  route: 'selection of the gate',
};

function edgeLegend(app) {
  const { graph, theme } = app;
  const counts = graph.classes.map(() => 0);
  for (const one of graph.class) counts[one]++;
  const items = graph.classes.map((name, kind) =>
    counts[kind]
      ? element(
          'li',
          { class: 'entry' },
          swatch(app, (ctx) => {
            ctx.strokeStyle = theme.edges[kind];
            ctx.lineWidth = WIDTHS[name] * 1.3;
            ctx.setLineDash(DASHES[name] || []);
            ctx.beginPath();
            ctx.moveTo(0, 8);
            ctx.lineTo(28, 8);
            ctx.stroke();
          }),
          element('span', { text: CLASS_WORDS[name] }),
          element('i', { text: counts[kind].toLocaleString('en') }),
        )
      : null,
  );
  return element('ul', {}, ...items.filter(Boolean));
}

function swatch({ ratio }, draw) {
  const canvas = element('canvas', { width: 28 * ratio, height: 16 * ratio, 'aria-hidden': 'true', class: 'swatch' });
  const ctx = canvas.getContext('2d');
  ctx.scale(ratio, ratio);
  draw(ctx);
  return canvas;
}
