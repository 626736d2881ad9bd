/** The state of the page and what can be done with it. Drawing happens once a frame, and only if something changed. */

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

/** Folding, and the two ways to draw. */
function sceneActions(app) {
  const { graph } = app;
  return {
    setFold(fold, { around = null, keep = true } = {}) {
      const anchor = keep && app.scene ? anchorOf(app, around) : null;
      const first = app.selected >= 0 ? app.scene.list[app.selected].first : -1;
      const timed = app.timeline;
      app.fold = fold;
      app.scene = buildScene(graph, fold);
      app.timeline = false;
      app.selected = first >= 0 ? app.scene.boxOf[first] : -1;
      afterScene(app);
      if (timed) app.fit(false);
      else if (anchor) holdAnchor(app, anchor);
    },
    setTimeline(on) {
      const scene = on ? buildTimeline(graph) : null;
      if (on && !scene) return;
      const first = app.selected >= 0 ? app.scene.list[app.selected].first : -1;
      app.timeline = on;
      app.scene = scene || buildScene(graph, app.fold);
      app.selected = first >= 0 ? app.scene.boxOf[first] : -1;
      afterScene(app);
      app.fit(false);
    },
    toggleBox(box) {
      const { level, band, set } = app.scene.list[box];
      const fold = copyFold(app.fold);
      if (app.timeline) return;
      if (level === STAGE) fold.stage.delete(graph.stages[band]);
      else if (level === LAYER) fold.layer.delete(graph.layers[band]);
      else if (level === RANKS) openLanes(app, fold, set);
      else if (graph.layers[band] >= 0) fold.layer.add(graph.layers[band]);
      else return;
      app.setFold(fold, { around: box });
    },
    toggleSide({ kind, value }) {
      const fold = copyFold(app.fold);
      if (!fold[kind].delete(value)) fold[kind].add(value);
      app.setFold(fold);
    },
    deeper(by) {
      const ladder = depths(graph);
      const now = ladder.findIndex(({ fold }) => foldText(graph, fold) === foldText(graph, app.fold));
      const from = now >= 0 ? now : defaultDepth(graph) - (by > 0 ? 1 : 0);
      const next = ladder[Math.min(Math.max(from + by, 0), ladder.length - 1)];
      app.setFold(copyFold(next.fold));
      say(`showing ${next.name}, drawn as ${plural(app.scene.list.length, 'node')}`);
    },
  };
}

/** Opens the hosts and axes that hold the lanes of a box together. */
function openLanes(app, fold, set) {
  const { graph, scene } = app;
  const runs = scene.runsOf(scene.list.findIndex((one) => one.set === set));
  for (const lane of spread(runs)) {
    const { columns, host } = scene.lanes[lane];
    if (columns.length < 2) continue;
    if (!fold.host.delete(host)) fold.axis.clear();
  }
  if (!graph.hosts.size) fold.axis.clear();
}

/** What stays in its place on the screen while the rest is folded: a box, or what is nearest to the middle. */
function anchorOf(app, box) {
  const { scene, camera } = app;
  if (scene.kind === 'timeline') return null;
  let chosen = box ?? (app.selected >= 0 ? app.selected : null);
  if (chosen === null) {
    const view = seen(camera);
    const near = scene.index.neighbors((view.x0 + view.x1) / 2, (view.y0 + view.y1) / 2, 1);
    chosen = near[0] ?? 0;
  }
  return { node: scene.list[chosen].first, x: toScreenX(camera, scene.x0[chosen]), y: toScreenY(camera, scene.y0[chosen]) };
}

function holdAnchor(app, { node, x, y }) {
  const { camera, scene } = app;
  const box = scene.boxOf[node];
  camera.x = scene.x0[box] - (x - GUTTER) / camera.kx;
  camera.y = scene.y0[box] - (y - HEAD) / camera.ky;
  holdInside(camera, scene.extent);
  app.redraw();
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
  if (scene.kind === 'timeline') for (let box = 0; box < scene.list.length; box++) app.lit[box] = hits[scene.list[box].first];
  else for (let node = 0; node < graph.count; node++) if (hits[node]) app.lit[scene.boxOf[node]] = 1;
  for (let box = 0; box < scene.list.length; box++) if (app.lit[box]) app.litBoxes.push(box);
}

/** Selecting and finding. */
function selectionActions(app) {
  const { graph } = app;
  return {
    select(box, all = false) {
      app.selected = box;
      app.trace = box >= 0 ? traceOf(graph, app.scene, membersOf(app.scene, graph, box), all) : null;
      light(app);
      showPanel(app);
      if (box >= 0) say(spoken(app, box));
      app.redraw();
    },
    goTo(node, { all = false } = {}) {
      if (!app.timeline && app.scene.list[app.scene.boxOf[node]].count > 1) app.setFold(revealNode(graph, app.fold, node));
      const box = app.scene.boxOf[node];
      if (box < 0) return;
      app.select(box, all);
      app.centre(box);
    },
    setQuery(query) {
      app.query = query;
      if (byId('query').value !== query) byId('query').value = query;
      const found = search(graph, query);
      byId('query').setAttribute('aria-invalid', `${Boolean(found && found.error)}`);
      app.found = found && !found.error ? found : null;
      app.at = -1;
      const text = found ? found.error || plural(found.list.length, 'node') : '';
      byId('found').textContent = text;
      if (app.selected >= 0 && app.found) app.select(-1);
      light(app);
      app.redraw();
    },
    nextFound(by) {
      const list = app.found ? app.found.list : [];
      if (!list.length) return;
      app.at = app.at < 0 && by < 0 ? list.length - 1 : (app.at + by + list.length) % list.length;
      app.goTo(list[app.at]);
      byId('found').textContent = `${(app.at + 1).toLocaleString('en')} of ${plural(list.length, 'node')}`;
    },
    setPath(on) {
      app.showPath = on && graph.path.length > 0;
      byId('path').setAttribute('aria-pressed', `${app.showPath}`);
      light(app);
      app.redraw();
      if (app.showPath) say(`${pathName(graph)}: ${plural(graph.path.length, 'node')}${graph.pathTime ? `, time = ${graph.pathTime}` : ''}`);
    },
  };
}

function spoken(app, box) {
  const { graph, scene } = app;
  const one = scene.list[box];
  if (one.count > 1) return groupText(app, box);
  return `${titleOf(graph, one.first)}, ${graph.ids[one.first]}, ${gpuText(gpusOf(graph, one.first))}`;
}

/** Moving the camera. */
function viewActions(app) {
  const { camera } = app;
  return {
    redraw() {
      if (app.pending) return;
      app.pending = requestAnimationFrame(() => {
        app.pending = 0;
        app.frames++;
        drawFrame(app.ctx, app);
        drawMinimap(app);
        writeLink(app);
      });
    },
    moveTo(target, smooth = true) {
      cancelAnimationFrame(app.moving);
      if (!smooth || matchMedia('(prefers-reduced-motion: reduce)').matches) {
        Object.assign(camera, target);
        app.redraw();
        return;
      }
      const from = { x: camera.x, y: camera.y, kx: camera.kx, ky: camera.ky };
      const start = performance.now();
      const step = (now) => {
        const part = Math.min(1, (now - start) / 180);
        const eased = part * (2 - part);
        for (const key of ['x', 'y', 'kx', 'ky']) if (key in target) camera[key] = from[key] + (target[key] - from[key]) * eased;
        app.redraw();
        if (part < 1) app.moving = requestAnimationFrame(step);
      };
      app.moving = requestAnimationFrame(step);
    },
    fit(smooth = true) {
      app.moveTo(fitTo(camera, app.scene.extent, { stretch: app.timeline }), smooth);
    },
    centre(box) {
      const { scene } = app;
      const least = app.timeline ? Math.min(4000, 60 / Math.max(1e-3, scene.x1[box] - scene.x0[box])) : 0.7;
      const kx = Math.max(camera.kx, least);
      const ky = app.timeline ? camera.ky : kx;
      const [width, height] = [(camera.width - GUTTER) / kx, (camera.height - HEAD) / ky];
      // Of a wide collective the part that is in sight already.
      const middle = Math.min(Math.max((camera.x + toWorldX(camera, camera.width)) / 2, scene.x0[box]), scene.x1[box]);
      const x = scene.x1[box] - scene.x0[box] > width ? middle : (scene.x0[box] + scene.x1[box]) / 2;
      app.moveTo({ x: x - width / 2, y: (scene.y0[box] + scene.y1[box]) / 2 - height / 2, kx, ky });
    },
    zoom(factor, x = camera.width / 2, y = camera.height / 2) {
      cancelAnimationFrame(app.moving);
      zoomAt(camera, factor, x, y, { flat: app.timeline });
      holdInside(camera, app.scene.extent);
      app.redraw();
    },
    pan(dx, dy) {
      cancelAnimationFrame(app.moving);
      camera.x -= dx / camera.kx;
      camera.y -= dy / camera.ky;
      holdInside(camera, app.scene.extent);
      app.redraw();
    },
    resize() {
      const { width, height } = app.canvas.parentElement.getBoundingClientRect();
      app.ratio = window.devicePixelRatio || 1;
      Object.assign(camera, { width, height });
      app.canvas.width = Math.round(width * app.ratio);
      app.canvas.height = Math.round(height * app.ratio);
      app.redraw();
    },
  };
}

function showDepth(app) {
  const name = depths(app.graph).find(({ fold }) => foldText(app.graph, fold) === foldText(app.graph, app.fold));
  byId('depth').textContent = app.timeline ? 'timeline' : name ? name.name : 'own choice';
  byId('timeline').setAttribute('aria-pressed', `${Boolean(app.timeline)}`);
}
