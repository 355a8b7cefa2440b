// Maps drawn from raw values, as seewhy/images/resizing.py and drawing.py draw them: the same numbers, the same pixels.
const TABLES = Object.fromEntries(Object.entries(bundle.drawing.tables).map(([name, text]) => [name, bytes(text)]));
const SIGNED = bytes(bundle.drawing.signed);
const HATCH = { line: [255, 120], ground: [128, 130] }; // grey, alpha
const NOTHING = "no region stood out";
const NINTHS = ["top-left", "top", "top-right", "left", "centre", "right", "bottom-left", "bottom", "bottom-right"];
const planes = new Map(); // levels by what they were made from; the newest last
const MOST_PLANES = 240;
const sheets = new Map(); // pixels to draw on, by their size

function cubic(distance) { // Keys 1981, a = -1/2
  const t = Math.abs(distance);
  if (t <= 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

function clamped(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

function covered(start, stop, pixels) { // the pixels whose centres lie inside
  return [start, stop].map((edge) => clamped(Math.ceil(edge - 0.5), 0, pixels));
}

// The weight of each cell of an axis for each of its pixels inside start..stop.
function axis(cells, pixels, start, stop, smooth) {
  const [first, last] = covered(start, stop, pixels);
  const weights = new Float32Array((last - first) * cells);
  const wide = Math.max(1, cells / (stop - start)); // above 1 the kernel grows, so that no cell is left out
  for (let i = 0; i < last - first; i++) {
    const where = (i + first + 0.5 - start) * (cells / (stop - start)) - 0.5;
    if (!smooth) {
      weights[i * cells + clamped(Math.floor(where + 0.5), 0, cells - 1)] = 1;
      continue;
    }
    const from = Math.floor(where - 2 * wide) + 1;
    let total = 0;
    for (let step = 0; step < Math.ceil(4 * wide); step++) {
      const weight = cubic((from + step - where) / wide);
      weights[i * cells + clamped(from + step, 0, cells - 1)] += weight; // beyond the edge the outermost cell goes on
      total += weight;
    }
    for (let k = 0; k < cells; k++) weights[i * cells + k] /= total;
  }
  return { first, last, weights };
}

// Levels 0..255 (signed: 1..255 around 128) of a map over a picture of width x height pixels.
function planeOf(map, width, height, box, smooth, top, signed = false) {
  const { height: m, width: n, values } = map;
  const [left, up, right, down] = box || [0, 0, 1, 1];
  const vertical = axis(m, height, up * height, down * height, smooth);
  const across = axis(n, width, left * width, right * width, smooth);
  const [h, w] = [vertical.last - vertical.first, across.last - across.first];
  const levels = new Uint8Array(h * w);
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  const line = new Float32Array(n);
  for (let y = 0; y < h; y++) {
    line.fill(0);
    for (let k = 0; k < m; k++) {
      const weight = vertical.weights[y * m + k];
      if (weight) for (let j = 0; j < n; j++) line[j] += weight * values[k * n + j];
    }
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += across.weights[x * n + j] * line[j];
      const value = clamped(sum, low, high) / top;
      levels[y * w + x] = levelOf(value, signed);
    }
  }
  return { levels, rows: [vertical.first, vertical.last], columns: [across.first, across.last] };
}

function levelOf(value, signed) {
  return signed ? 128 + Math.round(127 * clamped(value, -1, 1)) : Math.round(255 * clamped(value, 0, 1));
}

function cachedPlane(key, make) {
  let plane = planes.get(key);
  planes.delete(key); // put back as the newest
  plane = plane || make();
  planes.set(key, plane);
  if (planes.size > MOST_PLANES) planes.delete(planes.keys().next().value);
  return plane;
}

// One number of red, green, blue and alpha for each level; below the threshold nothing is drawn.
function colours(table, opacity, threshold) {
  const result = new Uint8ClampedArray(1024);
  for (let level = 0; level < 256; level++) {
    const seen = level / 255 >= threshold ? Math.round(level * opacity) : 0;
    result.set([...table.subarray(level * 4, level * 4 + 3), seen], level * 4);
  }
  return new Uint32Array(result.buffer);
}

function opaque(table, signed) { // the two-sided colours fade into black at zero
  const result = new Uint8ClampedArray(1024);
  for (let i = 0; i < 1024; i += 4) {
    const alpha = signed ? table[i + 3] / 255 : 1;
    result.set([table[i] * alpha, table[i + 1] * alpha, table[i + 2] * alpha, 255], i);
  }
  return new Uint32Array(result.buffer);
}

function painted(canvas, width, height, plane, palette) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = sheet(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const [top, bottom] = plane.rows;
  const [left, right] = plane.columns;
  if (bottom - top < height || right - left < width) hatch(pixels, width, height);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      pixels[y * width + x] = plane.levels ? palette[plane.levels[(y - top) * (right - left) + x - left]] : 0;
    }
  }
  // Only ever written to, so a GPU would have to fetch it: tiles come and go faster without.
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
}

// Every pixel of a sheet is written each time, so one of each size serves all: else scrolling stops to tidy memory.
function sheet(width, height) {
  const key = `${width}x${height}`;
  if (sheets.size > 64) sheets.clear();
  if (!sheets.has(key)) sheets.set(key, new ImageData(width, height));
  return sheets.get(key);
}

function hatch(pixels, width, height) {
  const period = Math.max(8, Math.floor(Math.min(height, width) / 30));
  const thick = Math.max(1, Math.floor(period / 7));
  const [line, ground] = [HATCH.line, HATCH.ground].map(([grey, alpha]) =>
    new Uint32Array(new Uint8Array([grey, grey, grey, alpha]).buffer)[0]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels[y * width + x] = (x + y) % period < thick ? line : ground;
  }
}

function standsOut(map) {
  if (!map || !(map.scale > 0)) return false;
  return map.values.some((value) => value !== map.values[0]);
}

// The value that gets the last colour.
function topValue(map) {
  if (state.scale === "run") return largestScale;
  return state.scale === "shown" ? shownScale() : map.scale;
}

// Draws the map of a row on a canvas that lies over its photo.
function drawRow(canvas, row, width, height, which) {
  const entry = shownByRow.get(row);
  const box = entry ? entry.box : null;
  const map = mapOf(row, which);
  const bare = state.map === "none";
  const smooth = state.cells === "smooth";
  let plane = { rows: covered(...span(box, 1, height), height), columns: covered(...span(box, 0, width), width) };
  if (!bare && standsOut(map)) {
    const top = topValue(map);
    const key = [row, which, width, height, smooth, top].join();
    plane = cachedPlane(key, () => planeOf(map, width, height, box, smooth, 255 * (top / map.scale)));
  }
  painted(canvas, width, height, plane, chosenColours(entry && entry.image));
}

function chosenTable() {
  return TABLES[state.colors];
}

function chosenColours(photo) { // a map without a photo is drawn in full
  return colours(chosenTable(), photo ? state.opacity / 100 : 1, state.threshold / 100);
}

function span(box, from, pixels) {
  return box ? [box[from] * pixels, box[from + 2] * pixels] : [0, pixels];
}

const MEANS = ["colors", "cells"]; // what their drawing depends on

// Mean maps: nested lists of shares, in opaque colours.
function drawMean(canvas, cells, width, top, signed = false) {
  const map = meanMap(cells);
  const height = Math.max(1, Math.round((width * map.height) / map.width));
  const plane = planeOf(map, width, height, null, state.cells === "smooth", top, signed);
  painted(canvas, width, height, plane, opaque(signed ? SIGNED : chosenTable(), signed));
}

// Maps in words -----------------------------------------------------------------------------------

function sharesOf(map, parts = 3) { // of each ninth, dealt out by area
  const shares = new Array(parts * parts).fill(0);
  const dealt = (cells) => Array.from({ length: cells }, (_, k) => Array.from({ length: parts }, (_, p) =>
    Math.max(0, Math.min(p + 1, ((k + 1) * parts) / cells) - Math.max(p, (k * parts) / cells)) * (cells / parts)));
  const [down, across] = [dealt(map.height), dealt(map.width)];
  let total = 0;
  map.values.forEach((value, i) => {
    total += value;
    const [y, x] = [Math.floor(i / map.width), i % map.width];
    for (let p = 0; p < parts * parts; p++) shares[p] += value * down[y][Math.floor(p / parts)] * across[x][p % parts];
  });
  return total > 0 ? shares.map((share) => share / total) : shares;
}

// Why there is nothing to see where the map of a row should be, or null.
function lackOf(row, which) {
  const map = mapOf(row, which);
  if (map) return standsOut(map) ? null : NOTHING;
  if (which !== "label") return "no map in this file";
  return rows.label[row] === null ? "no label, so no map of it" : "no map of the label in this file";
}

function rowText(row, which) {
  const lack = lackOf(row, which);
  return lack ? `${lack[0].toUpperCase()}${lack.slice(1)}.` : mapText(mapOf(row, which));
}

function mapText(map) {
  if (!standsOut(map)) return `${NOTHING[0].toUpperCase()}${NOTHING.slice(1)}.`;
  const shares = sharesOf(map);
  const most = shares.indexOf(Math.max(...shares));
  return `${percent(shares[most], 0)} of the map in the ${NINTHS[most]} ninth.`;
}

function meanMap(cells) {
  return { height: cells.length, width: cells[0].length, values: Float32Array.from(cells.flat()), scale: 1 };
}

function meanText(cells) {
  return mapText(meanMap(cells));
}
