/** The head with hosts and GPUs, the gutter with layers: always in sight, as wide as what they name. */

function drawSides(ctx, app) {
  const { camera, theme } = app;
  ctx.fillStyle = theme.head;
  ctx.fillRect(0, 0, camera.width, HEAD);
  ctx.fillRect(0, 0, GUTTER, camera.height);
  ctx.fillStyle = theme.line;
  ctx.fillRect(GUTTER, HEAD - 1, camera.width - GUTTER, 1);
  ctx.fillRect(GUTTER - 1, HEAD, 1, camera.height - HEAD);
  ctx.textBaseline = 'middle';
  if (app.scene.kind === 'timeline') {
    drawTimelineSides(ctx, app);
    return;
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(GUTTER, 0, camera.width - GUTTER, HEAD);
  ctx.clip();
  drawHosts(ctx, app);
  drawGpus(ctx, app);
  ctx.restore();
  drawBands(ctx, app);
}

/** Lanes of one host beside each other, with the place they take on the screen. */
function hostSpans({ scene, camera, graph }) {
  const spans = [];
  for (const lane of scene.lanes) {
    const [left, right] = [toScreenX(camera, lane.x), toScreenX(camera, lane.x + LANE_WIDTH)];
    const last = spans[spans.length - 1];
    if (last && last.host === lane.host) last.right = right;
    else spans.push({ host: lane.host, left, right, foldable: graph.hosts.has(lane.host) });
  }
  return spans;
}

function drawHosts(ctx, app) {
  const { camera, theme, fold } = app;
  for (const span of hostSpans(app)) {
    if (span.right < GUTTER || span.left > camera.width) continue;
    ctx.fillStyle = theme.line;
    ctx.fillRect(span.left, 20, span.right - span.left, 1.5);
    const open = fold.host.has(span.host) ? '▸ ' : '▾ ';
    const text =
      span.host === -1
        ? 'no GPU'
        : span.host >= 0 && app.graph.hosts.size
          ? `${span.foldable ? open : ''}host ${span.host}`
          : '';
    const [left, right] = [Math.max(span.left, GUTTER + 4), Math.min(span.right, camera.width)];
    ctx.font = `600 11px ${FONT}`;
    const short = ctx.measureText(text).width > right - left && span.host >= 0 ? `${span.host}` : text;
    if (!text || ctx.measureText(short).width > right - left) continue;
    ctx.fillStyle = theme.text;
    ctx.textAlign = 'left';
    ctx.fillText(short, left, 11);
  }
}

function drawGpus(ctx, { scene, camera, theme }) {
  ctx.font = `11px ${FONT}`;
  ctx.fillStyle = theme.muted;
  ctx.textAlign = 'center';
  let free = -Infinity;
  const { lanes } = scene;
  for (let at = 0; at < lanes.length; at++) {
    const first = lanes[at];
    while (at + 1 < lanes.length && lanes[at + 1].label === first.label) at++;
    const middle = toScreenX(camera, (first.x + lanes[at].x + LANE_WIDTH) / 2);
    if (middle < GUTTER || middle > camera.width || !first.label) continue;
    const room = (lanes[at].x - first.x + LANE_WIDTH + LANE_GAP) * camera.kx;
    const text = ctx.measureText(first.label).width + 6 < room ? first.label : first.label.slice(4);
    const width = ctx.measureText(text).width + 6;
    if (middle - width / 2 < free) continue;
    ctx.fillText(text, middle, 30);
    free = middle + width / 2;
  }
}

function drawBands(ctx, app) {
  const { scene, camera, theme, graph, fold } = app;
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, HEAD, GUTTER, camera.height - HEAD);
  ctx.clip();
  ctx.textAlign = 'left';
  let free = HEAD;
  for (const frame of scene.frames) {
    const [top, bottom] = [toScreenY(camera, frame.y0), toScreenY(camera, frame.y1)];
    const text = bandText(graph, fold, frame);
    if (bottom < HEAD || top > camera.height || !text) continue;
    const y = Math.max(top + Math.min(9, (bottom - top) / 2), HEAD + 9);
    if (y - 7 < free || (bottom < HEAD + 14 && bottom - top > 14)) continue;
    ctx.fillStyle = graph.layers[frame.band] < 0 ? theme.muted : theme.text;
    ctx.font = `${graph.layers[frame.band] < 0 ? '' : '600 '}11px ${FONT}`;
    ctx.fillText(text, 8, y);
    free = y + 8;
  }
  ctx.restore();
}

function bandText(graph, fold, { band, level }) {
  const [layer, stage] = [graph.layers[band], graph.stages[band]];
  if (level === STAGE) return `▸ stage ${stage}`;
  if (layer >= 0) return `${level === LAYER ? '▸' : '▾'} ${graph.bandWord} ${layer}`;
  if (graph.layers.length < 2) return '';
  return band === 0 ? 'before' : band === graph.layers.length - 1 ? 'after' : 'between';
}

/** What a click into the head or the gutter means: something to fold, or null. */
function sideAt(app, x, y) {
  const { scene, camera, graph } = app;
  if (scene.kind === 'timeline') return null;
  if (y < HEAD && x > GUTTER) {
    const span = hostSpans(app).find((one) => one.left <= x && x <= one.right);
    return span && span.foldable ? { kind: 'host', value: span.host } : null;
  }
  if (x < GUTTER && y > HEAD) {
    const world = toWorldY(camera, y);
    const frame = scene.frames.find((one) => one.y0 - BAND_GAP / 2 <= world && world <= one.y1 + BAND_GAP / 2);
    if (!frame) return null;
    if (frame.level === STAGE) return { kind: 'stage', value: graph.stages[frame.band] };
    return graph.layers[frame.band] >= 0 ? { kind: 'layer', value: graph.layers[frame.band] } : null;
  }
  return null;
}
