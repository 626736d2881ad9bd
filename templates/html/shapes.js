/** Boxes near enough to have a shape: that of their operator in the pictures. */

/** The parts of a box: one for each run of lanes; in a timeline it is one. */
function pieces(scene, box) {
  if (!scene.runsOf) return [[scene.x0[box], scene.x1[box]]];
  const runs = scene.runsOf(box);
  const found = [];
  for (let i = 0; i < runs.length; i += 2)
    found.push([scene.lanes[runs[i]].x, scene.lanes[runs[i + 1]].x + LANE_WIDTH]);
  return found;
}

/** Shapes, those of one look together. */
function drawBoxes(ctx, app, view, boxes) {
  const { lit, theme, scene, camera } = app;
  const groups = new Map();
  for (const box of boxes) {
    const { op, level } = scene.list[box];
    const key = `${lit && !lit[box] ? 0 : 1}|${level > RANKS ? -1 : op}|${level}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(box);
  }
  // Runs too short to be told apart are one band of their colour.
  const outlined = camera.ky > 0.2 && (scene.kind !== 'timeline' || camera.kx > 0.2);
  for (const key of [...groups.keys()].sort()) {
    const [bright] = key.split('|');
    const members = groups.get(key);
    const one = scene.list[members[0]];
    ctx.globalAlpha = bright === '1' ? 1 : 0.25;
    ctx.fillStyle = fillOf(app, one);
    ctx.strokeStyle = theme.line;
    ctx.lineWidth = Math.min(1, 2 * camera.ky);
    ctx.beginPath();
    if (one.level === RANKS || one.level === STAGE) for (const box of members) shapeOf(ctx, app, view, box, 3);
    for (const box of members) shapeOf(ctx, app, view, box, 0);
    ctx.fill();
    if (outlined) ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** The outline of a box, as that of its operator; thin bars join the parts of one that leaves lanes out. */
function shapeOf(ctx, { scene, graph, camera }, view, box, shift) {
  const { op, level } = scene.list[box];
  const shape = level > RANKS || op < 0 ? 'rectangle' : graph.ops[op][5];
  const offset = shift * Math.min(1, camera.ky);
  const [y, bottom] = [view.sy(scene.y0[box]) + offset, view.sy(scene.y1[box]) + offset];
  const parts = pieces(scene, box);
  for (let i = 1; i < parts.length; i++) {
    const [left, right] = [view.sx(parts[i - 1][1]), view.sx(parts[i][0])];
    ctx.rect(left, (y + bottom) / 2 - 1.5, right - left, 3);
  }
  for (const [x0, x1] of parts) {
    if (x1 < view.x0 || x0 > view.x1) continue;
    const x = view.sx(x0) + offset;
    outline(ctx, shape, x, y, Math.max(1, view.sx(x1) + offset - x), bottom - y);
  }
}

function outline(ctx, shape, x, y, width, height) {
  const slope = Math.min(height * 0.4, width / 4);
  if (shape === 'ellipse') ctx.roundRect(x, y, width, height, Math.min(height, width) / 2);
  else if (shape === 'diamond')
    polygon(ctx, [
      x,
      y + height / 2,
      x + slope,
      y,
      x + width - slope,
      y,
      x + width,
      y + height / 2,
      x + width - slope,
      y + height,
      x + slope,
      y + height,
    ]);
  else if (shape === 'parallelogram')
    polygon(ctx, [x + slope, y, x + width, y, x + width - slope, y + height, x, y + height]);
  else ctx.roundRect(x, y, width, height, Math.min(4, height / 5, width / 5));
}

function polygon(ctx, points) {
  ctx.moveTo(points[0], points[1]);
  for (let i = 2; i < points.length; i += 2) ctx.lineTo(points[i], points[i + 1]);
  ctx.closePath();
}
