/** Queries: words of key:value or plain text, all of which must hold; a minus in front says not. */

const SEARCH_KEYS = {
  op: (graph, value) => byTable(graph.op, graph.ops, ([op]) => pattern(value.replace(/[- ]/g, '_')).test(op)),
  family: (graph, value) => byTable(graph.op, graph.ops, ([, family]) => family === value),
  gpu: (graph, value) =>
    byNumber(value, (test) => {
      const sets = graph.sets.map((set) => set.some((column) => graph.gpus[column].some(test)));
      return (node) => sets[graph.setOf[node]];
    }),
  host: (graph, value) =>
    byNumber(value, (test) => {
      const on = (column) => graph.gpus[column].some((gpu) => test(Math.floor(gpu / graph.host)));
      const sets = graph.sets.map((set) => set.some(on));
      return (node) => sets[graph.setOf[node]];
    }),
  layer: (graph, value) =>
    value === 'none'
      ? (node) => graph.layers[graph.band[node]] < 0
      : byNumber(
          value,
          (test) => (node) => graph.layers[graph.band[node]] >= 0 && test(graph.layers[graph.band[node]]),
        ),
  stage: (graph, value) =>
    byNumber(value, (test) => (node) => graph.stages[graph.band[node]] >= 0 && test(graph.stages[graph.band[node]])),
  expert: (graph, value) => byNumber(value, (test) => (node) => graph.expert[node] >= 0 && test(graph.expert[node])),
  id: (graph, value) => (node) => graph.ids[node].toLowerCase().includes(value),
  title: (graph, value) => byTable(graph.title, graph.texts, (text) => text.toLowerCase().includes(value)),
  fact: (graph, value) => byTable(graph.facts, graph.texts, (text) => text.toLowerCase().includes(value)),
  code: (graph, value) => (node) =>
    (graph.marksOf.get(node) || []).some(([code]) => code.toLowerCase().startsWith(value)),
  is: (graph, value) => {
    const known = {
      path: (node) => graph.pathAt.has(node),
      finding: (node) => graph.marksOf.has(node),
      source: (node) => !graph.before.of(node).length,
      sink: (node) => !graph.after.of(node).length,
    };
    return known[value] || `is: knows ${Object.keys(known).join(', ')}`;
  },
};

function byTable(column, table, test) {
  const good = table.map(test);
  return (node) => good[column[node]];
}

function byNumber(value, make) {
  const test = numberTest(value);
  return test ? make(test) : `${value || 'nothing'} is no number or range, like 3 or 0-7`;
}

/** Letters as they are, * for any. */
function pattern(text) {
  return new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
}

/** Returns {hits, list}, or {error}; null for an empty query. */
function search(graph, query) {
  const words = query.toLowerCase().match(/-?(?:[a-z]+:)?"[^"]*"|\S+/g) || [];
  const tests = [];
  for (const word of words) {
    const [, minus, key, rest] = /^(-?)(?:([a-z]+):)?(.*)$/s.exec(word);
    const value = rest.replace(/^"|"$/g, '');
    if (key && !Object.hasOwn(SEARCH_KEYS, key))
      return { error: `no key ${key}:, there are ${Object.keys(SEARCH_KEYS).join(', ')}` };
    const test = key ? SEARCH_KEYS[key](graph, value) : plainText(graph, value);
    if (typeof test === 'string') return { error: test };
    tests.push(minus ? (node) => !test(node) : test);
  }
  if (!tests.length) return null;
  const hits = new Uint8Array(graph.count);
  const list = [];
  for (let node = 0; node < graph.count; node++) {
    if (!tests.every((test) => test(node))) continue;
    hits[node] = 1;
    list.push(node);
  }
  return { hits, list };
}

function plainText(graph, value) {
  const [byTitle, byId] = [SEARCH_KEYS.title(graph, value), SEARCH_KEYS.id(graph, value)];
  return (node) => byTitle(node) || byId(node);
}
