// Runs beside each other: how good, what changed for which class, where they look, and the pictures behind each number.
function compare(host) {
  const { changes } = comparison;
  const shown = el("section", { class: "card wide", "aria-labelledby": "bucket-title" });
  fill(host, el("h1", { class: "unseen" }, "Compare"),
    el("div", { class: "compare" }, howGoodEach(), whatChanged(), whichPictures(), whereEachLooks(), ...changes.map(classChanges), shown));
  const controls = el("details", { class: "side" }, el("summary", {}, "How maps are drawn"), pairControls());
  const follow = () => fill(shown, bucketPart(controls));
  onChange(["bucket", "against"], (changed) => {
    const held = shown.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    follow();
    if (held) shown.querySelector(`[data-key="${held}"]`).focus({ preventScroll: true });
    else if (changed.has("bucket") && state.view === "compare" && !state.pair) toPictures();
  });
  follow();
}

function toPictures() { // from a number to what it counts
  const title = document.getElementById("bucket-title");
  title.scrollIntoView({ block: "start" });
  title.focus({ preventScroll: true });
}

function howGoodEach() {
  const lines = comparison.runs.map((run, k) => [el("b", {}, sideWords(k)),
    el("span", {}, run.model, el("br"), el("span", { class: "small" }, [run.layer, run.method, run.preparation].filter(Boolean).join(" · "))),
    ...(run.accuracy === null ? [] : [bar(run.accuracy, run.accuracy_interval),
      el("span", { title: `95 %: ${between(run.accuracy_interval)}` }, percent(run.accuracy), el("br"), el("span", { class: "small" }, between(run.accuracy_interval)))])]);
  const heads = ["run", "model", ...(comparison.judged ? ["accuracy", [""]] : [])];
  return card("Did it help?", "wide", comparison.changes.map(verdictOn),
    table(`On ${counted(comparison.shared, "picture")} that all share${comparison.judged < comparison.shared ? `, ${number(comparison.judged)} of them with a label` : ""}`,
      heads, lines, { class: "sides" }));
}

function verdictOn(one) {
  const run = sideWords(sideNumber(one.name));
  if (one.difference === null) {
    return el("p", { class: "verdict-line" }, `${run} answers ${number(one.same)} of ${counted(comparison.shared, "picture")} as A does. Without labels there is nothing to judge them by.`);
  }
  const p = one.p_corrected === null ? one.p : one.p_corrected;
  const said = p < 0.05 ? "more than chance would do" : "chance alone may do that";
  const holm = p !== one.p ? " (after Holm)" : "";
  const by = Math.abs(100 * one.difference).toFixed(1);
  const main = Number(by) === 0 ? `${run}: as accurate as A`
    : `${run}: ${by} points ${one.difference > 0 ? "more" : "less"} accurate than A`;
  return el("p", { class: "verdict-line" }, el("strong", {}, `${main}.`),
    ` ${pointsText(one.difference)} points (95 %: ${spanText(one.interval)}); McNemar's exact test ${chanceText(p)}${holm}: ${said}.`);
}

function whatChanged() {
  const several = comparison.changes.length > 1;
  const names = bucketsOf({ buckets: [...new Map(comparison.changes.flatMap((one) => one.buckets.map((each) => [each.name, each]))).values()] })
    .map(({ name }) => name);
  const heads = ["bucket", ...comparison.changes.flatMap((one) => [[several ? one.name : "pictures"], ""]), "what it is"];
  const lines = names.map((name) => [bucketWords(name), ...comparison.changes.flatMap((one) => {
    const { count } = one.buckets.find((each) => each.name === name) || { count: 0 };
    const of = name === "different reason" ? one.same : comparison.shared;
    return [count ? button(number(count), () => toBucket(name, one.name), { class: "count", "aria-label": `${number(count)} ${bucketWords(name)}: show them` }) : "0",
      el("span", { class: "shared" }, el("span", { class: "track", "aria-hidden": "true" }, el("span", { class: "value", "--share": of ? count / of : 0 })), percent(of ? count / of : null), name === "different reason" ? " of the same answers" : "")];
  }), BUCKETS[name](several ? "it" : comparison.changes[0].name)]);
  const alike = comparison.changes.filter((one) => one.correlation !== null).map((one) =>
    note(`Maps of ${one.name} and A, where both answer the same: they correlate ${one.correlation.toFixed(2)} in the median`
      + `${one.same > one.alike ? ` (${number(one.same - one.alike)} flat or missing)` : ""}`
      + `${comparison.by_chance === null ? "" : `; A's maps of different pictures: ${comparison.by_chance.toFixed(2)}, so much is alike without a common reason`}.`));
  return card("What changed?", "buckets", table("Pictures by bucket; a count shows them", heads, lines), alike);
}

function toBucket(name, against) {
  if (state.bucket === name && state.against === against) toPictures();
  else change({ bucket: name, against });
}

// Of differences of shares: a dot, its interval, and zero in the middle.
function gapMark(value, interval, reach) {
  const at = (points) => clamped(0.5 + points / (2 * reach), 0, 1);
  return el("span", { class: "gap", "aria-hidden": "true" }, el("span", { class: "zero" }),
    interval ? el("span", { class: "range", "--from": at(interval[0]), "--to": at(interval[1]) }) : null,
    el("span", { class: `point ${value < 0 ? "less" : "more"}`, "--at": at(value) }));
}

function reachOf(list) { // the same for all marks of a table
  return Math.max(0.01, ...list.flatMap(({ difference, interval }) => [difference, ...(interval || [])]).map(Math.abs));
}

function whereEachLooks() {
  const parts = comparison.changes.filter(({ moves }) => moves.length).map((one) => {
    const reach = reachOf(one.moves);
    const even = one.moves.some((each) => each.even !== null);
    const heads = ["", ["A"], [one.name], "", ["change, points"], ["95 %"], ...(even ? [["even map"]] : []), ["pictures"]];
    return table(`${sideWords(sideNumber(one.name))}, beside A; means over pictures, intervals bootstrapped`, heads, one.moves.map((each) => [
      each.words, percent(each.first), percent(each.other), gapMark(each.difference, each.interval, reach), pointsText(each.difference),
      spanText(each.interval), ...(even ? [each.even === null ? "" : percent(each.even)] : []), number(each.pictures)]), { class: "moves" });
  });
  if (!parts.length) return null;
  return card("Where do they look, and how sure are they?", "looks", heatSentences(), parts);
}

function heatSentences() { // the findings of the first run
  return comparison.changes.flatMap((one) => one.moves.filter((each) => /^heat on .*in its pictures$/.test(each.words)).map((each) => {
    const sure = each.interval && (each.interval[0] > 0 || each.interval[1] < 0);
    return el("p", { class: "verdict-line" }, `${each.words[0].toUpperCase()}${each.words.slice(1)}: `, el("strong", {},
      `${percent(each.first, 0)} of the map in A, ${percent(each.other, 0)} in ${one.name}`), sure ? "." : ": no more than chance may do.");
  }));
}

function whichPictures() {
  const { rows: whole, unread, copies } = comparison.sets;
  const lines = comparison.runs.map(({ name }, k) => [name, number(whole[k]), number(comparison.shared),
    number(Math.max(0, whole[k] - unread[k] - comparison.shared)), number(unread[k])]);
  const dropped = whole.some((count) => count !== comparison.shared);
  return card("Which pictures?", "sets",
    el("p", {}, dropped ? `${counted(comparison.shared, "picture")} are in all runs and answered by all; the others were left out.`
      : `All runs are of the same ${counted(comparison.shared, "picture")}.`),
    note("Pictures are matched by the hash of their content, wherever they lie and whatever they are called."),
    dropped ? table("What was compared, and what was dropped", ["run", ["of the run"], ["compared"], ["dropped"], ["not readable"]], lines) : null,
    copies ? note(`${counted(copies, "shared picture")} ${copies === 1 ? "is" : "are"} there more than once; copies are paired by their paths.`) : null,
    comparison.notes.map((each) => note(each)),
    bundle.size ? note(`This file: ${megabytes(bundle.size.total)}. ${bundle.size.left_out.join(", ")}`) : null);
}

const CLASSES_CHANGED = 12;

function classChanges(one) {
  if (!one.classes.length) return null;
  const changed = (each) => Math.abs(each.fixed - each.broken);
  const order = one.classes.length > CLASSES_CHANGED
    ? [...one.classes].sort((a, b) => changed(b) - changed(a) || b.broken - a.broken) : one.classes;
  const reach = reachOf(order);
  const part = (list, words) => table(words, ["class", ["pictures"], ["A"], [one.name], "", ["change, points"], ["95 %"], ["broken"], ["fixed"]],
    list.map((each) => [soft(each.name), number(each.pictures), percent(each.first / each.pictures), percent(each.other / each.pictures),
      gapMark(each.difference, each.interval, reach), pointsText(each.difference), spanText(each.interval), number(each.broken), number(each.fixed)]), { class: "moves" });
  const rest = order.slice(CLASSES_CHANGED);
  return card(`For which class?${comparison.changes.length > 1 ? ` ${one.name} beside A` : ""}`, "classes wide",
    part(order.slice(0, CLASSES_CHANGED), rest.length ? `The ${CLASSES_CHANGED} that changed most, of ${number(order.length)}; right of each label` : "Right of each label"),
    rest.length ? twin(`the other ${number(rest.length)} classes`, part(rest, "Right of each label")) : null);
}

// The pictures of the chosen bucket.
function bucketPart(controls) {
  const one = chosenChange();
  const chosen = chosenBucket();
  const pick = (name, words, on, patch, attributes) => button(words, () => change(patch), { "aria-pressed": String(on), "data-key": name, ...attributes });
  const tabs = bucketsOf(one).map(({ name, count }) =>
    pick(name, `${bucketWords(name)} ${number(count)}`, name === chosen.name, { bucket: name }, { disabled: !count, class: "chip" }));
  const runs = comparison.changes.length > 1 ? el("p", { class: "tabs", role: "group", "aria-label": "Which run beside A" }, "beside A: ", comparison.changes.map(({ name }) =>
    pick(`run ${name}`, sideWords(sideNumber(name)), name === one.name, { against: name }, { class: "chip" }))) : null;
  const list = chosen.rows.filter((row) => pairByRow.has(row));
  const meaning = BUCKETS[chosen.name](one.name);
  const title = bucketWords(chosen.name);
  return [el("h2", { id: "bucket-title", tabindex: "-1" }, `${title[0].toUpperCase()}${title.slice(1)}: ${number(chosen.count)}`,
    meaning ? el("span", { class: "small" }, ` ${meaning}`) : ""),
  runs, el("p", { class: "tabs", role: "group", "aria-label": "Bucket" }, tabs),
  controls,
  comparison.sampling.without_pictures ? note(comparison.sampling.without_pictures) : null,
  list.length ? pairTiles(list, chosen) : note(chosen.count ? "No pictures of it in this file." : "None."),
  chosen.rows.length ? twin(`as a table (${number(chosen.rows.length)}${chosen.rows.length < chosen.count ? ` of ${number(chosen.count)}` : ""})`, pairTable(chosen.rows, title)) : null];
}

const PAIR_SCALES = [["picture", "each map by itself"], ["shown", "one for a picture's maps"], ["run", "one for all in this file"]];

function pairControls() {
  const scale = select("pair-scale", PAIR_SCALES, state.scale, (value) => change({ scale: value }));
  onChange(["scale"], () => { scale.value = state.scale; });
  return el("div", { class: "controls", role: "group", "aria-label": "How maps are drawn" },
    field("scale of all maps", scale), slider("opacity", "opacity"), slider("threshold", "threshold"), choice("colors", "colours"), choice("cells", "cells"));
}
