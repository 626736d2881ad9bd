/** Colours come from the style sheet, those of operators from the payload: one pair for each, light and dark. */

function readTheme(graph) {
  const style = getComputedStyle(document.documentElement);
  const name = (key) => style.getPropertyValue(`--${key}`).trim();
  const dark = name('theme') === 'dark';
  const colors = {};
  for (const key of [
    'canvas',
    'text',
    'muted',
    'line',
    'band',
    'head',
    'group',
    'accent',
    'critical',
    'error',
    'warning',
    'info',
    'before',
    'after',
    'on-badge',
  ]) {
    colors[key] = name(key);
  }
  return {
    ...colors,
    dark,
    edges: graph.classes.map((one) => name(`edge-${one}`)),
    fills: graph.ops.map(([, , , light, shade]) => (dark ? shade : light)),
  };
}

/** auto, light, dark, and again; remembered where the browser lets a page remember. */
function nextTheme() {
  const names = ['auto', 'light', 'dark'];
  const root = document.documentElement;
  const next = names[(names.indexOf(root.dataset.theme) + 1) % 3];
  root.dataset.theme = next;
  remember('theme', next);
  return next;
}

function remember(key, value) {
  try {
    localStorage.setItem(`dagtool-${key}`, value);
  } catch {
    // Storage may be forbidden, as for files in some browsers.
  }
}

function recall(key) {
  try {
    return localStorage.getItem(`dagtool-${key}`);
  } catch {
    return null;
  }
}
