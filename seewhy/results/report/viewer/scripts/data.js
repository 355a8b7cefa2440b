// What the page was given, and how its parts are read: docs/reference/bundle.md.
const VERSION = 1;
window.addEventListener("error", fallBack); // until the page stands; later errors stay where they are
const bundle = JSON.parse(document.getElementById("bundle").textContent);
if (bundle.schema !== VERSION) refuse(`This page reads version ${VERSION} of its data; this is ${bundle.schema}.`);

const labels = bundle.labels || [];
const rows = bundle.pictures || { n: 0, id: [], path: [], label: [], predicted: [], correct: [], probability: [], scale: [] };
const classOf = new Map(labels.map((name, index) => [name, index]));
const shownByRow = new Map((bundle.shown || []).map((entry) => [entry.row, entry]));
const clusterById = new Map((bundle.clusters ? bundle.clusters.list : []).map((cluster) => [cluster.id, cluster]));
const largestScale = rows.scale.reduce((most, scale) => Math.max(most, scale || 0), 0);
const coarse = rows.coarse ? { ...rows.coarse, values: bytes(rows.coarse.values) } : null;
const judged = Boolean(bundle.measures) && bundle.measures.labelled > 0;

function refuse(sentence) {
  throw new Error(sentence);
}

// What needs no script is hidden only by a page that stands; one that fails before leaves nothing else behind.
function fallBack({ message, error }) {
  document.documentElement.classList.remove("standing");
  document.querySelectorAll("body > :not(.static, script)").forEach((node) => node.remove());
  const why = error ? error.message : message;
  document.getElementById("refused").textContent = `The page could not be put together. ${why} This is the part without it.`;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function labelOf(row) {
  return rows.label[row] === null ? null : labels[rows.label[row]];
}

function predictedOf(row) {
  return labels[rows.predicted[row]];
}

function nameOf(row) {
  return rows.path[row] === null ? `picture ${rows.id[row]}` : rows.path[row];
}

function photoOf(row) {
  const entry = shownByRow.get(row);
  return entry && entry.image ? entry.image : null;
}

function clusterName(cluster) {
  return cluster.name || `Group ${bundle.clusters.list.indexOf(cluster) + 1}`;
}

// A map as {height, width, values, scale, coarse}, or null. `which` is 'predicted' or 'label'.
function mapOf(row, which) {
  const entry = shownByRow.get(row);
  if (which === "label" && rows.label[row] !== rows.predicted[row]) return unpacked(entry && entry.label_map);
  if (entry) return unpacked(entry.map);
  if (!coarse || rows.scale[row] === null) return null;
  const size = coarse.height * coarse.width;
  const values = coarse.values.subarray(row * size, (row + 1) * size);
  return { height: coarse.height, width: coarse.width, values, scale: rows.scale[row], coarse: true };
}

function unpacked(map) {
  if (map && typeof map.values === "string") map.values = bytes(map.values); // once; later asks find the bytes
  return map || null;
}

function hasLabelMap(row) {
  const entry = shownByRow.get(row);
  return Boolean(entry && entry.label_map);
}

function isWrong(row) {
  return rows.correct[row] === 0;
}

// Numbers as people read them ------------------------------------------------------------------

function number(value) {
  return value.toLocaleString("en-US");
}

function percent(share, digits = 1) {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`;
}

function sureness(probability, digits = 1) {
  if (probability === null) return "–";
  const step = 10 ** (-2 - digits);
  if (probability >= 1 - step / 2) return `> ${percent(1 - step, digits)}`;
  return probability < step / 2 ? `< ${percent(step, digits)}` : percent(probability, digits);
}

function counted(count, thing, things = `${thing}s`) {
  return `${number(count)} ${count === 1 ? thing : things}`;
}

function between(interval) {
  return interval ? `${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)} %` : "";
}
