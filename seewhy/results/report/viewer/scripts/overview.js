// The first screen: how good, what goes wrong most, where does it look then, what was left out, what was used.
const CLASSES = 6;
const FEW = 20; // pictures, for a mean map
const DOUBTS = 18; // labels that may be wrong
const LISTED = 200; // classes in a table
const KINDS = ["right", "wrong", "unknown"]; // of answers

function overview(host) {
  fill(host, el("h1", { class: "unseen" }, "Overview"),
    el("div", { class: "overview" }, doesItCheat(), howGood(), wentWrong(), whereItLooks(), leftOut(), whatWasUsed(), reliability()),
    el("div", { class: "further" }, meanMaps(), allClasses(), doubts(), failed()));
}

function rightOnes() {
  return bundle.measures.classes.reduce((sum, one) => sum + one.right, 0);
}

function howGood() {
  const m = bundle.measures;
  if (!judged) {
    return card("How good is it?", "good", el("p", { class: "large" }, "No labels"),
      el("p", {}, `${counted(m.answered, "picture")} answered. Without labels there is nothing to judge them by.`));
  }
  return card("How good is it?", "good",
    el("p", { class: "large" }, percent(m.accuracy), el("small", {}, " accuracy")),
    note(`${number(rightOnes())} of ${number(m.labelled)} right. 95 % interval: ${between(m.accuracy_interval)}.`),
    defined("facts", [
      ["balanced accuracy", percent(m.balanced_accuracy), "mean recall of the classes"],
      ["calibration error", percent(m.calibration_error), "how far stated probability and truth lie apart"],
      ["ROC AUC", m.roc_auc === null ? "–" : m.roc_auc.toFixed(3), "1 is perfect, 0.5 is chance"],
    ]), classBars());
}

// The surely worst first: by the upper end of the interval, so that one wrong picture of one does not lead.
function worstClasses() {
  const known = bundle.measures.classes.filter((one) => one.recall !== null);
  return known.sort((a, b) => a.recall_interval[1] - b.recall_interval[1]);
}

function classBars() {
  const all = worstClasses();
  const shown = all.slice(0, CLASSES);
  const few = shown.some((one) => one.recall_interval[1] - one.recall_interval[0] > 0.5);
  const some = all.length > CLASSES ? `, the ${CLASSES} worst of ${number(all.length)} classes` : "";
  return [few ? note("Few pictures of each class: the thin lines are the 95 % intervals.") : null,
    table(`Right of each label${some}`, ["label", "right", [""]], shown.map((one) => [
      link(soft(one.name), () => ask({ truth: one.name })), bar(one.recall, one.recall_interval),
      el("span", { title: between(one.recall_interval) }, `${percent(one.recall, 0)} of ${number(one.labelled)}`),
    ]), { class: "bars" })];
}

function bar(share, interval) {
  const whisker = interval && el("span", { class: "whisker", "--from": interval[0], "--to": interval[1] });
  const value = el("span", { class: "value", "--share": share });
  return el("span", { class: "track", "aria-hidden": "true" }, value, whisker);
}

function wentWrong() {
  if (!judged) return null;
  const wrong = bundle.measures.labelled - rightOnes();
  if (!wrong) return card("What goes wrong most?", "wrongs", el("p", {}, "No answer was wrong."));
  const worst = worstPairs(5);
  const scattered = worst[0].pictures === 1;
  const pairs = worst.map((pair) => [pairLink(pair), number(pair.pictures), percent(pair.share)]);
  return card("What goes wrong most?", "wrongs",
    scattered ? el("p", {}, "The mistakes are scattered: no two classes were confused twice.")
      : table("Labels taken for others", ["label → prediction", ["pictures"], ["of the label"]], pairs),
    el("h3", {}, "The surest mistakes"), strip(surestMistakes(scattered ? 6 : 3), 104, "The surest mistakes"),
    el("p", {}, button(`Show all ${number(wrong)} mistakes`, () => ask({ answer: "wrong" }))));
}

function surestMistakes(count) { // those with a photo first
  const wrong = Array.from({ length: rows.n }, (_, row) => row).filter(isWrong);
  wrong.sort((a, b) => wrongness(b) - wrongness(a));
  return [...wrong.filter(photoOf), ...wrong.filter((row) => !photoOf(row))].slice(0, count);
}

function whereItLooks() {
  const { all, empty, how } = bundle.focus;
  if (!all || !KINDS.some((kind) => all[kind])) return card("Where does it look?", "looks", el("p", {}, "No maps."));
  return card(all.wrong ? "Where does it look then?" : "Where does it look?", "looks",
    trio(all, 110), el("p", {}, lookedText(all)), mostShifted(),
    note(`${how || ""}${empty ? ` ${counted(empty, "empty map")} left out.` : ""}`));
}

// The class whose right and wrong answers look at the most different places.
function mostShifted() {
  const gap = ({ right, wrong }) => {
    const others = wrong.map.flat();
    return right.map.flat().reduce((sum, share, i) => sum + Math.abs(share - others[i]), 0);
  };
  const enough = (one) => one.right && one.wrong && Math.min(one.right.pictures, one.wrong.pictures) > 2;
  const both = (bundle.focus.classes || []).filter(enough);
  if (!both.length) return null;
  const most = both.reduce((a, b) => (gap(b) > gap(a) ? b : a));
  return [el("h3", {}, "Differs most where it says ", soft(labels[most.class])), trio(most, 92)];
}

// Mean maps of right and wrong answers on one scale, and their difference.
function trio(one, side) {
  const kinds = KINDS.filter((kind) => one[kind]);
  const top = Math.max(...kinds.flatMap((kind) => one[kind].map.flat()));
  const unjudged = judged ? "no label" : "all";
  const figures = kinds.map((kind) => figure(one[kind].map, side, top, false,
    `${kind === "unknown" ? unjudged : kind}: ${number(one[kind].pictures)}`, meanText(one[kind].map)));
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
  canvas.follows = MEANS;
  canvas.redraw();
  return el("figure", { "--w": `${side}px` }, canvas, el("figcaption", { title: text }, words));
}

// The place where right and wrong answers differ most, in words.
function lookedText({ right, wrong, unknown }) {
  if (!right || !wrong) return meanText((right || wrong || unknown).map);
  const places = [["inside", "the object"], ["border", "the outer tenth"], ["corners", "the corners"]]
    .filter(([key]) => right[key] !== null && wrong[key] !== null).map(([key, name]) => [name, right[key], wrong[key]]);
  const [before, after] = [right, wrong].map((one) => sharesOf(meanMap(one.map)));
  const ninths = NINTHS.map((name, i) => [`the ${name} ninth`, before[i], after[i]]);
  const gap = ([, was, is]) => Math.abs(is - was);
  const most = [...places, ...ninths].reduce((a, b) => (gap(b) > gap(a) ? b : a));
  if (gap(most) < 0.03) return "Right and wrong answers look at much the same places.";
  const few = wrong.pictures < FEW ? ` Only ${counted(wrong.pictures, "wrong answer")}: a hint, no more.` : "";
  return `When wrong, ${percent(most[2], 0)} of the map lies in ${most[0]}; when right, ${percent(most[1], 0)}.${few}`;
}

function leftOut() {
  const { measures: m, sampling: s, failures_count: failures } = bundle;
  const unjudged = judged ? m.answered - m.labelled : 0;
  const flat = () => link(counted(m.empty_maps, "picture"), () => ask({ flat: "only" }));
  return card("What was left out?", "left-out", defined("used", [
    ["files", failures
      ? [el("strong", {}, counted(failures, "file")), " could not be read or answered: see the list below."]
      : "Every file was read and answered."],
    ["maps", m.empty_maps ? [flat(), `: ${NOTHING}.`] : ""],
    ["labels", unjudged ? `${counted(unjudged, "picture")} without a label the model knows; not judged.` : ""],
    ["predictions", s.how_rows], ["pictures", s.how_pictures], ["", s.without_pictures],
    ...((bundle.size && bundle.size.left_out) || []).map((sentence) => ["to save room", sentence]),
  ]));
}

function whatWasUsed() {
  const { about, size } = bundle;
  const classes = about.model.classes ? `, ${counted(about.model.classes, "class", "classes")}` : "";
  const versions = Object.entries(about.versions || {}).map(([name, version]) => [name, String(version)]);
  const parts = size ? Object.entries(size.parts).map(([name, bytesOf]) => [name, megabytes(bytesOf)]) : [];
  const warning = about.check && about.check.warning;
  return card("What was used?", "used",
    defined("used", [["model", `${about.model.name || "unnamed"}${classes}`], ["layer", about.layer],
      ["method", about.method], ["explained", about.target], ["preparation", about.preparation],
      ["data", about.data.name || about.data.kind], ["audited", (about.created || "").slice(0, 10)]]),
    warning ? el("p", { class: "warning" }, `⚠ ${warning}`) : null,
    twin("versions", table("Versions", ["name", "version"], versions)),
    size ? twin(`this file: ${megabytes(size.total)}`, table("Size by part", ["part", ["size"]], parts)) : null);
}

function megabytes(size) {
  return size < 1e6 ? `${Math.max(1, Math.round(size / 1e3))} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

function allClasses() {
  const all = [...worstClasses(), ...bundle.measures.classes.filter((one) => one.recall === null)];
  if (!all.length) return null;
  const body = all.slice(0, LISTED).map((one) => [
    one.name, number(one.labelled), number(one.predicted), percent(one.precision), between(one.precision_interval),
    percent(one.recall), between(one.recall_interval), one.f1 === null ? "–" : one.f1.toFixed(3)]);
  const some = all.length > LISTED ? `, the ${LISTED} worst` : "";
  return card("Each class", "wide", table(`${counted(all.length, "class", "classes")}${some}; intervals 95 %`,
    ["class", ["labelled"], ["predicted"], ["precision"], [""], ["recall"], [""], ["F1"]], body));
}

function meanMaps() {
  const all = bundle.focus.classes || [];
  if (!all.length) return null;
  const total = bundle.focus.classes_count;
  const some = total > all.length ? `, ${all.length} of ${number(total)} classes: those with the most answers` : "";
  const line = (one, kind) => [labels[one.class], kind, number(one[kind].pictures), percent(one[kind].border),
    percent(one[kind].corners), percent(one[kind].inside), meanText(one[kind].map)];
  const body = all.flatMap((one) => KINDS.filter((kind) => one[kind]).map((kind) => line(one, kind)));
  return card("Where it looks for each class", "wide",
    note(`Mean maps by the class that was predicted${some}. Right and wrong of a class share their scale. `,
      "An even map has 36 % in the outer tenth and 25 % in the corners."),
    el("div", { class: "means" }, all.map((one) =>
      el("div", {}, el("h3", {}, "says ", soft(labels[one.class])), trio(one, 96)))),
    twin("as a table", table("Mean shares of the map",
      ["predicted", "answers", ["pictures"], ["outer tenth"], ["corners"], ["object"], "where most"], body)));
}

function doubts() {
  const list = bundle.doubts || [];
  if (!list.length) return null;
  const some = list.length > DOUBTS ? `, the first ${DOUBTS} of ${number(list.length)} in this file` : "";
  const body = list.slice(0, DOUBTS).map((one) => [
    button(nameOf(one.row), () => change({ open: String(rows.id[one.row]) }), { class: "link name" }),
    labelOf(one.row), percent(one.probability), labels[one.suggested], percent(one.suggested_probability)]);
  return card("Labels that may be wrong", "", note("By the model's own scores (confident learning); best on pictures ",
    "it was not trained on. Look before you change a label."),
  table(`Likely mislabelled${some}`, ["picture", "label", ["believed"], "rather", ["believed"]], body));
}

function failed() {
  const { failures, failures_count: count } = bundle;
  if (!count) return null;
  const body = failures.map((one) => [one.path === null ? "–" : one.path, one.error]);
  const some = failures.length < count ? `, the first ${number(failures.length)}` : "";
  return card("Files without an answer", "", table(`${counted(count, "file")}${some}`, ["file", "why"], body));
}
