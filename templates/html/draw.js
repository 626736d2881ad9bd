/** One frame: what is in sight, with as much detail as can be made out. */

const TEXT_PIXELS = 6;
const TITLE = 13;
const SMALL = 11;
const TAG = 22;
const FAR_PIXELS = 7;
const EDGE_SCALE = 0.15;
const MOST_EDGES = 9000;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';

function drawFrame(ctx, app) {
  const { camera, theme, scene } = app;
  ctx.setTransform(app.ratio, 0, 0, app.ratio, 0, 0);
  ctx.fillStyle = theme.canvas;
  ctx.fillRect(0, 0, camera.width, camera.height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(GUTTER, HEAD, camera.width - GUTTER, camera.height - HEAD);
  ctx.clip();
  const view = { ...seen(camera), sx: (x) => toScreenX(camera, x), sy: (y) => toScreenY(camera, y) };
  const far = ROW_HEIGHT * camera.ky < FAR_PIXELS;
  drawFrames(ctx, app, view);
  const boxes = far ? [] : scene.index.search(view.x0, view.y0, view.x1, view.y1).sort((a, b) => a - b);
  drawEdges(ctx, app, view);
  if (far) drawFar(ctx, app, view);
  else drawBoxes(ctx, app, view, boxes);
  drawTraces(ctx, app, view);
  if (!far) drawTexts(ctx, app, view, boxes);
  drawOverlays(ctx, app, view);
  ctx.restore();
  drawSides(ctx, app);
}

/** The ground of each open band. */
function drawFrames(ctx, { scene, theme, camera }, view) {
  ctx.fillStyle = theme.band;
  for (const frame of scene.frames) {
    if (frame.y1 < view.y0 || frame.y0 > view.y1 || frame.box >= 0) continue;
    const pad = 12;
    const [x, y] = [view.sx(frame.x0 - pad), view.sy(frame.y0)];
    const [width, height] = [view.sx(frame.x1 + pad) - x, view.sy(frame.y1) - y];
    ctx.beginPath();
    ctx.roundRect(x, y, width, height, Math.min(10, 10 * camera.ky));
    ctx.fill();
  }
}

function fillOf({ theme }, { op, level }) {
  return level > RANKS || op < 0 ? theme.group : theme.fills[op];
}

/** Rectangles of runs, row by row; lit boxes over pale ones. What would fall on the same pixels is drawn once. */
function drawFar(ctx, app, view) {
  const { scene, lit } = app;
  ctx.globalAlpha = lit ? 0.25 : 1;
  if (!drawOverview(ctx, app, view)) {
    const { runs, rowY } = scene;
    const byLook = new Map();
    let last = -Infinity;
    for (let row = firstRow(rowY, view.y0 - ROW_HEIGHT); row < runs.length && rowY[row] <= view.y1; row++) {
      const y = view.sy(rowY[row]);
      if (y - last < 0.8) continue;
      last = y;
      rowRectangles(runs[row], view, y, byLook);
    }
    fillLooks(ctx, app.theme, byLook);
  }
  ctx.globalAlpha = 1;
  if (!lit) return;
  for (const box of app.litBoxes) {
    if (scene.y1[box] < view.y0 || scene.y0[box] > view.y1) continue;
    ctx.fillStyle = fillOf(app, scene.list[box]);
    for (const [x0, x1] of pieces(scene, box)) {
      const [x, y] = [view.sx(x0), view.sy(scene.y0[box])];
      ctx.fillRect(x, y, Math.max(2, view.sx(x1) - x), Math.max(2, view.sy(scene.y1[box]) - y));
    }
  }
}

function rowRectangles(parts, view, y, byLook) {
  let drawn = -Infinity;
  for (const run of parts) {
    if (run.x1 < view.x0) continue;
    if (run.x0 > view.x1) break;
    const [left, right] = [view.sx(run.x0), view.sx(run.x1)];
    if (right - drawn < 0.8) continue;
    drawn = Math.max(right, left + 1);
    const look = run.level > RANKS ? -1 : run.op;
    if (!byLook.has(look)) byLook.set(look, []);
    byLook.get(look).push(left, y, drawn - left, Math.max(1, view.sy(run.y1) - y));
  }
}

function firstRow(rowY, y) {
  let [low, high] = [0, rowY.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rowY[middle] < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The parts of a box: one for each run of lanes; in a timeline it is one. */
function pieces(scene, box) {
  if (!scene.runsOf) return [[scene.x0[box], scene.x1[box]]];
  const runs = scene.runsOf(box);
  const found = [];
  for (let i = 0; i < runs.length; i += 2) found.push([scene.lanes[runs[i]].x, scene.lanes[runs[i + 1]].x + LANE_WIDTH]);
  return found;
}

/** Shapes, those of one look together. */
function drawBoxes(ctx, app, view, boxes) {
  const { lit, theme, scene, camera } = app;
  const groups = new Map();
  for (const box of boxes) {
    const { op, level } = scene.list[box];
    const key = `${lit && !lit[box] ? 0 : 1}|${level > RANKS ? -1 : op}|${level}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(box);
  }
  const outlined = camera.ky > 0.2;
  for (const key of [...groups.keys()].sort()) {
    const [bright] = key.split('|');
    const members = groups.get(key);
    const one = scene.list[members[0]];
    ctx.globalAlpha = bright === '1' ? 1 : 0.25;
    ctx.fillStyle = fillOf(app, one);
    ctx.strokeStyle = theme.line;
    ctx.lineWidth = Math.min(1, 2 * camera.ky);
    ctx.beginPath();
    if (one.level === RANKS || one.level === STAGE) for (const box of members) shapeOf(ctx, app, view, box, 3);
    for (const box of members) shapeOf(ctx, app, view, box, 0);
    ctx.fill();
    if (outlined) ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** The outline of a box, as that of its operator; thin bars join the parts of one that leaves lanes out. */
function shapeOf(ctx, { scene, graph, camera }, view, box, shift) {
  const { op, level } = scene.list[box];
  const shape = level > RANKS || op < 0 ? 'rectangle' : graph.ops[op][5];
  const offset = shift * Math.min(1, camera.ky);
  const [y, bottom] = [view.sy(scene.y0[box]) + offset, view.sy(scene.y1[box]) + offset];
  const parts = pieces(scene, box);
  if (parts.length > 1) {
    const [left, right] = [view.sx(parts[0][1]), view.sx(parts[parts.length - 1][0])];
    ctx.rect(left, (y + bottom) / 2 - 1.5, right - left, 3);
  }
  for (const [x0, x1] of parts) {
    if (x1 < view.x0 || x0 > view.x1) continue;
    const x = view.sx(x0) + offset;
    outline(ctx, shape, x, y, Math.max(1, view.sx(x1) + offset - x), bottom - y);
  }
}

function outline(ctx, shape, x, y, width, height) {
  const slope = Math.min(height * 0.4, width / 4);
  if (shape === 'ellipse') ctx.roundRect(x, y, width, height, Math.min(height, width) / 2);
  else if (shape === 'diamond') polygon(ctx, [x, y + height / 2, x + slope, y, x + width - slope, y, x + width, y + height / 2, x + width - slope, y + height, x + slope, y + height]);
  else if (shape === 'parallelogram') polygon(ctx, [x + slope, y, x + width, y, x + width - slope, y + height, x, y + height]);
  else ctx.roundRect(x, y, width, height, Math.min(4, height / 5, width / 5));
}

function polygon(ctx, points) {
  ctx.moveTo(points[0], points[1]);
  for (let i = 2; i < points.length; i += 2) ctx.lineTo(points[i], points[i + 1]);
  ctx.closePath();
}

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
    ctx.setLineDash(camera.ky > 0.3 ? (DASHES[name] || []) : []);
    for (const bright of [0, 1]) {
      const mine = found.filter((edge) => edge < edges.count && edges.kind[edge] === kind && bright === Number(!lit || Boolean(lit[edges.tail[edge]] && lit[edges.head[edge]])));
      if (!mine.length) continue;
      ctx.globalAlpha = bright ? 1 : 0.14;
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
