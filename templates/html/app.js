/** The state of the page, drawn once a frame, and only if something changed. */

function makeApp(graph) {
  const canvas = byId('graph');
  const app = {
    graph,
    canvas,
    ctx: canvas.getContext('2d', { alpha: false }),
    camera: makeCamera(),
    ratio: window.devicePixelRatio || 1,
    fold: copyFold(depths(graph)[defaultDepth(graph)].fold),
    minimap: { canvas: byId('minimap') },
    selected: -1,
    trace: null,
    query: '',
    found: null,
    at: -1,
    lit: null,
    litBoxes: [],
    showPath: false,
    frames: 0,
  };
  return Object.assign(app, sceneActions(app), selectionActions(app), viewActions(app));
}

/** Everything that follows from the scene. */
function afterScene(app) {
  const { graph, scene, camera } = app;
  camera.fitted = fitTo(camera, scene.extent).kx;
  app.pathBoxes = new Map();
  graph.path.forEach((node, place) => {
    const box = scene.boxOf[node];
    if (box >= 0 && !app.pathBoxes.has(box)) app.pathBoxes.set(box, place);
  });
  app.pathEdges = scene.edges ? pathEdges(graph, scene) : [];
  app.markBoxes = new Map();
  for (const [node, marks] of graph.marksOf) {
    for (const [, severity] of marks) {
      const box = scene.boxOf[node];
      const before = app.markBoxes.get(box);
      if (box >= 0 && (!before || severityRank(severity) < severityRank(before))) app.markBoxes.set(box, severity);
    }
  }
  if (app.trace) app.trace = traceOf(graph, scene, membersOf(scene, graph, app.selected), app.trace.all);
  light(app);
  paintMinimap(app);
  showFolds(app);
  showPanel(app);
  showDepth(app);
  app.redraw();
}

function pathEdges(graph, { edges }) {
  const found = new Set();
  for (let place = 1; place < graph.path.length; place++) {
    const tail = graph.path[place - 1];
    for (let at = graph.after.offsets[tail]; at < graph.after.offsets[tail + 1]; at++) {
      if (graph.after.targets[at] === graph.path[place]) found.add(edges.of[graph.after.edges[at]]);
    }
  }
  found.delete(-1);
  return [...found];
}

/** Which boxes are lit: those of a selection, else of a query, else of the path; all of them where there is none. */
function light(app) {
  const { graph, scene } = app;
  let hits = app.trace ? app.trace.hits : app.found && app.found.hits;
  if (!hits && app.showPath) {
    hits = new Uint8Array(graph.count);
    for (const node of graph.path) hits[node] = 1;
  }
  app.litBoxes = [];
  app.lit = hits ? new Uint8Array(scene.list.length) : null;
  if (!hits) return;
  if (scene.kind === 'timeline')
    for (let box = 0; box < scene.list.length; box++) app.lit[box] = hits[scene.list[box].first];
  else for (let node = 0; node < graph.count; node++) if (hits[node]) app.lit[scene.boxOf[node]] = 1;
  for (let box = 0; box < scene.list.length; box++) if (app.lit[box]) app.litBoxes.push(box);
}
