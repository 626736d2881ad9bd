/** From the payload to the first frame. */

const READABLE = 0.2;

async function main() {
  document.documentElement.dataset.theme = recall('theme') || 'auto';
  const place = byId('data');
  try {
    if (typeof DecompressionStream === 'undefined')
      throw new Error('this browser is too old: it cannot unpack the data');
    const graph = makeGraph(await decode(place.textContent));
    place.remove();
    start(graph);
  } catch (error) {
    byId('loading').textContent = `The graph cannot be shown: ${error.message}`;
    throw error;
  }
}

function start(graph) {
  const app = makeApp(graph);
  app.theme = readTheme(graph);
  byId('caption').textContent = [graph.caption, graph.sizes, graph.pathTime && `time = ${graph.pathTime}`]
    .filter(Boolean)
    .join('\n');
  byId('timeline').hidden = !graph.timed;
  byId('path').hidden = !graph.path.length;
  byId('path').textContent = graph.pathTime ? 'Critical path' : 'Longest chain';
  app.resize();
  openLink(app, readLink(graph));
  retheme(app);
  showFindings(app);
  listen(app);
  byId('loading').remove();
  // For people with a console, and for tests.
  window.dagtool = app;
}

/** Shows what a link says; what it leaves open is as at the start. */
function openLink(app, link) {
  const { graph } = app;
  app.selected = -1;
  app.trace = null;
  app.fold = link.fold || copyFold(depths(graph)[defaultDepth(graph)].fold);
  app.scene = null;
  app.setFold(app.fold, { keep: false });
  if (link.timeline) app.setTimeline(true);
  app.setQuery(link.query);
  app.setPath(link.path);
  if (link.node >= 0) {
    const box = app.scene.boxOf[link.node];
    const hidden = !link.fold && app.scene.list[box].count > 1;
    if (hidden) app.setFold(revealNode(graph, app.fold, link.node));
    app.select(app.scene.boxOf[link.node], link.all);
  }
  if (link.missing) say(`there is no node ${link.missing}`);
  if (link.place) {
    const [x, y, kx] = link.place;
    app.moveTo({ x, y, kx, ky: app.timeline ? app.camera.ky : kx }, false);
  } else if (link.node >= 0) {
    app.fit(false);
    app.centre(app.selected);
  } else startPlace(app, link);
}

/** All of it. A small graph that is too long to be read so begins with its first layer. */
function startPlace(app, link) {
  const ladder = depths(app.graph);
  const first = ladder.find(({ name }) => name === 'first layer');
  const whole = fitTo(app.camera, app.scene.extent);
  if (!link.fold && first && whole.kx < READABLE && defaultDepth(app.graph) === ladder.length - 1) {
    app.setFold(copyFold(first.fold), { keep: false });
  }
  app.fit(false);
}
