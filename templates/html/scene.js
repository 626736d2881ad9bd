/** The boxes that stand for the nodes under a fold, and where they stand. Linear but for one sort. */

function buildScene(graph, fold) {
  const { laneOf, lanes } = foldLanes(graph, fold);
  const sets = laneSets(graph, laneOf, lanes);
  const boxes = gatherBoxes(graph, fold, sets);
  const rows = placeRows(graph, boxes, sets, lanes);
  const scene = { kind: 'graph', lanes, ...boxes, ...rows };
  scene.extent = extentOf(scene);
  scene.index = boxIndex(scene);
  Object.assign(scene, buildEdges(graph, scene, sets));
  scene.runs = buildRuns(scene);
  return scene;
}

function extentOf({ x0, x1, y0, y1, list }) {
  const found = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (let box = 0; box < list.length; box++) {
    found.x0 = Math.min(found.x0, x0[box]);
    found.x1 = Math.max(found.x1, x1[box]);
    found.y0 = Math.min(found.y0, y0[box]);
    found.y1 = Math.max(found.y1, y1[box]);
  }
  return found;
}

function boxIndex({ x0, x1, y0, y1, list }) {
  const index = new Flatbush(list.length);
  for (let box = 0; box < list.length; box++) index.add(x0[box], y0[box], x1[box], y1[box]);
  index.finish();
  return index;
}

/** For far away: neighbours in a row that look the same, as one rectangle each; by row, from left to right. */
function buildRuns({ list, y0, y1, row, rowY, runsOf, lanes }) {
  const rows = rowY.map(() => []);
  for (let box = 0; box < list.length; box++) {
    const runs = runsOf(box);
    const { level, op } = list[box];
    for (let i = 0; i < runs.length; i += 2) {
      const [from, to] = [lanes[runs[i]].x, lanes[runs[i + 1]].x + LANE_WIDTH];
      rows[row[box]].push({ x0: from, x1: to, y0: y0[box], y1: y1[box], level, op });
    }
  }
  return rows.map((parts) => {
    parts.sort((a, b) => a.x0 - b.x0);
    const merged = [];
    for (const part of parts) {
      const before = merged[merged.length - 1];
      const alike = before && before.op === part.op && before.level === part.level;
      if (alike && part.x0 - before.x1 <= LANE_GAP) before.x1 = part.x1;
      else merged.push(part);
    }
    return merged;
  });
}
