// A box drawn on a small picture of the mean map: 'pictures that look here'. With keys: arrows move, Shift resizes.
const REGION = 180; // pixels
const SIDES = ["left", "top", "right", "bottom"];

function regionPart() {
  if (!coarse) return null;
  const canvas = el("canvas", { "aria-hidden": "true" });
  const outline = el("span", { class: "drawn" });
  const pad = el("div", { class: "pad", tabindex: "0", role: "application",
    "aria-label": "Box of what the model saw. Arrows move it, Shift and arrows resize it, Delete removes it.",
  }, canvas, outline);
  const said = el("output", {});
  const clear = button("Remove the box", () => change({ region: "" }));
  canvas.redraw = () => {
    const cells = coarseMean();
    drawMean(canvas, cells, REGION, Math.max(...cells.flat()) || 1);
  };
  const follow = () => {
    const box = region();
    outline.hidden = clear.hidden = !box;
    said.textContent = box ? `From ${placeWords(box)}.` : "Draw a box to find pictures that look there.";
    if (box) SIDES.forEach((side, i) => {
      outline.style[side] = `${100 * (i < 2 ? box[i] : 1 - box[i])}%`;
    });
  };
  canvas.follows = MEANS;
  let start = null;
  const point = (event) => {
    const place = pad.getBoundingClientRect();
    const parts = [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height];
    return parts.map((part) => clamped(part, 0, 1));
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    start = point(event);
    pad.setPointerCapture(event.pointerId);
  });
  pad.addEventListener("pointermove", (event) => start && setRegion(corners(start, point(event))));
  pad.addEventListener("pointerup", (event) => {
    if (start) setRegion(corners(start, point(event)));
    start = null;
  });
  for (const lost of ["pointercancel", "lostpointercapture"]) pad.addEventListener(lost, () => { start = null; });
  pad.addEventListener("keydown", (event) => regionKey(event));
  onChange(["region", "inside"], follow);
  onChange(FILTERING, () => canvas.redraw());
  canvas.redraw();
  follow();
  return el("div", {}, pad, note(said), slider("inside", "at least"), clear);
}

function placeWords([left, top, right, bottom]) {
  const at = (value) => Math.round(100 * value);
  return `${at(left)} to ${at(right)} % across and ${at(top)} to ${at(bottom)} % down of what the model saw`;
}

function corners([x, y], [u, v]) {
  return [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)];
}

function setRegion(box) {
  const [left, top, right, bottom] = box;
  if (right - left < 0.02 || bottom - top < 0.02) return; // a click, no box
  change({ region: box.map((value) => Math.round(100 * value)).join("-") });
}

function regionKey(event) {
  const steps = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, -0.05], ArrowDown: [0, 0.05] };
  if (event.key === "Delete" || event.key === "Backspace") change({ region: "" });
  if (!(event.key in steps)) return;
  event.preventDefault();
  const [dx, dy] = steps[event.key];
  let [left, top, right, bottom] = region() || [0.25, 0.25, 0.75, 0.75];
  if (event.shiftKey) [right, bottom] = [clamped(right + dx, left + 0.05, 1), clamped(bottom + dy, top + 0.05, 1)];
  else {
    const [x, y] = [clamped(dx, -left, 1 - right), clamped(dy, -top, 1 - bottom)];
    [left, top, right, bottom] = [left + x, top + y, right + x, bottom + y];
  }
  setRegion([left, top, right, bottom]);
}

function coarseMean() { // of the rows asked for, but for the box itself
  const size = coarse.height * coarse.width;
  const sums = new Float64Array(size);
  for (const row of matching(activeFilters().filter((name) => name !== "region"))) {
    let total = 0;
    for (let i = 0; i < size; i++) total += coarse.values[row * size + i];
    if (total) for (let i = 0; i < size; i++) sums[i] += coarse.values[row * size + i] / total;
  }
  const line = (y) => Array.from(sums.subarray(y * coarse.width, (y + 1) * coarse.width));
  return Array.from({ length: coarse.height }, (_, y) => line(y));
}
