/** The keyboard. */

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
