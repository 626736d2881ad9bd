/** Moving the camera. */

/** Moving the camera. */
function viewActions(app) {
  const { camera } = app;
  return {
    redraw() {
      if (app.pending) return;
      app.pending = requestAnimationFrame(() => {
        app.pending = 0;
        app.frames++;
        drawFrame(app.ctx, app);
        drawMinimap(app);
        writeLink(app);
      });
    },
    moveTo(target, smooth = true) {
      cancelAnimationFrame(app.moving);
      if (!smooth || matchMedia('(prefers-reduced-motion: reduce)').matches) {
        Object.assign(camera, target);
        app.redraw();
        return;
      }
      const from = { x: camera.x, y: camera.y, kx: camera.kx, ky: camera.ky };
      const start = performance.now();
      const step = (now) => {
        const part = Math.min(1, (now - start) / 180);
        const eased = part * (2 - part);
        for (const key of ['x', 'y', 'kx', 'ky'])
          if (key in target) camera[key] = from[key] + (target[key] - from[key]) * eased;
        app.redraw();
        if (part < 1) app.moving = requestAnimationFrame(step);
      };
      app.moving = requestAnimationFrame(step);
    },
    fit(smooth = true) {
      app.moveTo(fitTo(camera, app.scene.extent, { stretch: app.timeline }), smooth);
    },
    centre(box) {
      const { scene } = app;
      const least = app.timeline ? Math.min(4000, 60 / Math.max(1e-3, scene.x1[box] - scene.x0[box])) : 0.7;
      const kx = Math.max(camera.kx, least);
      const ky = app.timeline ? camera.ky : kx;
      const [width, height] = [(camera.width - GUTTER) / kx, (camera.height - HEAD) / ky];
      // Of a wide collective the part that is in sight already.
      const middle = Math.min(Math.max((camera.x + toWorldX(camera, camera.width)) / 2, scene.x0[box]), scene.x1[box]);
      const x = scene.x1[box] - scene.x0[box] > width ? middle : (scene.x0[box] + scene.x1[box]) / 2;
      app.moveTo({ x: x - width / 2, y: (scene.y0[box] + scene.y1[box]) / 2 - height / 2, kx, ky });
    },
    zoom(factor, x = camera.width / 2, y = camera.height / 2) {
      cancelAnimationFrame(app.moving);
      zoomAt(camera, factor, x, y, { flat: app.timeline });
      holdInside(camera, app.scene.extent);
      app.redraw();
    },
    pan(dx, dy) {
      cancelAnimationFrame(app.moving);
      camera.x -= dx / camera.kx;
      camera.y -= dy / camera.ky;
      holdInside(camera, app.scene.extent);
      app.redraw();
    },
    resize() {
      const { width, height } = app.canvas.parentElement.getBoundingClientRect();
      app.ratio = window.devicePixelRatio || 1;
      Object.assign(camera, { width, height });
      app.canvas.width = Math.round(width * app.ratio);
      app.canvas.height = Math.round(height * app.ratio);
      app.redraw();
    },
  };
}
