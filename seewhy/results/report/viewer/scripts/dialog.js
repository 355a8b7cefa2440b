// One picture, large: what the model saw of it, where it looked, its scores, and pictures with like maps.
const dialog = el("dialog", { class: "viewer", "aria-labelledby": "viewer-title" });
const stage = el("div", { class: "stage" });
const details = el("div", { class: "details" });
const LARGEST = 560; // pixels of the picture's side
const LIKE = [6, 66]; // pictures beside it, and their size
let stageRow = null;
let before = null; // what had the focus

function makeDialog() {
  const outline = checkbox("outline", "outline what the model saw", state.outline === "on",
    (on) => change({ outline: on ? "on" : "off" }));
  dialog.append(
    el("header", {}, el("h2", { id: "viewer-title", tabindex: "-1", autofocus: true }), el("span", { class: "buttons" },
      button("‹", () => neighbour(-1), { "aria-label": "Previous picture" }),
      button("›", () => neighbour(1), { "aria-label": "Next picture" }),
      button("✕", () => dialog.close(), { "aria-label": "Close" }))),
    el("div", { class: "body" }, el("div", {}, stage, outline, drawingControls()), details));
  document.body.append(dialog);
  dialog.addEventListener("close", closed);
  window.addEventListener("resize", drawStage);
  onChange(["outline"], () => { outline.firstChild.checked = state.outline === "on"; });
  onChange(["outline", "map"], drawStage);
  onChange(["map"], () => dialog.open && tellMap());
}

function closed() { // comes some time after: another picture may be open by then
  if (!dialog.open) change({ open: "" });
}

// At once, not with the event: what closes the dialog may want the focus for something else.
function giveBack() {
  const [to, row] = [before, stageRow];
  before = null;
  if (!to) return;
  if (to !== document.body && to.getClientRects().length) to.focus();
  else if (state.view === "gallery") gallery.tiles.focusRow(to.dataset.row ? Number(to.dataset.row) : row);
  else main.focus({ preventScroll: true });
}

function followOpen() {
  const row = state.open === "" ? -1 : rows.id.indexOf(Number(state.open));
  if (row < 0) {
    dialog.close();
    giveBack();
    return;
  }
  stageRow = row;
  if (!dialog.open) {
    before = document.activeElement;
    dialog.showModal();
  }
  fill(document.getElementById("viewer-title"), verdict(row));
  drawStage();
  const held = details.contains(document.activeElement);
  drawDetails(row);
  if (held) document.getElementById("viewer-title").focus();
}

function neighbour(by) {
  const list = foundRows();
  const place = list.indexOf(stageRow);
  const next = list[place < 0 ? 0 : clamped(place + by, 0, list.length - 1)];
  if (next !== undefined) change({ open: String(rows.id[next]) });
}

function drawStage() {
  if (!dialog.open) return;
  const asked = parseFloat(getComputedStyle(stage).getPropertyValue("--stage"));
  const side = asked || Math.max(120, Math.min(LARGEST, stage.clientWidth, window.innerHeight - 160));
  const shown = picture(stageRow, Math.floor(side));
  if (state.outline === "on") shown.append(...outlineOf(stageRow));
  shown.setAttribute("role", "img");
  shown.setAttribute("aria-label", `${nameOf(stageRow)}. ${textOfMap(stageRow)}`);
  fill(stage, shown);
}

function outlineOf(row) { // of what the model saw
  const entry = shownByRow.get(row);
  if (!entry || !entry.box) return [];
  const [left, top, right, bottom] = entry.box.map((value) => 100 * clamped(value, 0, 1));
  const edges = { "--left": left, "--top": top, "--right": 100 - right, "--bottom": 100 - bottom };
  return [el("span", { class: "crop", ...edges })];
}

function tellMap() {
  for (const input of details.querySelectorAll("input[name=which]")) input.checked = input.value === state.map;
  details.querySelector(".map-text").textContent = textOfMap(stageRow);
}

function textOfMap(row) {
  if (state.map === "none") return "The map is switched off.";
  const cut = (shownByRow.get(row) || {}).box && !lackOf(row, state.map);
  return `${rowText(row, state.map)}${cut ? " Places are within what the model saw." : ""}`;
}

function drawDetails(row) {
  const entry = shownByRow.get(row) || {};
  const named = (names, column) => (names && column[row] !== null ? names[column[row]] : "–");
  const cluster = clusterById.get(rows.cluster[row]);
  const looked = () => link(clusterName(cluster), () => ask({ cluster: String(cluster.id), open: "" }));
  fill(details, el("p", { class: "name" }, nameOf(row)), classPicker(row),
    el("p", { class: "map-text", "aria-live": "polite" }, textOfMap(row)),
    entry.top && entry.top.length ? topScores(entry.top, row) : null,
    defined("used", [
      ["of the map in the outer tenth", percent(rows.border[row], 0)],
      ["in the corners", percent(rows.corners[row], 0)],
      ["in the object", percent(rows.inside[row], 0)],
      ["the map's maximum", rows.scale[row] === null ? "–" : String(rows.scale[row])],
      ["size", entry.original ? entry.original.join(" × ") : "–"],
      ["belongs to", named(rows.groups, rows.group)], ["split", named(rows.splits, rows.split)],
    ]),
    cluster ? el("p", {}, "Looked at: ", looked()) : null,
    findings.filter((one) => one.rows.includes(row)).map((one) =>
      el("p", {}, "Belongs to ", findingLink(one, titleOf(one)), " ", statusOf(one))),
    alike("Nearly the same picture", (rows.near && rows.near[row]) || []),
    alike("Nearest by map", nearestByMap(row, LIKE[0])));
}

function alike(words, list) {
  return list.length ? [el("h3", {}, words), strip(list.slice(0, LIKE[0]), LIKE[1], words)] : null;
}

function classPicker(row) {
  if (!hasLabelMap(row)) return null;
  const pick = (value, words) => {
    const input = el("input", { type: "radio", name: "which", value, onchange: () => change({ map: value }) });
    input.checked = state.map === value;
    return el("label", { class: "inline" }, input, " ", words);
  };
  return el("fieldset", {}, el("legend", {}, "Why this class?"),
    pick("predicted", `${predictedOf(row)} (predicted)`), pick("label", `${labelOf(row)} (label)`));
}

function topScores(top, row) {
  const said = (index) => (index === rows.predicted[row] ? " (predicted)" : "");
  const meant = (index) => (index === rows.label[row] ? " (label)" : "");
  return table("Highest scores", ["class", "", ["probability"], ["score"]], top.map(([index, score, probability]) => [
    soft(labels[index] + said(index) + meant(index)), probability === null ? "" : bar(probability),
    sureness(probability), score.toFixed(2)]), { class: "bars" });
}
