// A picture of the data as the page shows it: photo, map over it, and what was said.
const spare = []; // canvases

function frameSize(row, side) {
  const entry = shownByRow.get(row);
  const [width, height] = entry ? [entry.width, entry.height] : [1, 1];
  const share = side / Math.max(width, height);
  return [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
}

// Photo and map in a frame of `side` pixels; it redraws itself when the drawing changes.
function picture(row, side) {
  const [width, height] = frameSize(row, side);
  const photo = photoOf(row);
  const sharp = Math.min(2, window.devicePixelRatio || 1);
  const canvas = spare.pop() || el("canvas", { class: "map", "aria-hidden": "true" });
  const badge = el("span", { class: "badge", hidden: true });
  canvas.redraw = () => {
    drawRow(canvas, row, Math.round(width * sharp), Math.round(height * sharp), state.map);
    const lack = state.map === "none" ? null : lackOf(row, state.map);
    badge.hidden = !lack || (rows.scale[row] === null && state.map !== "label");
    badge.textContent = lack || "";
  };
  canvas.redraw();
  return el("span", { class: `frame ${photo ? "" : "bare"}`, "--w": `${width}px`, "--h": `${height}px` },
    photo ? el("img", { src: photo, alt: "", width, height, draggable: "false" }) : null, canvas, badge,
    photo ? null : el("span", { class: "hint" }, "map only"));
}

const SMALL = 100; // pixels of a tile below which only the prediction is written under it

function verdict(row, side = Infinity) {
  const sure = el("span", {}, sureness(rows.probability[row], side < 140 ? 0 : 1));
  const line = (...parts) => el("span", { class: "line" }, parts, " ");
  const cut = (words) => el("span", { class: "cut" }, `${words} `);
  if (rows.correct[row] === null) return [el("span", { class: "said" }, line(cut(predictedOf(row))), line(sure))];
  const word = isWrong(row) ? "wrong" : "right";
  const spelled = el("span", { class: "unseen" }, ` ${word}: `);
  const sign = el("span", { class: `sign ${word}` }, isWrong(row) ? "✕" : "✓", spelled);
  const lines = isWrong(row) && side >= SMALL ? [line(cut(`${labelOf(row)} →`)), line(cut(predictedOf(row)), sure)]
    : [line(cut(predictedOf(row))), line(sure)];
  return [sign, el("span", { class: "said" }, lines)];
}

// What a screen reader hears behind the caption.
function spoken(row) {
  const map = state.map === "none" ? "" : ` ${rowText(row, state.map)}`;
  return `. ${nameOf(row)}.${map}`;
}

// Canvases of tiles that went out of sight are taken for those that come.
function takeBack(node) {
  for (const canvas of node.querySelectorAll("canvas.map")) {
    canvas.remove();
    canvas.redraw = null;
    if (spare.length < 100) spare.push(canvas);
  }
  node.remove();
}

function tile(row, side, attributes = {}) {
  const about = el("span", { class: "unseen" }, spoken(row));
  about.retell = () => { about.textContent = spoken(row); };
  return el("button", {
    type: "button", class: `tile ${isWrong(row) ? "wrong" : ""}`, "data-row": row, title: nameOf(row),
    onclick: () => change({ open: String(rows.id[row]) }), "--side": `${side}px`, ...attributes,
  }, picture(row, side), el("span", { class: "caption" }, verdict(row, side)), about);
}

function strip(list, side, words) {
  return el("ul", { class: "strip", "aria-label": words }, list.map((row) => el("li", {}, tile(row, side))));
}

// Canvases out of sight wait until their view, or the part they are in, is opened.
function redrawMaps(changed) {
  for (const canvas of document.querySelectorAll("canvas")) {
    if (!canvas.redraw || (canvas.follows && !canvas.follows.some((name) => changed.has(name)))) continue;
    canvas.stale = !canvas.offsetParent;
    if (!canvas.stale) canvas.redraw();
  }
}

function redrawStale() {
  for (const canvas of document.querySelectorAll("canvas")) {
    if (!canvas.stale || !canvas.redraw || !canvas.offsetParent) continue;
    canvas.stale = false;
    canvas.redraw();
  }
}

onChange(DRAWING, redrawMaps);
onChange(["map"], () => document.querySelectorAll(".tile > .unseen").forEach((about) => about.retell()));
