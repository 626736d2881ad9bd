/** The other way to draw the graph: a lane for each GPU, time from left to right. Only where the payload has times. */

const TRACK = 46;
const BUSY = 24;
const SENDING = 14;

function buildTimeline(graph) {
  const list = [];
  const [x0, x1, y0, y1, row] = [[], [], [], [], []];
  const boxOf = new Int32Array(graph.count).fill(-1);
  const { run: nodes, start, end } = graph;
  const origin = start.reduce((first, one) => Math.min(first, one), Infinity);
  const lengths = end
    .map((one, at) => one - start[at])
    .filter((one) => one > 0)
    .sort();
  // Half of all runs are at least as wide as a word when nothing is stretched.
  const unit = 60 / (lengths[lengths.length >> 1] || 1);
  nodes.forEach((node, at) => {
    const sends = graph.ops[graph.op[node]][1] === 'communication';
    for (const column of graph.sets[graph.setOf[node]]) {
      if (boxOf[node] < 0) boxOf[node] = list.length;
      list.push({ level: NODE, band: graph.band[node], step: 0, op: graph.op[node], set: -1, first: node, count: 1 });
      x0.push((start[at] - origin) * unit);
      x1.push((end[at] - origin) * unit);
      y0.push(column * TRACK + (sends ? BUSY + 2 : 0));
      y1.push(column * TRACK + (sends ? BUSY + 2 + SENDING : BUSY));
      row.push(2 * column + Number(sends));
    }
  });
  if (!list.length) return null;
  const rowY = Array.from({ length: 2 * graph.lanes }, (_, at) => (at >> 1) * TRACK + (at % 2 ? BUSY + 2 : 0));
  const scene = { kind: 'timeline', list, boxOf, x0, x1, y0, y1, row, rowY, unit, frames: [], lanes: [] };
  scene.extent = extentOf(scene);
  scene.index = boxIndex(scene);
  scene.runs = rowY.map(() => []);
  for (let box = 0; box < list.length; box++) {
    scene.runs[row[box]].push({ x0: x0[box], x1: x1[box], y0: y0[box], y1: y1[box], level: NODE, op: list[box].op });
  }
  for (const run of scene.runs) run.sort((a, b) => a.x0 - b.x0);
  return scene;
}

function drawTimelineSides(ctx, { scene, camera, theme, graph }) {
  ctx.font = `11px ${FONT}`;
  ctx.fillStyle = theme.muted;
  ctx.textAlign = 'center';
  const step = tickStep(110 / camera.kx / scene.unit);
  const first = Math.ceil(Math.max(0, camera.x / scene.unit) / step);
  for (let tick = first; ; tick++) {
    const x = toScreenX(camera, tick * step * scene.unit);
    if (x > camera.width) break;
    ctx.fillRect(x, HEAD - 6, 1, 6);
    ctx.fillText(timeText(tick * step), Math.max(x, GUTTER + 24), 18);
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, HEAD, GUTTER, camera.height - HEAD);
  ctx.clip();
  ctx.textAlign = 'left';
  ctx.fillStyle = theme.text;
  let free = HEAD;
  graph.gpus.forEach((gpus, column) => {
    const y = toScreenY(camera, column * TRACK + TRACK / 2 - 3);
    if (y < free + 7 || y > camera.height) return;
    ctx.fillText(gpus.length ? `GPU ${runsText(gpus, 2)}` : 'no GPU', 8, y);
    free = y + 7;
  });
  ctx.restore();
}

/** The next of 1, 2, 5, 10, … times a power of ten. */
function tickStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= least) || 10 * power;
}

function timeText(seconds) {
  if (!seconds) return '0';
  for (const [size, name] of [
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
  ]) {
    if (Math.abs(seconds) >= size * 0.9995) return `${Number((seconds / size).toPrecision(4))} ${name}`;
  }
  return `${Number((seconds / 1e-9).toPrecision(4))} ns`;
}
