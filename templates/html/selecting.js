/** Selecting, finding, and the critical path. */

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
      if (!app.timeline && app.scene.list[app.scene.boxOf[node]].count > 1)
        app.setFold(revealNode(graph, app.fold, node));
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
      if (app.showPath)
        say(
          `${pathName(graph)}: ${plural(graph.path.length, 'node')}${graph.pathTime ? `, time = ${graph.pathTime}` : ''}`,
        );
    },
  };
}

function spoken(app, box) {
  const { graph, scene } = app;
  const one = scene.list[box];
  if (one.count > 1) return groupText(app, box);
  return `${titleOf(graph, one.first)}, ${graph.ids[one.first]}, ${gpuText(gpusOf(graph, one.first))}`;
}
