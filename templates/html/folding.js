/** What folds and opens, and the change between the graph and its timeline. */

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
      const { level, band } = app.scene.list[box];
      const fold = copyFold(app.fold);
      if (app.timeline) return;
      if (level === STAGE) fold.stage.delete(graph.stages[band]);
      else if (level === LAYER) fold.layer.delete(graph.layers[band]);
      else if (level === RANKS) openLanes(app, fold, box);
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
function openLanes(app, fold, box) {
  const { graph, scene } = app;
  for (const lane of spread(scene.runsOf(box))) {
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
  return {
    node: scene.list[chosen].first,
    x: toScreenX(camera, scene.x0[chosen]),
    y: toScreenY(camera, scene.y0[chosen]),
  };
}

function holdAnchor(app, { node, x, y }) {
  const { camera, scene } = app;
  const box = scene.boxOf[node];
  camera.x = scene.x0[box] - (x - GUTTER) / camera.kx;
  camera.y = scene.y0[box] - (y - HEAD) / camera.ky;
  holdInside(camera, scene.extent);
  app.redraw();
}

function showDepth(app) {
  const name = depths(app.graph).find(({ fold }) => foldText(app.graph, fold) === foldText(app.graph, app.fold));
  byId('depth').textContent = app.timeline ? 'timeline' : name ? name.name : 'own choice';
  byId('timeline').setAttribute('aria-pressed', `${Boolean(app.timeline)}`);
}
