/** Rows from top to bottom: band under band, step under step. */

const ROW_HEIGHT = 34;
const ROW_GAP = 16;
const FOLDED_HEIGHT = 36;
const BAND_HEAD = 14;
const BAND_GAP = 22;

/** Rows from top to bottom; boxes of one step that would lie on each other get rows of their own. */
function placeRows(graph, { list }, sets, lanes) {
  const count = list.length;
  const first = (box) => sets.runs[list[box].set][0];
  const order = Array.from({ length: count }, (_, box) => box).sort(
    (a, b) => list[a].band - list[b].band || list[a].step - list[b].step || first(a) - first(b) || a - b,
  );
  const place = {
    x0: new Float64Array(count),
    x1: new Float64Array(count),
    y0: new Float64Array(count),
    y1: new Float64Array(count),
    row: new Int32Array(count),
  };
  const rowY = [];
  const frames = [];
  let y = 0;
  for (let at = 0; at < count;) {
    const { band, level } = list[order[at]];
    const folded = level > RANKS;
    const top = y;
    const frame = { band, level, box: folded ? order[at] : -1, y0: top, x0: Infinity, x1: -Infinity };
    if (!folded) y += BAND_HEAD;
    while (at < count && list[order[at]].band === band) {
      const start = at;
      const { step } = list[order[at]];
      while (at < count && list[order[at]].band === band && list[order[at]].step === step) at++;
      const members = order.slice(start, at);
      const depth = packStep(members, list, sets, place.row, rowY.length);
      const height = folded ? FOLDED_HEIGHT : ROW_HEIGHT;
      for (let sub = 0; sub < depth; sub++) rowY.push(y + sub * (height + ROW_GAP));
      for (const box of members) {
        const runs = sets.runs[list[box].set];
        place.x0[box] = lanes[runs[0]].x;
        place.x1[box] = lanes[runs[runs.length - 1]].x + LANE_WIDTH;
        place.y0[box] = rowY[place.row[box]];
        place.y1[box] = place.y0[box] + height;
        frame.x0 = Math.min(frame.x0, place.x0[box]);
        frame.x1 = Math.max(frame.x1, place.x1[box]);
      }
      y += depth * (height + ROW_GAP);
    }
    frame.y1 = folded ? y - ROW_GAP : y;
    frames.push(frame);
    y = folded ? y - ROW_GAP + 10 : y + BAND_GAP;
  }
  return { ...place, rowY, frames, runsOf: (box) => sets.runs[list[box].set] };
}

/** First come first served by left ends; a row freed first is taken first. Returns the number of rows. */
function packStep(members, list, sets, row, base) {
  const last = (box) => sets.runs[list[box].set][sets.runs[list[box].set].length - 1];
  const byEnd = [...members].sort((a, b) => last(a) - last(b) || a - b);
  const free = [];
  let rows = 0;
  let ended = 0;
  let taken = 0;
  for (const box of members) {
    const left = sets.runs[list[box].set][0];
    while (ended < byEnd.length && last(byEnd[ended]) < left) free.push(row[byEnd[ended++]]);
    if (taken === free.length) row[box] = base + rows++;
    else row[box] = free[taken++];
  }
  return rows;
}
