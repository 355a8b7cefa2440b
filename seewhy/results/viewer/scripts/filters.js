// Which rows are asked for, and in what order.
const FILTERS = {
  truth: { asks: () => state.truth, test: () => labelled("label", state.truth), words: () => `truth: ${state.truth}` },
  predicted: { asks: () => state.predicted, test: () => labelled("predicted", state.predicted), words: () => `predicted: ${state.predicted}` },
  answer: {
    asks: () => state.answer, words: () => `only ${state.answer}`,
    test: () => { const wanted = state.answer === "right" ? 1 : 0; return (row) => rows.correct[row] === wanted; },
  },
  low: { asks: () => state.low > 0, test: () => (row) => rows.probability[row] >= state.low / 100, words: () => `probability from ${state.low} %` },
  high: { asks: () => state.high < 100, test: () => (row) => rows.probability[row] <= state.high / 100, words: () => `probability to ${state.high} %` },
  cluster: {
    asks: () => state.cluster && clusterById.has(Number(state.cluster)), test: () => (row) => rows.cluster[row] === Number(state.cluster),
    words: () => `group: ${clusterName(clusterById.get(Number(state.cluster)))}`,
  },
  group: { asks: () => state.group && rows.groups, test: () => named("group", "groups", state.group), words: () => `belongs to: ${state.group}` },
  split: { asks: () => state.split && rows.splits, test: () => named("split", "splits", state.split), words: () => `split: ${state.split}` },
  flat: { asks: () => state.flat, test: () => (row) => rows.scale[row] === 0, words: () => NOTHING },
  photo: { asks: () => state.photo, test: () => (row) => photoOf(row) !== null, words: () => "with a photo here" },
  text: {
    asks: () => state.text, words: () => `name holds '${state.text}'`,
    test: () => { const part = state.text.toLowerCase(); return (row) => nameOf(row).toLowerCase().includes(part); },
  },
  region: {
    asks: () => state.region, words: () => `${state.inside} % of the map in the drawn box`,
    test: () => { const weights = regionWeights(); return (row) => shareInside(row, weights) >= state.inside / 100; },
  },
};

const SORTS = {
  worst: ["surest mistakes first", (a, b) => wrongness(b) - wrongness(a)],
  unsure: ["least sure first", (a, b) => rows.probability[a] - rows.probability[b]],
  surest: ["surest first", (a, b) => rows.probability[b] - rows.probability[a]],
  truth: ["label least believed first", (a, b) => orLast(rows.label_probability[a], 2) - orLast(rows.label_probability[b], 2)],
  border: ["looks at the border most", (a, b) => orLast(rows.border[b], -1) - orLast(rows.border[a], -1)],
  corners: ["looks at the corners most", (a, b) => orLast(rows.corners[b], -1) - orLast(rows.corners[a], -1)],
  strong: ["strongest map first", (a, b) => orLast(rows.scale[b], -1) - orLast(rows.scale[a], -1)],
  order: ["order of the data", (a, b) => a - b],
  name: ["name", (a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)],
};

let found = null; // the rows asked for, kept until the question changes
let foundScale = null;

function labelled(column, name) {
  const wanted = classOf.has(name) ? classOf.get(name) : -1;
  return (row) => rows[column][row] === wanted;
}

function named(column, names, name) {
  const wanted = rows[names].indexOf(name);
  return (row) => rows[column][row] === wanted;
}

function orLast(value, last) {
  return value === null || value === undefined ? last : value;
}

function wrongness(row) { // above 0 for mistakes, and the higher the surer; below for the rest, the less sure the higher
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
  if (!found) found = matching(activeFilters()).sort((SORTS[state.sort] || SORTS.worst)[1]);
  return found;
}

function shownScale() { // the highest of the maps asked for
  if (foundScale === null) foundScale = foundRows().reduce((most, row) => Math.max(most, rows.scale[row] || 0), 0) || largestScale;
  return foundScale;
}

function dropped(name) {
  return { [name]: DEFAULTS[name] };
}

function noFilters() {
  return Object.fromEntries(FILTERING.map((name) => [name, DEFAULTS[name]]));
}

// The part of each cell of the coarse grid that lies in the drawn box, which is over what the model saw.
function regionWeights() {
  const [left, top, right, bottom] = region();
  const within = (k, cells, from, to) => clamped(Math.min(k + 1, to * cells) - Math.max(k, from * cells), 0, 1);
  return Array.from({ length: coarse.height * coarse.width }, (_, i) =>
    within(Math.floor(i / coarse.width), coarse.height, top, bottom) * within(i % coarse.width, coarse.width, left, right));
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
  const among = bundle.shown.some((entry) => entry.image) ? bundle.shown.filter((entry) => entry.image).map((entry) => entry.row)
    : Array.from({ length: rows.n }, (_, other) => other);
  const likeness = among.filter((other) => other !== row && rows.scale[other]).map((other) => {
    let [product, square] = [0, 0];
    for (let i = 0; i < size; i++) {
      const value = coarse.values[other * size + i];
      product += own[i] * value;
      square += value * value;
    }
    return [other, square ? product / Math.sqrt(square) : 0];
  });
  return likeness.sort((a, b) => b[1] - a[1]).slice(0, count).map(([other]) => other);
}

onChange([...FILTERING, "sort"], () => { found = null; foundScale = null; });
