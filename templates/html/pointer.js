/** Mouse, pen and fingers on the graph. */

const CLICK = 4;

function listenPointer(app) {
  const { canvas } = app;
  const down = new Map();
  let moved = 0;
  let apart = 0;
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (down.size === 1) moved = 0;
    apart = distance(down);
    byId('tip').hidden = true;
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = down.get(event.pointerId);
    if (!before) {
      hover(app, event.offsetX, event.offsetY);
      return;
    }
    const [dx, dy] = [event.offsetX - before[0], event.offsetY - before[1]];
    down.set(event.pointerId, [event.offsetX, event.offsetY]);
    moved += Math.abs(dx) + Math.abs(dy);
    if (moved <= CLICK) return;
    if (down.size > 1) {
      const now = distance(down);
      const [x, y] = middleOf(down);
      if (apart) app.zoom(now / apart, x, y);
      apart = now;
    } else {
      canvas.classList.add('dragging');
      app.pan(dx, dy);
    }
  });
  const up = (event) => {
    if (!down.delete(event.pointerId)) return;
    canvas.classList.remove('dragging');
    if (event.type === 'pointerup' && moved <= CLICK) clicked(app, event);
  };
  canvas.addEventListener('pointerup', up);
  canvas.addEventListener('pointercancel', up);
  canvas.addEventListener('pointerleave', () => (byId('tip').hidden = true));
  canvas.addEventListener('dblclick', (event) => {
    const box = boxAt(app, event.offsetX, event.offsetY);
    if (box >= 0) app.toggleBox(box);
  });
}

function distance(points) {
  const [a, b] = [...points.values()];
  return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
}

function middleOf(points) {
  const [a, b] = [...points.values()];
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** The box under a point; near is enough where boxes are only a few pixels high. */
function boxAt(app, px, py) {
  if (px < GUTTER || py < HEAD) return -1;
  const { scene, camera } = app;
  const [x, y] = [toWorldX(camera, px), toWorldY(camera, py)];
  const [nearX, nearY] = [2 / camera.kx, 2 / camera.ky];
  const on = (box) => pieces(scene, box).some(([x0, x1]) => x0 - nearX <= x && x <= x1 + nearX);
  const found = scene.index.search(x - nearX, y - nearY, x + nearX, y + nearY).filter(on);
  return found.length ? Math.min(...found) : -1;
}

function clicked(app, { offsetX: x, offsetY: y, shiftKey }) {
  app.canvas.focus();
  const side = sideAt(app, x, y);
  if (side) app.toggleSide(side);
  else if (x >= GUTTER && y >= HEAD) app.select(boxAt(app, x, y), shiftKey);
}

function hover(app, x, y) {
  const box = boxAt(app, x, y);
  app.canvas.style.cursor = box >= 0 || sideAt(app, x, y) ? 'pointer' : '';
  const tip = byId('tip');
  tip.hidden = box < 0;
  if (box < 0) return;
  tip.textContent = spoken(app, box).slice(0, 160);
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.max(4, Math.min(x + 14, app.camera.width - width - 4))}px`;
  tip.style.top = `${y + 18 + height > app.camera.height ? y - height - 8 : y + 18}px`;
}
