/** The address says what is seen: node, fold, query, path, trace, view, place. */

function readLink(graph) {
  const given = new URLSearchParams(location.hash.slice(1));
  const place = (given.get('at') || '').split(',').map(Number);
  return {
    node: given.has('node') ? (graph.index.get(given.get('node')) ?? -1) : -1,
    missing: given.has('node') && !graph.index.has(given.get('node')) ? given.get('node') : '',
    fold: given.has('fold') ? parseFold(graph, given.get('fold')) : null,
    query: given.get('q') || '',
    path: given.has('path') ? given.get('path') === '1' : graph.showPath,
    all: given.get('trace') === 'all',
    timeline: given.get('view') === 'timeline' && graph.timed,
    place: place.length === 3 && place.every(Number.isFinite) && place[2] > 0 ? place : null,
  };
}

function linkText(app) {
  const { graph, scene, fold, camera } = app;
  const said = new URLSearchParams();
  if (app.selected >= 0) said.set('node', graph.ids[scene.list[app.selected].first]);
  if (app.trace && app.trace.all) said.set('trace', 'all');
  if (scene.kind === 'timeline') said.set('view', 'timeline');
  said.set('fold', foldText(graph, fold));
  if (app.query) said.set('q', app.query);
  if (app.showPath || graph.showPath) said.set('path', app.showPath ? '1' : '0');
  said.set('at', [camera.x.toFixed(0), camera.y.toFixed(0), camera.kx.toPrecision(3)].join(','));
  return said.toString().replace(/%3A/g, ':').replace(/%2C/g, ',').replace(/%3B/g, ';');
}

function writeLink(app) {
  clearTimeout(app.linkTimer);
  app.linkTimer = setTimeout(() => {
    app.link = `#${linkText(app)}`;
    if (location.hash !== app.link) history.replaceState(null, '', app.link);
  }, 200);
}
