// What a comparison of runs holds, and the maps of one picture by several models.
const comparison = bundle.comparison || null;
const pairs = comparison ? comparison.pictures : null;
const pairByRow = new Map(comparison ? comparison.shown.map((entry) => [entry.row, entry]) : []);
const pairById = new Map(pairs ? pairs.id.map((id, row) => [String(id), row]) : []);
const largestOfPairs = comparison
  ? Math.max(0, ...comparison.shown.flatMap((entry) => entry.runs.map(({ map }) => (map ? map.scale : 0)))) : 0;
const MINUS = "−";
const BUCKETS = { // in the order in which they matter; what each means, for the runs A and B
  "newly broken": (b) => `right in A, wrong in ${b}`,
  "fixed": (b) => `wrong in A, right in ${b}`,
  "changed answer": () => "without a label, answered otherwise",
  "different reason": () => `the same answer, but maps that correlate below ${comparison.like}`,
  "both wrong": () => "though perhaps not alike",
  "both right": () => "",
  "same answer": () => "without a label, answered alike",
};

function sideWords(k) { // 'A, before'
  const { name, title } = comparison.runs[k];
  return title ? `${name}, ${title}` : name;
}

function sideNumber(name) {
  return comparison.runs.findIndex((run) => run.name === name);
}

function chosenChange() { // the run that is held against the first
  return comparison.changes.find((each) => each.name === state.against) || comparison.changes[0];
}

function bucketsOf(one) {
  const order = Object.keys(BUCKETS);
  return [...one.buckets].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

function chosenBucket() { // the first that is not empty, where none is asked for
  const all = bucketsOf(chosenChange());
  return all.find(({ name }) => name === state.bucket) || all.find(({ count }) => count) || all[0];
}

function bucketWords(name) {
  return name === "different reason" ? "same answer, different reason" : name;
}

function pairName(row) {
  return pairs.path[row] === null ? `picture ${pairs.id[row]}` : pairs.path[row];
}

function pairLabel(row) {
  return pairs.label[row] === null ? null : labels[pairs.label[row]];
}

function saidBy(k, row) {
  return labels[pairs.said[k][row]];
}

function rightBy(k, row) { // null without a label
  return pairs.label[row] === null ? null : pairs.said[k][row] === pairs.label[row];
}

function signedNumber(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? MINUS : "+"}${text}`;
}

function pointsText(share) { // a difference of shares
  return share === null || share === undefined ? "–" : signedNumber(100 * share, 1);
}

function spanText(interval) {
  return interval ? `${pointsText(interval[0])} to ${pointsText(interval[1])}` : "";
}

function chanceText(p) {
  return p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`;
}

function likenessText(row, change) {
  const value = change.likeness[row];
  return value === null ? "maps not compared: one is flat or missing" : `maps correlate ${signedNumber(value, 2).replace("+", "")}`;
}

// Maps -------------------------------------------------------------------------------------------

// The value that gets the last colour: of this map, of this picture's maps, of all maps in the file.
function pairTop(entry, k) {
  if (state.scale === "run") return largestOfPairs;
  const scales = state.scale === "shown" ? entry.runs.map(({ map }) => (map ? map.scale : 0)) : [entry.runs[k].map.scale];
  return Math.max(...scales);
}

function pairPlane(entry, k, width, height) {
  const { map: packed, box } = entry.runs[k];
  const map = unpacked(packed);
  const bare = { rows: covered(...span(box, 1, height), height), columns: covered(...span(box, 0, width), width) };
  if (!standsOut(map)) return bare;
  const smooth = state.cells === "smooth";
  const top = pairTop(entry, k);
  const key = ["pair", entry.row, k, width, height, smooth, top].join();
  return cachedPlane(key, () => planeOf(map, width, height, box, smooth, 255 * (top / map.scale)));
}

function drawPair(canvas, entry, k, width, height) {
  const plane = pairPlane(entry, k, width, height);
  const seen = state.map === "none" ? { rows: plane.rows, columns: plane.columns } : plane;
  painted(canvas, width, height, seen, chosenColours(entry.image));
}

// What B's drawn map has more (and less) than A's: -255..255, transparent at zero.
function drawDifference(canvas, entry, k, width, height) {
  const both = [pairPlane(entry, 0, width, height), pairPlane(entry, k, width, height)];
  const ends = (name) => [Math.min(...both.map((each) => each[name][0])), Math.max(...both.map((each) => each[name][1]))];
  const plane = { rows: ends("rows"), columns: ends("columns") };
  const wide = plane.columns[1] - plane.columns[0];
  const levels = new Int16Array(wide * (plane.rows[1] - plane.rows[0]));
  both.forEach((each, which) => {
    if (!each.levels) return;
    const own = each.columns[1] - each.columns[0];
    for (let y = each.rows[0]; y < each.rows[1]; y++) {
      for (let x = each.columns[0]; x < each.columns[1]; x++) {
        const level = each.levels[(y - each.rows[0]) * own + x - each.columns[0]];
        levels[(y - plane.rows[0]) * wide + x - plane.columns[0]] += which ? level : -level;
      }
    }
  });
  plane.levels = Uint8Array.from(levels, (value) => levelOf(value / 255, true));
  painted(canvas, width, height, state.map === "none" ? { ...plane, levels: null } : plane, twoSided(entry.image));
}

function twoSided(photo) {
  const [opacity, threshold] = [photo ? state.opacity / 100 : 1, state.threshold / 100];
  const result = new Uint8ClampedArray(1024);
  for (let level = 0; level < 256; level++) {
    const far = Math.abs(level - 128) / 127;
    const seen = far >= threshold ? Math.round(SIGNED[level * 4 + 3] * opacity) : 0;
    result.set([...SIGNED.subarray(level * 4, level * 4 + 3), seen], level * 4);
  }
  return new Uint32Array(result.buffer);
}

function pairMapText(entry, k) {
  const { map } = entry.runs[k];
  return map ? mapText(unpacked(map)) : "No map in this file.";
}
