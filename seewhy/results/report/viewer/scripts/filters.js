// Which rows are asked for, and in what order.
const FILTERS = {
  truth: {
    asks: () => state.truth, words: () => `truth: ${state.truth}`, test: () => labelled("label", state.truth),
  },
  predicted: {
    asks: () => state.predicted, words: () => `predicted: ${state.predicted}`,
    test: () => labelled("predicted", state.predicted),
  },
  answer: {
    asks: () => state.answer, words: () => `only ${state.answer}`,
    test: () => is("correct", state.answer === "right" ? 1 : 0),
  },
  low: {
    asks: () => state.low > 0, words: () => `probability from ${state.low} %`,
    test: () => (row) => rows.probability[row] >= state.low / 100,
  },
  high: {
    asks: () => state.high < 100, words: () => `probability to ${state.high} %`,
    test: () => (row) => rows.probability[row] <= state.high / 100,
  },
  cluster: {
    asks: () => state.cluster !== "" && clusterById.has(Number(state.cluster)),
    words: () => `group: ${clusterName(clusterById.get(Number(state.cluster)))}`,
    test: () => is("cluster", Number(state.cluster)),
  },
  group: {
    asks: () => state.group && rows.groups, words: () => `belongs to: ${state.group}`,
    test: () => is("group", rows.groups.indexOf(state.group)),
  },
  split: {
    asks: () => state.split && rows.splits, words: () => `split: ${state.split}`,
    test: () => is("split", rows.splits.indexOf(state.split)),
  },
  finding: {
    asks: () => findingByCode.has(state.finding), words: () => `finding: ${titleOf(findingByCode.get(state.finding))}`,
    test: () => among(new Set(findingByCode.get(state.finding).rows)),
  },
  flat: { asks: () => state.flat, words: () => NOTHING, test: () => is("scale", 0) },
  photo: { asks: () => state.photo, words: () => "with a photo here", test: () => (row) => photoOf(row) !== null },
  text: {
    asks: () => state.text, words: () => `name holds '${state.text}'`, test: () => holds(state.text.toLowerCase()),
  },
  region: {
    asks: () => coarse && region(), words: () => `${state.inside} % of the map in the drawn box`,
    test: () => looksInto(regionWeights(), state.inside / 100),
  },
};

const SORTS = {
  worst: ["surest mistakes first", (a, b) => wrongness(b) - wrongness(a)],
  unsure: ["least sure first", (a, b) => rows.probability[a] - rows.probability[b]],
  surest: ["surest first", (a, b) => rows.probability[b] - rows.probability[a]],
  truth: ["label least believed first", (a, b) => believed(a) - believed(b)],
  border: ["looks at the border most", (a, b) => orLast(rows.border[b], -1) - orLast(rows.border[a], -1)],
  corners: ["looks at the corners most", (a, b) => orLast(rows.corners[b], -1) - orLast(rows.corners[a], -1)],
  strong: ["strongest map first", (a, b) => orLast(rows.scale[b], -1) - orLast(rows.scale[a], -1)],
  order: ["order of the data", (a, b) => a - b],
  name: ["name", (a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)],
};

let found = null; // the rows asked for, kept until the question changes
let foundScale = null;

function is(column, wanted) {
  return (row) => rows[column][row] === wanted;
}

function labelled(column, name) {
  return is(column, classOf.has(name) ? classOf.get(name) : -1);
}

function among(wanted) {
  return (row) => wanted.has(row);
}

function holds(part) {
  return (row) => nameOf(row).toLowerCase().includes(part);
}

function looksInto(weights, least) {
  return (row) => shareInside(row, weights) >= least;
}

function orLast(value, last) {
  return value === null || value === undefined ? last : value;
}

function believed(row) {
  return orLast(rows.label_probability[row], 2);
}

function wrongness(row) { // above 0 for mistakes, the surer the higher; below for the rest, the less sure the higher
  return isWrong(row) ? rows.probability[row] : -rows.probability[row];
}

function activeFilters() {
  return Object.keys(FILTERS).filter((name) => FILTERS[name].asks());
}

function matching(names) {
  const tests = names.map((name) => FILTERS[name].test());
  const result = [];
  for (let row = 0; row < rows.n; row++) if (tests.every((test) => test(row))) result.push(row);
  return result;
}

function foundRows() {
  if (!found) found = matching(activeFilters()).sort(SORTS[state.sort][1]);
  return found;
}

function shownScale() { // the highest of the maps asked for
  if (foundScale === null) foundScale = foundRows().reduce((most, row) => Math.max(most, rows.scale[row] || 0), 0);
  return foundScale || largestScale;
}

function dropped(name) {
  return { [name]: DEFAULTS[name] };
}

function ask(patch) { // in the gallery, and nothing else than this
  change({ ...noFilters(), view: "gallery", code: "", ...patch });
}

function noFilters() {
  return Object.fromEntries(FILTERING.map((name) => [name, DEFAULTS[name]]));
}

// The part of each cell of the coarse grid that lies in the drawn box, which is over what the model saw.
function regionWeights() {
  const [left, top, right, bottom] = region();
  const within = (k, cells, from, to) => clamped(Math.min(k + 1, to * cells) - Math.max(k, from * cells), 0, 1);
  const { height, width } = coarse;
  return Array.from({ length: height * width }, (_, i) =>
    within(Math.floor(i / width), height, top, bottom) * within(i % width, width, left, right));
}

function region() { // left, top, right, bottom in 0..1, or null
  const parts = state.region.split("-").map((part) => Number(part) / 100);
  return parts.length === 4 && parts.every(Number.isFinite) ? parts : null;
}

function shareInside(row, weights) {
  const size = weights.length;
  let [inside, total] = [0, 0];
  for (let i = 0; i < size; i++) {
    const value = coarse.values[row * size + i];
    total += value;
    inside += value * weights[i];
  }
  return total ? inside / total : 0;
}

// The rows whose maps are most alike, by the cosine of the coarse maps; of those with a photo here, if there are any.
function nearestByMap(row, count) {
  if (!coarse || !rows.scale[row]) return [];
  const size = coarse.height * coarse.width;
  const own = coarse.values.subarray(row * size, (row + 1) * size);
  const photos = bundle.shown.filter((entry) => entry.image).map((entry) => entry.row);
  const among = photos.length ? photos : Array.from({ length: rows.n }, (_, other) => other);
  const others = among.filter((other) => other !== row && rows.scale[other]);
  const likeness = new Map(others.map((other) => [other, cosine(own, other * size)]));
  return others.sort((a, b) => likeness.get(b) - likeness.get(a)).slice(0, count);
}

function cosine(own, start) { // but for own's length, which is the same for all
  let [product, square] = [0, 0];
  for (let i = 0; i < own.length; i++) {
    const value = coarse.values[start + i];
    product += own[i] * value;
    square += value * value;
  }
  return square ? product / Math.sqrt(square) : 0;
}

onChange([...FILTERING, "sort"], () => { found = null; foundScale = null; });
