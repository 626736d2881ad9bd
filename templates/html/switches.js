/** What can be folded as a whole, as switches. */

/** One switch for each mesh axis, and for all layers, hosts and stages. */
function showFolds(app) {
  const { graph, fold } = app;
  const all = foldable(graph);
  const names = { stage: 'stages', layer: `${graph.bandWord}s`, host: 'hosts' };
  const switches = [];
  const add = (text, on, flip) =>
    switches.push(element('button', { type: 'button', class: 'switch', 'aria-pressed': `${on}`, text, onclick: flip }));
  for (const kind of ['stage', 'layer', 'host']) {
    if (all[kind].length < 2) continue;
    const on = fold[kind].size === all[kind].length;
    add(names[kind], on, () => app.setFold({ ...copyFold(fold), [kind]: new Set(on ? [] : all[kind]) }));
  }
  for (const axis of all.axis) {
    const on = fold.axis.has(axis);
    add(`ranks along ${axis}`, on, () => {
      const next = copyFold(fold);
      if (on) next.axis.delete(axis);
      else next.axis.add(axis);
      app.setFold(next);
    });
  }
  byId('folds').hidden = !switches.length;
  byId('folds').replaceChildren(element('h2', { text: 'Fold' }), element('div', { class: 'switches' }, ...switches));
}
