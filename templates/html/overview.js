/** A picture of a very large scene, made once: from far away it is laid down whole, at the same cost for any graph. */

const LARGE_SCENE = 20000;
const OVERVIEW_PIXELS = 4096;

/** The picture with its scales, null where drawing the rectangles is as quick. */
function paintOverview({ scene, theme }) {
  const parts = scene.runs.reduce((sum, row) => sum + row.length, 0);
  if (parts < LARGE_SCENE) return null;
  const { x0, y0, x1, y1 } = scene.extent;
  const [width, height] = [Math.max(1, x1 - x0), Math.max(1, y1 - y0)];
  const side = Math.min(1, OVERVIEW_PIXELS / Math.max(width, height));
  // The narrow side may be finer: its pixels come free.
  const [kx, ky] =
    scene.kind === 'timeline'
      ? [Math.min(1, OVERVIEW_PIXELS / width), Math.min(1, OVERVIEW_PIXELS / height)]
      : [side, side];
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * kx);
  canvas.height = Math.ceil(height * ky);
  const ctx = canvas.getContext('2d');
  fillRuns(ctx, scene, { theme }, { x: x0, y: y0, kx, ky });
  return { canvas, kx, ky };
}

/** All runs, without regard to what is in sight. */
function fillRuns(ctx, scene, { theme }, { x, y, kx, ky }) {
  const view = { x0: -Infinity, x1: Infinity, sx: (at) => (at - x) * kx, sy: (at) => (at - y) * ky };
  const byLook = new Map();
  scene.runs.forEach((parts, row) => rowRectangles(parts, view, view.sy(scene.rowY[row]), byLook));
  fillLooks(ctx, theme, byLook);
}

function fillLooks(ctx, theme, byLook) {
  for (const [look, rectangles] of byLook) {
    ctx.fillStyle = look < 0 ? theme.group : theme.fills[look];
    for (let i = 0; i < rectangles.length; i += 4)
      ctx.fillRect(rectangles[i], rectangles[i + 1], rectangles[i + 2], rectangles[i + 3]);
  }
}

/** Lays the picture down; false where one is too near for it. */
function drawOverview(ctx, { overview, scene, camera }, view) {
  if (!overview || camera.kx > overview.kx || camera.ky > overview.ky) return false;
  const { x0, y0, x1, y1 } = scene.extent;
  ctx.drawImage(overview.canvas, view.sx(x0), view.sy(y0), (x1 - x0) * camera.kx, (y1 - y0) * camera.ky);
  return true;
}
