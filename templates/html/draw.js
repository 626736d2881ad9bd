/** One frame: what is in sight, with as much detail as can be made out. */

const TEXT_PIXELS = 6;
const TITLE = 13;
const SMALL = 11;
const TAG = 24;
const FAR_PIXELS = 7;
const EDGE_SCALE = 0.15;
const MOST_EDGES = 5000;
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
