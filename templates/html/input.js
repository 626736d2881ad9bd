/** Wheel, small map, buttons, and what the browser says by itself. */

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

function listenWheel(app) {
  app.canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (event.shiftKey) app.pan(-(event.deltaX || event.deltaY) * lines, 0);
      else app.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY);
    },
    { passive: false },
  );
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
