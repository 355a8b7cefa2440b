// Which classes are taken for which: a matrix where there are few, else the worst pairs. Each is a filter.
const MATRIX = 12;
const WORST = 20;

function pairsOf() {
  return bundle.confusion ? bundle.confusion.pairs : [];
}

function worstPairs(limit) {
  const labelled = new Map();
  for (const [truth, , pictures] of pairsOf()) labelled.set(truth, (labelled.get(truth) || 0) + pictures);
  return pairsOf().filter(([truth, predicted]) => truth !== predicted).sort((a, b) => b[2] - a[2]).slice(0, limit)
    .map(([truth, predicted, pictures]) => ({ truth, predicted, pictures, share: pictures / labelled.get(truth) }));
}

function pairFilter(truth, predicted) {
  return { ...noFilters(), truth: labels[truth], predicted: labels[predicted], view: "gallery" };
}

function confusionPart() {
  const pairs = pairsOf();
  if (!pairs.length) return el("p", {}, "No labels, so no confusion.");
  const classes = [...new Set(pairs.flatMap(([truth, predicted]) => [truth, predicted]))].sort((a, b) => a - b);
  return classes.length <= MATRIX ? matrix(pairs, classes) : pairList(classes.length);
}

function matrix(pairs, classes) {
  const pictures = new Map(pairs.map(([truth, predicted, count]) => [`${truth} ${predicted}`, count]));
  const most = Math.max(...pairs.map((pair) => pair[2]));
  const cell = (truth, predicted) => {
    const count = pictures.get(`${truth} ${predicted}`) || 0;
    if (!count) return el("span", { class: "none" }, "·");
    const kind = truth === predicted ? "right" : "wrong";
    const mark = () => String(state.truth === labels[truth] && state.predicted === labels[predicted]);
    const button = el("button", {
      type: "button", class: `cell ${kind}`, "--heat": Math.sqrt(count / most), "aria-pressed": mark(),
      "aria-label": `${labels[truth]} taken for ${labels[predicted]}: ${counted(count, "picture")}`,
      onclick: () => change(mark() === "true" ? { truth: "", predicted: "" } : pairFilter(truth, predicted)),
    }, number(count));
    onChange(["truth", "predicted"], () => button.setAttribute("aria-pressed", mark()));
    return button;
  };
  const node = table("labels down, predictions across", ["", ...classes.map((c) => [labels[c]])],
    classes.map((truth) => [labels[truth], ...classes.map((predicted) => cell(truth, predicted))]), { class: "matrix" });
  return node;
}

function pairList(classes) {
  const body = worstPairs(WORST).map((pair) => [pairButton(pair), number(pair.pictures), percent(pair.share, 0)]);
  return el("div", {}, table(`Most often confused, of ${classes} classes`, ["label → prediction", ["pictures"], ["of label"]], body));
}

function pairButton(pair) {
  return el("button", { type: "button", class: "link", onclick: () => change(pairFilter(pair.truth, pair.predicted)) },
    soft(`${labels[pair.truth]} → ${labels[pair.predicted]}`));
}
