/** Pointer, wheel, keys and buttons. */

const CLICK = 4;

function listen(app) {
  listenPointer(app);
  listenWheel(app);
  listenMinimap(app);
  listenBar(app);
  document.addEventListener('keydown', (event) => pressed(app, event));
  window.addEventListener('resize', () => app.resize());
  window.addEventListener('hashchange', () => {
    if (location.hash !== app.link) openLink(app, readLink(app.graph));
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => retheme(app));
}

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

function listenWheel(app) {
  app.canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey) app.pan(-(event.deltaX || event.deltaY) * lines, 0);
    else app.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY);
  }, { passive: false });
}

function listenMinimap(app) {
  const { canvas } = app.minimap;
  const move = (event) => {
    if (!(event.buttons & 1)) return;
    minimapMove(app, event.offsetX, event.offsetY);
    app.redraw();
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    move(event);
  });
  canvas.addEventListener('pointermove', move);
}

function listenBar(app) {
  const on = (id, action) => byId(id).addEventListener('click', action);
  on('fit', () => app.fit());
  on('closer', () => app.zoom(1.4));
  on('wider', () => app.zoom(1 / 1.4));
  on('less', () => app.deeper(-1));
  on('more', () => app.deeper(1));
  on('path', () => app.setPath(!app.showPath));
  on('timeline', () => app.setTimeline(!app.timeline));
  on('theme', () => switchTheme(app));
  on('help', () => byId('keys').showModal());
  on('aside', () => toggleAside(app));
  const query = byId('query');
  query.addEventListener('input', () => app.setQuery(query.value));
  byId('search').addEventListener('submit', (event) => {
    event.preventDefault();
    app.nextFound(1);
  });
}

function toggleAside(app) {
  const hidden = document.body.classList.toggle('wide');
  byId('aside').setAttribute('aria-expanded', `${!hidden}`);
  app.resize();
}

function switchTheme(app) {
  say(`theme: ${nextTheme()}`);
  retheme(app);
}

function retheme(app) {
  byId('theme').setAttribute('title', `Colours: ${document.documentElement.dataset.theme} (d)`);
  app.theme = readTheme(app.graph);
  paintMinimap(app);
  showLegend(app);
  app.redraw();
}

const KEYS = {
  '/': () => {
    byId('query').focus();
    byId('query').select();
  },
  f: (app) => app.fit(),
  ' ': (app) => app.fit(),
  '+': (app) => app.zoom(1.4),
  '=': (app) => app.zoom(1.4),
  '-': (app) => app.zoom(1 / 1.4),
  '[': (app) => app.deeper(-1),
  ']': (app) => app.deeper(1),
  c: (app) => app.setPath(!app.showPath),
  t: (app) => app.graph.timed && app.setTimeline(!app.timeline),
  d: (app) => switchTheme(app),
  n: (app) => app.nextFound(1),
  N: (app) => app.nextFound(-1),
  '?': () => byId('keys').showModal(),
  Escape: (app) => (app.selected >= 0 ? app.select(-1) : app.query ? app.setQuery('') : app.setPath(false)),
  Enter: (app) => app.selected >= 0 && app.toggleBox(app.selected),
  a: (app) => app.selected >= 0 && app.select(app.selected, !(app.trace && app.trace.all)),
};

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function pressed(app, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('keys').open) return;
  const { target } = event;
  if (target === byId('query')) {
    if (event.key === 'Escape') {
      app.setQuery('');
      app.canvas.focus();
    }
    return;
  }
  // A focused button keeps the keys that work buttons.
  if (target.closest('button') && (event.key === 'Enter' || event.key === ' ')) return;
  if (ARROWS[event.key]) arrow(app, ...ARROWS[event.key], event.shiftKey);
  else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key](app);
  else return;
  event.preventDefault();
}

/** Along edges and rows where something is selected; else the view moves. */
function arrow(app, right, down, far) {
  if (app.selected < 0 || far) {
    app.pan(-right * 120, -down * 120);
    return;
  }
  const box = down ? stepAlong(app, down) : stepAside(app, right);
  if (box < 0) return;
  app.select(box, Boolean(app.trace && app.trace.all));
  app.centre(box);
}
