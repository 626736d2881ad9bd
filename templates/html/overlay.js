/** What is laid over the boxes: the critical path with its order, findings, what is selected. */

function drawOverlays(ctx, app, view) {
  const { scene, theme, camera, showPath } = app;
  if (showPath) {
    ctx.strokeStyle = theme.critical;
    const far = ROW_HEIGHT * camera.ky < FAR_PIXELS;
    ctx.lineWidth = far ? 1 : Math.min(3, Math.max(2, 3 * camera.ky));
    outlineBoxes(ctx, app, view, app.pathBoxes.keys(), far ? 0 : 1);
    const room = (box) => (scene.x1[box] - scene.x0[box]) * camera.kx > 24;
    if (camera.ky > 0.45)
      for (const [box, place] of app.pathBoxes)
        if (room(box)) label(ctx, app, view, box, `${place + 1}`, theme.critical, 'left');
  }
  if (app.selected >= 0 && app.selected < scene.list.length) {
    ctx.strokeStyle = theme.accent;
    ctx.lineWidth = 3;
    outlineBoxes(ctx, app, view, [app.selected], 3);
  }
  for (const [box, severity] of app.markBoxes) {
    label(ctx, app, view, box, { error: 'E', warning: 'W', info: 'i' }[severity], theme[severity], 'right');
  }
}

function outlineBoxes(ctx, { scene, graph }, view, boxes, away) {
  ctx.beginPath();
  for (const box of boxes) {
    if (scene.y1[box] < view.y0 || scene.y0[box] > view.y1 || scene.x1[box] < view.x0 || scene.x0[box] > view.x1)
      continue;
    const { op, level } = scene.list[box];
    for (const [x0, x1] of pieces(scene, box)) {
      const [x, y] = [view.sx(x0) - away, view.sy(scene.y0[box]) - away];
      const shape = level > RANKS || op < 0 ? 'rectangle' : graph.ops[op][5];
      outline(ctx, shape, x, y, Math.max(3, view.sx(x1) - x + away), Math.max(3, view.sy(scene.y1[box]) - y + away));
    }
  }
  ctx.stroke();
}

/** A small sign at a corner of a box; it stays as large however far away one is. */
function label(ctx, { scene, theme, camera }, view, box, text, color, side) {
  if (scene.y1[box] < view.y0 || scene.y0[box] > view.y1) return;
  const left = side === 'left' ? scene.x0[box] : scene.x1[box];
  if (left < view.x0 || left > view.x1) return;
  const small = ROW_HEIGHT * camera.ky < FAR_PIXELS;
  const height = small ? 7 : 14;
  ctx.font = `700 10px ${FONT}`;
  const width = small ? 7 : Math.max(height, ctx.measureText(text).width + 8);
  const [x, y] = [view.sx(left) - width / 2, view.sy(scene.y0[box]) - height / 2];
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, height / 2);
  ctx.fill();
  if (small) return;
  ctx.fillStyle = theme['on-badge'];
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(text, x + width / 2, y + height / 2 + 0.5);
}
