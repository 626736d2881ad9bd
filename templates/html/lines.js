/** Edges: a colour, a width and dashes for each class. */

const DASHES = { route: [3, 3], transfer: [8, 3] };
const WIDTHS = { data: 1, collective: 1.6, transfer: 1.8, route: 1.3 };

function drawEdges(ctx, app, view) {
  const { scene, camera, graph, theme, lit } = app;
  const { edges } = scene;
  if (!edges || camera.ky < EDGE_SCALE) return;
  const found = edges.index.search(view.x0, view.y0, view.x1, view.y1);
  if (found.length > MOST_EDGES) return;
  const round = camera.ky > 0.5 ? 5 * camera.ky : 0;
  for (let kind = 0; kind < graph.classes.length; kind++) {
    const name = graph.classes[kind];
    ctx.strokeStyle = ctx.fillStyle = theme.edges[kind];
    ctx.lineWidth = WIDTHS[name] * Math.min(1.2, Math.max(0.6, camera.ky * 1.5));
    ctx.setLineDash(camera.ky > 0.3 ? DASHES[name] || [] : []);
    for (const bright of [0, 1]) {
      const mine = found.filter(
        (edge) =>
          edge < edges.count &&
          edges.kind[edge] === kind &&
          bright === Number(!lit || Boolean(lit[edges.tail[edge]] && lit[edges.head[edge]])),
      );
      if (!mine.length) continue;
      // From afar lines are denser than what they join: they step back.
      ctx.globalAlpha = bright ? Math.min(1, Math.max(0.45, 2 * camera.ky)) : 0.14;
      ctx.beginPath();
      for (const edge of mine) traceEdge(ctx, edges, edge, view.sx, view.sy, round);
      ctx.stroke();
      if (camera.ky > 0.4) arrows(ctx, edges, mine, view, camera.ky);
    }
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

function arrows(ctx, edges, which, view, scale) {
  const size = 4.5 * Math.min(1.3, scale);
  ctx.beginPath();
  for (const edge of which) {
    const [x, y] = [view.sx(edges.x2[edge]), view.sy(edges.y2[edge])];
    polygon(ctx, [x, y, x - size, y - 1.5 * size, x + size, y - 1.5 * size]);
  }
  ctx.fill();
}

/** The edges of what is selected, and those of the critical path, over all others. */
function drawTraces(ctx, { scene, camera, theme, trace, pathEdges, showPath }, view) {
  const { edges } = scene;
  if (!edges) return;
  const stroke = (which, color, width) => {
    if (!which.length) return;
    ctx.strokeStyle = ctx.fillStyle = color;
    ctx.lineWidth = width;
    ctx.beginPath();
    for (const edge of which) traceEdge(ctx, edges, edge, view.sx, view.sy, camera.ky > 0.5 ? 5 * camera.ky : 0);
    ctx.stroke();
    if (camera.ky > 0.3) arrows(ctx, edges, which, view, Math.max(0.8, camera.ky));
  };
  if (showPath) stroke(pathEdges, theme.critical, Math.max(2, 3 * camera.ky));
  if (trace) {
    stroke(trace.beforeEdges, theme.before, 2);
    stroke(trace.afterEdges, theme.after, 2);
  }
}
