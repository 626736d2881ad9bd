/** The whole in a corner, and the part of it that is in sight. */

const MAP_WIDTH = 150;
const MAP_HEIGHT = 190;

function paintMinimap(app) {
  app.overview = paintOverview(app);
  const { scene, minimap, ratio } = app;
  const { x0, y0, x1, y1 } = scene.extent;
  const [width, height] = [Math.max(1, x1 - x0), Math.max(1, y1 - y0)];
  const fit = Math.min(MAP_WIDTH / width, MAP_HEIGHT / height);
  // A very long graph would be a thread: its short side is stretched to what can be seen.
  const kx = Math.max(fit, MAP_WIDTH / 4 / width);
  const ky = Math.max(fit, MAP_HEIGHT / 4 / height);
  Object.assign(minimap, { kx, ky, width: Math.ceil(width * kx), height: Math.ceil(height * ky) });
  const picture = document.createElement('canvas');
  picture.width = minimap.width * ratio;
  picture.height = minimap.height * ratio;
  const ctx = picture.getContext('2d');
  ctx.scale(ratio, ratio);
  if (app.overview) ctx.drawImage(app.overview.canvas, 0, 0, width * kx, height * ky);
  else fillRuns(ctx, scene, app, { x: x0, y: y0, kx, ky });
  minimap.picture = picture;
  minimap.canvas.width = picture.width;
  minimap.canvas.height = picture.height;
  minimap.canvas.style.width = `${minimap.width}px`;
  minimap.canvas.style.height = `${minimap.height}px`;
}

function drawMinimap({ scene, camera, minimap, theme, ratio }) {
  const ctx = minimap.canvas.getContext('2d');
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, minimap.canvas.width, minimap.canvas.height);
  ctx.drawImage(minimap.picture, 0, 0);
  ctx.scale(ratio, ratio);
  const view = seen(camera);
  const { extent } = scene;
  // It hides part of the graph, so it is there only when it has something to say.
  const whole = view.x0 <= extent.x0 && view.y0 <= extent.y0 && view.x1 >= extent.x1 && view.y1 >= extent.y1;
  minimap.canvas.hidden = whole;
  const clamp = (value, high) => Math.min(Math.max(value, 0), high);
  const [left, right] = [(view.x0 - extent.x0) * minimap.kx, (view.x1 - extent.x0) * minimap.kx].map((x) =>
    clamp(x, minimap.width),
  );
  const [top, bottom] = [(view.y0 - extent.y0) * minimap.ky, (view.y1 - extent.y0) * minimap.ky].map((y) =>
    clamp(y, minimap.height),
  );
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 2;
  ctx.strokeRect(left + 1, top + 1, Math.max(4, right - left - 2), Math.max(4, bottom - top - 2));
}

/** The middle of the view goes to where the pointer is on the map. */
function minimapMove({ scene, camera, minimap }, x, y) {
  const { extent } = scene;
  camera.x = extent.x0 + x / minimap.kx - (camera.width - GUTTER) / camera.kx / 2;
  camera.y = extent.y0 + y / minimap.ky - (camera.height - HEAD) / camera.ky / 2;
}
