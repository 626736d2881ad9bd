/** Which part of the world is seen. The head and the gutter of the drawing stay in place; the world moves beneath. */

const HEAD = 40;
const GUTTER = 96;
const LARGEST = 4;

function makeCamera() {
  return { x: 0, y: 0, kx: 1, ky: 1, width: 800, height: 600, fitted: 1 };
}

function toScreenX(camera, x) {
  return (x - camera.x) * camera.kx + GUTTER;
}

function toScreenY(camera, y) {
  return (y - camera.y) * camera.ky + HEAD;
}

function toWorldX(camera, x) {
  return (x - GUTTER) / camera.kx + camera.x;
}

function toWorldY(camera, y) {
  return (y - HEAD) / camera.ky + camera.y;
}

function seen(camera) {
  return {
    x0: camera.x,
    y0: camera.y,
    x1: toWorldX(camera, camera.width),
    y1: toWorldY(camera, camera.height),
  };
}

/** The place and scale at which a part of the world fills the drawing. */
function fitTo(camera, extent, { most = 1, margin = 16, stretch = false } = {}) {
  const [width, height] = [camera.width - GUTTER - 2 * margin, camera.height - HEAD - 2 * margin];
  const kx = Math.max(1e-4, width / Math.max(1, extent.x1 - extent.x0));
  const ky = Math.max(1e-4, height / Math.max(1, extent.y1 - extent.y0));
  const [sx, sy] = stretch
    ? [Math.min(kx, LARGEST), Math.min(ky, most)]
    : [Math.min(kx, ky, most), Math.min(kx, ky, most)];
  const x = (extent.x0 + extent.x1) / 2 - (camera.width - GUTTER) / 2 / sx;
  const y = (extent.y0 + extent.y1) / 2 - (camera.height - HEAD) / 2 / sy;
  return { x, y, kx: sx, ky: sy };
}

/** Larger or smaller around a point of the screen. */
function zoomAt(camera, factor, px, py, { flat = false } = {}) {
  const smallest = Math.min(0.02, camera.fitted / 2);
  const [wx, wy] = [toWorldX(camera, px), toWorldY(camera, py)];
  camera.kx = Math.min(flat ? 4000 : LARGEST, Math.max(smallest, camera.kx * factor));
  if (!flat) camera.ky = camera.kx;
  camera.x = wx - (px - GUTTER) / camera.kx;
  camera.y = wy - (py - HEAD) / camera.ky;
}

/** Keeps some of the world in sight, wherever one drags to. */
function holdInside(camera, extent) {
  const [width, height] = [(camera.width - GUTTER) / camera.kx, (camera.height - HEAD) / camera.ky];
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  camera.x = clamp(camera.x, extent.x0 - 0.8 * width, extent.x1 - 0.2 * width);
  camera.y = clamp(camera.y, extent.y0 - 0.8 * height, extent.y1 - 0.2 * height);
}
