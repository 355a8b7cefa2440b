// One picture, large: what the model saw of it, where it looked, its scores, and pictures with like maps.
const dialog = el("dialog", { class: "viewer", "aria-labelledby": "viewer-title", onclose: () => change({ open: "" }) });
const stage = el("div", { class: "stage" });
const details = el("div", { class: "details" });
let stageRow = null;
let before = null; // what had the focus

function makeDialog() {
  const step = (by, words, sign) => el("button", { type: "button", onclick: () => neighbour(by), "aria-label": words }, sign);
  const outline = el("input", { type: "checkbox", name: "outline", onchange: () => change({ outline: outline.checked ? "on" : "off" }) });
  outline.checked = state.outline === "on";
  onChange(["outline"], () => { outline.checked = state.outline === "on"; drawStage(); });
  onChange(["map"], () => { drawStage(); drawPicker(); });
  dialog.append(
    el("header", {}, el("h2", { id: "viewer-title", tabindex: "-1", autofocus: true }), el("span", { class: "buttons" }, step(-1, "Previous picture", "‹"), step(1, "Next picture", "›"),
      el("button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, "✕"))),
    el("div", { class: "body" }, el("div", {}, stage, el("label", { class: "inline" }, outline, " outline what the model saw"), drawingControls()), details));
  document.body.append(dialog);
  window.addEventListener("resize", () => dialog.open && drawStage());
}

function followOpen() {
  const row = state.open === "" ? -1 : rows.id.indexOf(Number(state.open));
  if (row < 0) {
    if (dialog.open) dialog.close();
    return;
  }
  stageRow = row;
  if (!dialog.open) {
    before = document.activeElement;
    dialog.showModal();
    dialog.addEventListener("close", () => before && before.isConnected && before.focus(), { once: true });
  }
  fill(document.getElementById("viewer-title"), verdict(row));
  drawStage();
  drawDetails(row);
}

function neighbour(by) {
  const list = foundRows();
  const place = list.indexOf(stageRow);
  const next = list[place < 0 ? 0 : clamped(place + by, 0, list.length - 1)];
  if (next !== undefined) change({ open: String(rows.id[next]) });
}

function drawStage() {
  if (!dialog.open) return;
  const side = parseFloat(getComputedStyle(stage).getPropertyValue("--stage")) || Math.min(560, stage.clientWidth, window.innerHeight - 160);
  const shown = picture(stageRow, Math.max(120, Math.floor(side)), () => state.map);
  shown.classList.add("photo");
  const entry = shownByRow.get(stageRow);
  if (entry && entry.box && state.outline === "on") {
    const [left, top, right, bottom] = entry.box.map((value) => 100 * clamped(value, 0, 1));
    const crop = el("span", { class: "crop", title: "what the model saw" });
    Object.assign(crop.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
    shown.append(crop);
  }
  shown.setAttribute("role", "img");
  shown.setAttribute("aria-label", `${nameOf(stageRow)}. ${textOfMap(stageRow)}`);
  fill(stage, shown);
}

function drawPicker() {
  for (const input of details.querySelectorAll("input[name=which]")) input.checked = input.value === state.map;
  const told = details.querySelector(".map-text");
  if (told) told.textContent = textOfMap(stageRow);
}

function textOfMap(row) {
  if (state.map === "none") return "The map is switched off.";
  const cut = (shownByRow.get(row) || {}).box ? " Places are within what the model saw." : "";
  return mapText(mapOf(row, state.map)) + cut;
}

function drawDetails(row) {
  const entry = shownByRow.get(row);
  const pick = (value, words) => {
    const input = el("input", { type: "radio", name: "which", value, onchange: () => change({ map: value }) });
    input.checked = state.map === value;
    return el("label", { class: "inline" }, input, " ", words);
  };
  const near = (rows.near && rows.near[row]) || [];
  const alike = nearestByMap(row, 6);
  const cluster = rows.cluster[row] === null ? null : clusterById.get(rows.cluster[row]);
  const facts = [["of the map in the outer tenth", percent(rows.border[row], 0)], ["in the corners", percent(rows.corners[row], 0)], ["in the object", percent(rows.inside[row], 0)],
    ["the map's maximum", rows.scale[row] === null ? "–" : String(rows.scale[row])], ["size", entry && entry.original ? `${entry.original[0]} × ${entry.original[1]}` : "–"],
    ["group", rows.groups && rows.group[row] !== null ? rows.groups[rows.group[row]] : "–"], ["split", rows.splits && rows.split[row] !== null ? rows.splits[rows.split[row]] : "–"]];
  fill(details,
    el("p", { class: "name" }, nameOf(row)),
    hasLabelMap(row) ? el("fieldset", {}, el("legend", {}, "Why this class?"), pick("predicted", `${predictedOf(row)} (predicted)`), pick("label", `${labelOf(row)} (label)`)) : null,
    el("p", { class: "map-text", "aria-live": "polite" }, textOfMap(row)),
    entry && entry.top && entry.top.length ? topScores(entry.top, row) : null,
    el("dl", { class: "used" }, facts.filter(([, value]) => value !== "–").map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    cluster ? el("p", {}, "Looked at: ", el("button", { type: "button", class: "link", onclick: () => change({ ...noFilters(), cluster: String(cluster.id), view: "gallery", open: "" }) }, clusterName(cluster))) : null,
    near.length ? [el("h3", {}, "Nearly the same picture"), strip(near.slice(0, 6), 66, "Nearly the same picture")] : null,
    alike.length ? [el("h3", {}, "Nearest by map"), strip(alike, 66, "Nearest by map")] : null);
}

function topScores(top, row) {
  const sign = (index) => (index === rows.predicted[row] ? " (predicted)" : "") + (index === rows.label[row] ? " (label)" : "");
  return table("Highest scores", ["class", "", ["probability"], ["score"]], top.map(([index, score, probability]) =>
    [labels[index] + sign(index), probability === null ? "" : bar(probability), sureness(probability), score.toFixed(2)]), { class: "bars" });
}
