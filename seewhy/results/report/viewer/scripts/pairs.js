// The pictures of a bucket: each with the map of every run beside the others, and the table of them.
const PAIR_SIDE = [88, 150]; // pixels of a map, where there is little room and where there is enough
const PAGE = 24; // pictures, until more are asked for

// Photo and map in a frame of `side` pixels. `draw` paints a canvas of width and height.
function pairFrame(entry, side, draws) {
  const share = side / Math.max(entry.width, entry.height);
  const [width, height] = [entry.width, entry.height].map((each) => Math.max(1, Math.round(each * share)));
  const sharp = Math.min(2, window.devicePixelRatio || 1);
  const canvases = draws.map((draw) => {
    const canvas = el("canvas", { class: "map", "aria-hidden": "true" });
    canvas.redraw = () => draw(canvas, Math.round(width * sharp), Math.round(height * sharp));
    canvas.redraw();
    return canvas;
  });
  return el("span", { class: `frame ${entry.image ? "" : "bare"}`, "--w": `${width}px`, "--h": `${height}px` },
    entry.image ? el("img", { src: entry.image, alt: "", width, height, draggable: "false" }) : null, canvases,
    entry.image ? null : el("span", { class: "hint" }, "map only"));
}

function answerOf(k, row) { // '✓ B: cat 92.1 %'; right and wrong are told by sign and word
  const right = rightBy(k, row);
  const word = right === null ? null : right ? "right" : "wrong";
  return [word && el("span", { class: `sign ${word}` }, right ? "✓" : "✕", el("span", { class: "unseen" }, ` ${word}: `)),
    el("span", { class: "said" }, el("b", {}, comparison.runs[k].name), ` ${saidBy(k, row)} `,
      el("span", { class: "nowrap" }, sureness(pairs.probability[k][row])))];
}

function pairSide() { // small enough for the maps of all runs beside each other, if they need not be tiny
  const room = (document.documentElement.clientWidth - 84) / comparison.runs.length - 8;
  return Math.floor(clamped(room, ...PAIR_SIDE));
}

function pairTile(row) {
  const entry = pairByRow.get(row);
  const change = chosenChange();
  const label = pairLabel(row);
  const flat = (k) => (standsOut(unpacked(entry.runs[k].map)) ? null : el("span", { class: "badge" }, entry.runs[k].map ? NOTHING : "no map"));
  const figures = comparison.runs.map((_, k) => {
    const frame = pairFrame(entry, pairSide(), [(canvas, w, h) => drawPair(canvas, entry, k, w, h)]);
    frame.append(...present([flat(k)]));
    return el("span", { class: "version" }, frame, el("span", { class: "answer" }, answerOf(k, row)));
  });
  return el("button", { type: "button", class: "pair-tile", "data-row": row, title: pairName(row),
    onclick: () => openPair(row) },
  el("span", { class: "pair-head" }, el("b", {}, label === null ? "no label" : label), " ",
    el("span", { class: "faint" }, likenessText(row, change))),
  el("span", { class: "versions" }, figures),
  el("span", { class: "unseen" }, `. ${pairName(row)}. `,
    comparison.runs.map(({ name }, k) => `${name}: ${pairMapText(entry, k)} `)));
}

function openPair(row) {
  change({ pair: String(pairs.id[row]) });
}

function pairTiles(list, all) {
  const host = el("ul", { class: "pairs", "aria-label": "Pictures" });
  const more = button("", () => show(PAGE), { class: "more" });
  let count = 0;
  const show = (by) => {
    host.append(...list.slice(count, count + by).map((row) => el("li", {}, pairTile(row))));
    count = Math.min(list.length, count + by);
    more.hidden = count >= list.length;
    more.textContent = `Show ${Math.min(PAGE, list.length - count)} more of ${number(list.length - count)}`;
  };
  show(PAGE);
  const few = list.length < all.count ? note(`${number(list.length)} of ${number(all.count)} are shown, what changed most first. `,
    "All of them, in Python: ", el("code", {}, `comparison.bucket("${all.name}", "${chosenChange().name}")`)) : null;
  return [host, more, few];
}

function pairTable(list, words) {
  const change = chosenChange();
  const heads = ["picture", "label", ...comparison.runs.flatMap(({ name }) => [name, [`p(${name})`]]), ["maps correlate"]];
  return table(words, heads, list.map((row) => [
    pairByRow.has(row) ? link(pairName(row), () => openPair(row)) : pairName(row), pairLabel(row) === null ? "–" : pairLabel(row),
    ...comparison.runs.flatMap((_, k) => [
      `${rightBy(k, row) === false ? "✕ " : rightBy(k, row) ? "✓ " : ""}${saidBy(k, row)}`, sureness(pairs.probability[k][row])]),
    change.likeness[row] === null ? "–" : change.likeness[row].toFixed(2)]));
}
