// Which classes are taken for which: a matrix where there are few, else the worst pairs. Each is a filter.
const MATRIX = 12;
const WORST = 20;

function pairsOf() {
  return bundle.confusion ? bundle.confusion.pairs : [];
}

function worstPairs(limit) {
  // Pictures of each label, of the whole run: the pairs here may be some of many.
  const of = new Map(bundle.measures.classes.map((one) => [classOf.get(one.name), one.labelled]));
  const wrong = pairsOf().filter(([truth, predicted]) => truth !== predicted).sort((a, b) => b[2] - a[2]);
  return wrong.slice(0, limit).map(([truth, predicted, pictures]) =>
    ({ truth, predicted, pictures, share: of.get(truth) ? pictures / of.get(truth) : null }));
}

function askPair(truth, predicted) {
  ask({ truth: labels[truth], predicted: labels[predicted] });
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
  const cell = (truth, predicted) => cellOf(truth, predicted, pictures.get(`${truth} ${predicted}`) || 0, most);
  const body = classes.map((truth) => [labels[truth], ...classes.map((predicted) => cell(truth, predicted))]);
  const heads = ["", ...classes.map((each) => [labels[each]])];
  return table("labels down, predictions across", heads, body, { class: "matrix" });
}

function cellOf(truth, predicted, count, most) {
  if (!count) return el("span", { class: "none" }, "·");
  const chosen = () => state.truth === labels[truth] && state.predicted === labels[predicted];
  const press = () => (chosen() ? change({ truth: "", predicted: "" }) : askPair(truth, predicted));
  const node = button(number(count), press, {
    class: `cell ${truth === predicted ? "hit" : "miss"}`, "--heat": Math.sqrt(count / most),
    "aria-label": `${labels[truth]} taken for ${labels[predicted]}: ${number(count)}`,
  });
  const follow = () => node.setAttribute("aria-pressed", String(chosen()));
  onChange(["truth", "predicted"], follow);
  follow();
  return node;
}

function pairList(classes) {
  const body = worstPairs(WORST).map((pair) => [pairLink(pair), number(pair.pictures), percent(pair.share, 0)]);
  return table(`Most often confused, of ${classes} classes`, ["label → prediction", ["pictures"], ["of label"]], body);
}

function pairLink({ truth, predicted }) {
  return link(soft(`${labels[truth]} → ${labels[predicted]}`), () => askPair(truth, predicted));
}
