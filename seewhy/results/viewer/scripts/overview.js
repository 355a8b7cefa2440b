// The first screen: how good, what goes wrong most, where does it look then, what was left out, what was used.
const CLASSES = 6;
const FEW = 20; // pictures, for a mean map

function overview(host) {
  fill(host, el("h1", { class: "unseen" }, "Overview"), el("div", { class: "overview" },
    howGood(), wentWrong(), whereItLooks(), leftOut(), whatWasUsed(), reliability()),
  el("div", { class: "further" }, meanMaps(), allClasses(), doubts(), failed()));
}

function howGood() {
  const m = bundle.measures;
  if (!judged) {
    return card("How good is it?", { class: "good" }, el("p", { class: "large" }, "No labels"),
      el("p", {}, `${counted(m.answered, "picture")} answered. Without labels there is nothing to judge the answers by.`));
  }
  const right = m.classes.reduce((sum, one) => sum + one.right, 0);
  const facts = [["balanced accuracy", percent(m.balanced_accuracy), "mean recall of the classes"],
    ["calibration error", percent(m.calibration_error), "how far stated probability and truth lie apart"]];
  if (m.roc_auc !== null) facts.push(["ROC AUC", m.roc_auc.toFixed(3), "1 is perfect, 0.5 is chance"]);
  return card("How good is it?", { class: "good" },
    el("p", { class: "large" }, percent(m.accuracy), el("small", {}, " accuracy")),
    el("p", { class: "small" }, `${number(right)} of ${number(m.labelled)} right. 95 % interval: ${between(m.accuracy_interval)}.`),
    el("dl", { class: "facts" }, facts.map(([name, value, hint]) => el("div", { title: hint }, el("dt", {}, name), el("dd", {}, value)))),
    classBars());
}

// The surely worst first: by the upper end of the interval, so that one wrong picture of one does not lead.
function worstClasses() {
  return bundle.measures.classes.filter((one) => one.recall !== null).sort((a, b) => a.recall_interval[1] - b.recall_interval[1]);
}

function classBars() {
  const all = worstClasses();
  const few = all.slice(0, CLASSES).some((one) => one.recall_interval[1] - one.recall_interval[0] > 0.5);
  const some = all.length > CLASSES ? `, the ${CLASSES} worst of ${number(all.length)} classes` : "";
  return [few ? el("p", { class: "small" }, "Few pictures of each class: the thin lines are the 95 % intervals.") : null, table(`Right of each label${some}`, ["label", "right", [""]], all.slice(0, CLASSES).map((one) => [
    el("button", { type: "button", class: "link", onclick: () => change({ ...noFilters(), truth: one.name, view: "gallery" }) }, soft(one.name)),
    bar(one.recall, one.recall_interval), el("span", { title: between(one.recall_interval) }, `${percent(one.recall, 0)} of ${number(one.labelled)}`),
  ]), { class: "bars" })];
}

function bar(share, interval) {
  const whisker = interval ? el("span", { class: "whisker", "--from": interval[0], "--to": interval[1] }) : null;
  return el("span", { class: "track", "aria-hidden": "true" }, el("span", { class: "value", "--share": share }), whisker);
}

function wentWrong() {
  if (!judged) return null;
  const wrong = bundle.measures.labelled - bundle.measures.classes.reduce((sum, one) => sum + one.right, 0);
  if (!wrong) return card("What goes wrong most?", { class: "wrongs" }, el("p", {}, "No answer was wrong."));
  const worst = worstPairs(5);
  const pairs = worst.map((pair) => [pairButton(pair), number(pair.pictures), percent(pair.share)]);
  const mistakes = Array.from({ length: rows.n }, (_, row) => row).filter(isWrong).sort((a, b) => wrongness(b) - wrongness(a));
  const seen = mistakes.filter((row) => photoOf(row)).concat(mistakes.filter((row) => !photoOf(row))).slice(0, worst[0].pictures > 1 ? 3 : 6);
  return card("What goes wrong most?", { class: "wrongs" },
    worst[0].pictures > 1 ? table("Labels taken for others", ["label → prediction", ["pictures"], ["of the label"]], pairs)
      : el("p", {}, "The mistakes are scattered: no two classes were confused twice."),
    el("h3", {}, "The surest mistakes"), strip(seen, 110, "The surest mistakes"),
    el("p", {}, el("button", { type: "button", onclick: () => change({ ...noFilters(), answer: "wrong", view: "gallery" }) },
      `Show all ${number(wrong)} mistakes`)));
}

function whereItLooks() {
  const { all, empty } = bundle.focus;
  if (!all || !(all.right || all.wrong || all.unknown)) return card("Where does it look?", { class: "looks" }, el("p", {}, "No maps."));
  return card(all.wrong ? "Where does it look then?" : "Where does it look?", { class: "looks" },
    trio(all, 110), el("p", {}, lookedText(all)), mostShifted(),
    el("p", { class: "small" }, `${bundle.focus.how || ""}${empty ? ` ${counted(empty, "empty map")} left out.` : ""}`));
}

// The class whose right and wrong answers look at the most different places.
function mostShifted() {
  const gap = (one) => one.right.map.flat().reduce((sum, share, i) => sum + Math.abs(share - one.wrong.map.flat()[i]), 0);
  const both = (bundle.focus.classes || []).filter((one) => one.right && one.wrong && Math.min(one.right.pictures, one.wrong.pictures) > 2);
  if (!both.length) return null;
  const most = both.reduce((a, b) => (gap(b) > gap(a) ? b : a));
  return [el("h3", {}, "Differs most where it says ", soft(labels[most.class])), trio(most, 92)];
}

// Mean maps of right and wrong answers on one scale, and their difference.
function trio(one, side) {
  const kinds = ["right", "wrong", "unknown"].filter((kind) => one[kind]);
  const top = Math.max(...kinds.flatMap((kind) => one[kind].map.flat()));
  const figures = kinds.map((kind) => figure(one[kind].map, side, top, false,
    `${kind === "unknown" ? "all" : kind}: ${number(one[kind].pictures)}`, meanText(one[kind].map)));
  if (one.right && one.wrong) {
    const gap = one.wrong.map.map((line, y) => line.map((value, x) => value - one.right.map[y][x]));
    const widest = Math.max(...gap.flat().map(Math.abs), top / 2); // noise must not be stretched to full colour
    figures.push(figure(gap, side, widest, true, "wrong − right", "Orange: more when wrong. Blue: more when right."));
  }
  return el("div", { class: "trio" }, figures);
}

function figure(cells, side, top, signed, words, text) {
  const canvas = el("canvas", { role: "img", "aria-label": `${words}. ${text}` });
  canvas.redraw = () => drawMean(canvas, cells, side * 2, top, signed);
  canvas.redraw();
  return el("figure", { "--w": `${side}px` }, canvas, el("figcaption", {}, words));
}

function lookedText({ right, wrong, unknown }) {
  if (unknown && !right && !wrong) return meanText(unknown.map);
  const places = [["inside", "the object"], ["border", "the outer tenth"], ["corners", "the corners"]];
  const said = places.filter(([key]) => right && wrong && right[key] !== null && wrong[key] !== null)
    .map(([key, name]) => [name, right[key], wrong[key]]).sort((a, b) => Math.abs(b[2] - b[1]) - Math.abs(a[2] - a[1]));
  if (said.length) {
    const [name, before, after] = said[0];
    if (Math.abs(after - before) < 0.03) return `Right and wrong answers look at much the same places: ${percent(before, 0)} and ${percent(after, 0)} of the map in ${name}.`;
    const few = wrong.pictures < FEW ? ` Only ${counted(wrong.pictures, "wrong answer")}: a hint, no more.` : "";
    return `When wrong, ${percent(after, 0)} of the map lies in ${name}; when right, ${percent(before, 0)}.${few}`;
  }
  return meanText((right || wrong).map);
}

function leftOut() {
  const s = bundle.sampling;
  const m = bundle.measures;
  const lines = [["files", bundle.failures_count
    ? [el("strong", {}, counted(bundle.failures_count, "file")), " could not be read or answered: see the list below."]
    : "Every file was read and answered."]];
  if (m.empty_maps) lines.push(["maps", [el("button", { type: "button", class: "link", onclick: () => change({ ...noFilters(), flat: "only", view: "gallery" }) }, counted(m.empty_maps, "picture")), `: ${NOTHING}.`]]);
  if (m.answered > m.labelled && judged) lines.push(["labels", `${counted(m.answered - m.labelled, "picture")} without a label the model knows; not judged.`]);
  lines.push(["predictions", s.how_rows], ["pictures", s.how_pictures], ["", s.without_pictures]);
  for (const sentence of (bundle.size && bundle.size.left_out) || []) lines.push(["to save room", sentence]);
  return card("What was left out?", { class: "left-out" },
    el("dl", { class: "used" }, lines.filter(([, said]) => said).map(([name, said]) => el("div", {}, el("dt", {}, name), el("dd", {}, said)))));
}

function whatWasUsed() {
  const { about } = bundle;
  const facts = [["model", `${about.model.name || "unnamed"}${about.model.classes ? `, ${counted(about.model.classes, "class", "classes")}` : ""}`],
    ["layer", about.layer], ["method", about.method], ["explained", about.target], ["preparation", about.preparation],
    ["data", about.data.name || about.data.kind], ["audited", (about.created || "").slice(0, 10)]];
  const versions = Object.entries(about.versions || {}).map(([name, version]) => [name, String(version)]);
  const parts = bundle.size ? Object.entries(bundle.size.parts).map(([name, size]) => [name, megabytes(size)]) : [];
  const warning = about.check && about.check.warning;
  return card("What was used?", { class: "used" },
    el("dl", { class: "used" }, facts.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    warning ? el("p", { class: "warning" }, `⚠ ${warning}`) : null,
    twin("versions", table("Versions", ["name", "version"], versions)),
    parts.length ? twin(`this file: ${megabytes(bundle.size.total)}`, table("Size by part", ["part", ["size"]], parts)) : null);
}

function megabytes(size) {
  return size < 1e6 ? `${Math.max(1, Math.round(size / 1e3))} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

function allClasses() {
  const all = bundle.measures.classes;
  if (!all.length) return null;
  const most = 200;
  const body = worstClasses().concat(all.filter((one) => one.recall === null)).slice(0, most).map((one) => [
    one.name, number(one.labelled), number(one.predicted), percent(one.precision), between(one.precision_interval),
    percent(one.recall), between(one.recall_interval), one.f1 === null ? "–" : one.f1.toFixed(3)]);
  const some = all.length > most ? `, the ${most} worst` : "";
  return card("Each class", { class: "wide" }, table(`${counted(all.length, "class", "classes")}${some}; intervals 95 %`,
    ["class", ["labelled"], ["predicted"], ["precision"], [""], ["recall"], [""], ["F1"]], body));
}

function meanMaps() {
  const all = bundle.focus.classes || [];
  if (!all.length) return null;
  const some = bundle.focus.classes_count > all.length ? `, ${all.length} of ${number(bundle.focus.classes_count)} classes: those with the most answers` : "";
  const body = all.flatMap((one) => ["right", "wrong", "unknown"].filter((kind) => one[kind]).map((kind) => [labels[one.class], kind,
    number(one[kind].pictures), percent(one[kind].border), percent(one[kind].corners), percent(one[kind].inside), meanText(one[kind].map)]));
  return card("Where it looks for each class", { class: "wide" },
    el("p", { class: "small" }, `Mean maps by the class that was predicted${some}. Right and wrong of a class share their scale. An even map has 36 % in the outer tenth and 25 % in the corners.`),
    el("div", { class: "means" }, all.map((one) => el("div", {}, el("h3", {}, `says ${labels[one.class]}`), trio(one, 96)))),
    twin("as a table", table("Mean shares of the map", ["predicted", "answers", ["pictures"], ["outer tenth"], ["corners"], ["object"], "where most"], body)));
}

function reliability() {
  const bins = bundle.measures.reliability.filter((bin) => bin.pictures);
  if (!bins.length) return null;
  const [side, edge] = [220, 34];
  const at = (share) => edge + share * side;
  const down = (share) => 10 + (1 - share) * side;
  const most = Math.max(...bins.map((bin) => bin.pictures));
  const ticks = [0, 0.5, 1].flatMap((tick) => [
    svg("text", { x: at(tick), y: side + 28, "text-anchor": "middle" }, `${100 * tick} %`),
    svg("text", { x: edge - 6, y: down(tick) + 4, "text-anchor": "end" }, `${100 * tick}`)]);
  const chart = svg("svg", { viewBox: `0 0 ${side + edge + 20} ${side + 50}`, class: "chart", role: "img",
    "aria-label": "How sure the model says it is, against how often it is right; the table below has the numbers." },
  svg("rect", { x: edge, y: 10, width: side, height: side, class: "frame-line" }),
  svg("line", { x1: at(0), y1: down(0), x2: at(1), y2: down(1), class: "ideal" }), ...ticks,
  svg("polyline", { class: "line", points: bins.map((bin) => `${at(bin.said)},${down(bin.right)}`).join(" ") }),
  ...bins.map((bin) => svg("circle", { cx: at(bin.said), cy: down(bin.right), r: 2.5 + 5 * Math.sqrt(bin.pictures / most), class: "dot" })),
  svg("text", { x: at(0.5), y: side + 45, "text-anchor": "middle" }, "said probability"));
  const body = bins.map((bin) => [`${Math.round(100 * bin.low)} to ${Math.round(100 * bin.high)} %`, number(bin.pictures), percent(bin.said), percent(bin.right)]);
  return card("Can its probabilities be believed?", {}, el("p", { class: "small" }, leaning(bins)), chart,
    twin("as a table", table("How sure, and how often right", ["probability", ["pictures"], ["said"], ["right"]], body)));
}

function leaning(bins) {
  const total = bins.reduce((sum, bin) => sum + bin.pictures, 0);
  const lean = bins.reduce((sum, bin) => sum + bin.pictures * (bin.said - bin.right), 0) / total;
  const ideal = "On the line it would be right as often as it says.";
  if (Math.abs(lean) < 0.01) return `On average as sure as it should be. ${ideal}`;
  return `On average ${(100 * Math.abs(lean)).toFixed(1)} points ${lean > 0 ? "too sure" : "not sure enough"}. ${ideal}`;
}

function doubts() {
  const list = bundle.doubts || [];
  if (!list.length) return null;
  const body = list.slice(0, 20).map((one) => [openButton(one.row), labelOf(one.row), percent(one.probability), labels[one.suggested], percent(one.suggested_probability)]);
  return card("Labels that may be wrong", {}, el("p", { class: "small" }, "By the model's own scores (confident learning); best on pictures it was not trained on. Look before you change a label."),
    table("Likely mislabelled", ["picture", "label", ["believed"], "rather", ["believed"]], body));
}

function openButton(row) {
  return el("button", { type: "button", class: "link name", onclick: () => change({ open: String(rows.id[row]) }) }, nameOf(row));
}

function failed() {
  if (!bundle.failures_count) return null;
  const body = bundle.failures.map((one) => [one.path === null ? "–" : one.path, one.error]);
  const some = bundle.failures.length < bundle.failures_count ? `, the first ${number(bundle.failures.length)}` : "";
  return card("Files without an answer", {}, table(`${counted(bundle.failures_count, "file")}${some}`, ["file", "why"], body));
}
