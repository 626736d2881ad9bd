/** Texts on boxes: the title where it can be read, the two letters of the operator where only those can. */

const widths = new Map();
const fitted = new Map();

function drawTexts(ctx, app, view, boxes) {
  const { camera, scene, lit } = app;
  const mode =
    TITLE * camera.ky >= TEXT_PIXELS
      ? SMALL * camera.ky >= TEXT_PIXELS + 0.5
        ? 'full'
        : 'title'
      : TAG * camera.ky >= TEXT_PIXELS
        ? 'tag'
        : 'none';
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'center';
  ctx.direction = 'ltr';
  for (const box of boxes) {
    if (lit && !lit[box] && mode === 'tag') continue;
    ctx.globalAlpha = lit && !lit[box] ? 0.35 : 1;
    const { level } = scene.list[box];
    if (level > RANKS) writeBand(ctx, app, view, box);
    else if (mode !== 'none') for (const [x0, x1] of pieces(scene, box)) writeBox(ctx, app, view, box, mode, x0, x1);
  }
  ctx.globalAlpha = 1;
}

/** On the part of the box that is in sight, so that wide collectives always say what they are. */
function writeBox(ctx, app, view, box, mode, left, right) {
  const { scene, graph, camera, theme } = app;
  const wide = right - left > 1.5 * LANE_WIDTH;
  const [x0, x1] = wide ? [Math.max(left, view.x0), Math.min(right, view.x1)] : [left, right];
  const room = ((x1 - x0) * camera.kx) / camera.ky - 18;
  if (room < 14) return;
  const one = scene.list[box];
  const [op, , tag, , , shape] = one.op >= 0 ? graph.ops[one.op] : ['', '', '', '', '', ''];
  const inner = ['diamond', 'parallelogram'].includes(shape) ? room - 12 : room;
  const x = view.sx((x0 + x1) / 2);
  const y = view.sy((scene.y0[box] + scene.y1[box]) / 2);
  ctx.fillStyle = theme.text;
  if (mode === 'tag') {
    ctx.font = `600 ${TAG * camera.ky}px ${FONT}`;
    ctx.fillText(tag, x, y);
    return;
  }
  const times = one.level === RANKS && one.count > 1 ? ` ×${one.count.toLocaleString('en')}` : '';
  const fits = fitText(ctx, titleOf(graph, one.first), inner - times.length * 7);
  const title = (fits.length < 5 && fits.endsWith('…') && tag ? tag : fits) + times;
  const high = scene.y1[box] - scene.y0[box];
  if (high < TITLE) return;
  const below = mode === 'full' && high >= TITLE + SMALL ? secondLine(graph, one, op, tag) : '';
  ctx.font = `600 ${TITLE * camera.ky}px ${FONT}`;
  ctx.fillText(title, x, below ? y - 7 * camera.ky : y);
  if (!below) return;
  ctx.font = `${SMALL * camera.ky}px ${FONT}`;
  ctx.fillText(fitText(ctx, below, inner, SMALL), x, y + 8 * camera.ky);
}

/** AR · [8, 128, 512]: the operator by its letters, and what one GPU gives; where that is unknown its name. */
function secondLine(graph, { first, level }, op, tag) {
  const what = graph.texts[graph.brief[first]] || (tag ? op.replaceAll('_', ' ') : '');
  const expert = level === NODE && graph.expert[first] >= 0 ? `e${graph.expert[first]}` : '';
  return [tag, expert, what].filter(Boolean).join(' · ');
}

/** A folded layer or stage: its name stands at the left of what is in sight of it. */
function writeBand(ctx, app, view, box) {
  const { scene, camera, theme } = app;
  const height = (scene.y1[box] - scene.y0[box]) * camera.ky;
  const size = Math.min(15, Math.max(9, TITLE * camera.ky));
  if (height < size) return;
  const left = Math.max(view.sx(scene.x0[box]), GUTTER) + 10;
  const room = Math.min(view.sx(scene.x1[box]), camera.width) - left;
  const whole = groupText(app, box);
  const text = [whole, whole.replace(/ \(.*/, '')].find((one) => (widthOf(ctx, `▸ ${one}`, 10) * size) / 10 < room);
  if (!text) return;
  ctx.textAlign = 'left';
  ctx.fillStyle = theme.text;
  ctx.font = `600 ${size}px ${FONT}`;
  ctx.fillText(`▸ ${text}`, left, view.sy((scene.y0[box] + scene.y1[box]) / 2));
  ctx.textAlign = 'center';
}

/** layer 12 (64 GPUs, 1,344 nodes). */
function groupText({ graph, scene }, box) {
  const { level, band, count, gpus, first } = scene.list[box];
  if (level <= RANKS) return `${titleOf(graph, first)} ×${count.toLocaleString('en')}`;
  const name = level === STAGE ? `stage ${graph.stages[band]}` : `${graph.bandWord} ${graph.layers[band]}`;
  const where = graph.gpus.some((gpus) => gpus.length) ? `${plural(gpus, 'GPU')}, ` : '';
  return `${name} (${where}${plural(count, 'node')})`;
}

/** The text cut so that it is no wider than that, in units of the world. */
function fitText(ctx, text, width, size = TITLE) {
  const key = `${Math.round(width)}|${size}|${text}`;
  let found = fitted.get(key);
  if (found === undefined) {
    if (fitted.size > 50000) fitted.clear();
    const wide = widthOf(ctx, text, size);
    const letters = wide <= width ? text.length : Math.max(1, Math.floor((text.length * width) / wide) - 1);
    found = letters >= text.length ? text : `${text.slice(0, letters).trimEnd()}…`;
    fitted.set(key, found);
  }
  return found;
}

function widthOf(ctx, text, size) {
  const key = `${size}|${text}`;
  if (!widths.has(key)) {
    if (widths.size > 50000) widths.clear();
    const before = ctx.font;
    ctx.font = `600 ${size}px ${FONT}`;
    widths.set(key, ctx.measureText(text.slice(0, 400)).width * Math.max(1, text.length / 400));
    ctx.font = before;
  }
  return widths.get(key);
}
