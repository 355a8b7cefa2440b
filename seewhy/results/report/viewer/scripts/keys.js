// Single keys, all listed under '?', and switched off there by who speaks or types to the page.
const OF_RUN = [
  ["/", "filter by name", () => toName()],
  ["w", "only wrong answers, and back", () => toWrong()],
  ["j", "next picture, next finding", () => along(1)],
  ["k", "previous picture, previous finding", () => along(-1)],
  ["m", "map on or off", () => change({ map: state.map === "none" ? "predicted" : "none" })],
  ["a", "map of the prediction", () => change({ map: "predicted" })],
  ["b", "map of the label", () => change({ map: "label" })],
  ["Arrows", "move in the grid; Home and End: first and last", null],
];
const OF_COMPARISON = [
  ["j", "next picture", () => alongPairs(1)],
  ["k", "previous picture", () => alongPairs(-1)],
  ["m", "maps on or off", () => change({ map: state.map === "none" ? "predicted" : "none" })],
  ["a", "A's map, large", () => toTurn("A")],
  ["b", "the other run's map, large", () => toTurn("B")],
  ["x", "next way to compare, large", () => besideDialog.open && nextOf("way", WAYS)],
];
const OF_TRAINING = [
  ["j", "next picture, large", () => alongFilm(1)],
  ["k", "previous picture, large", () => alongFilm(-1)],
  [",", "one look back", () => toLook(lookPlace() - 1)],
  [".", "one look on", () => toLook(lookPlace() + 1)],
  ["p", "play, and stop", () => togglePlay()],
  ["m", "maps on or off", () => change({ map: state.map === "none" ? "predicted" : "none" })],
];
const KEYS = [
  ...(training ? OF_TRAINING : []), ...(bundle.pictures ? OF_RUN : []), ...(comparison ? OF_COMPARISON : []),
  ["[", "less opaque", () => nudge("opacity", -5)],
  ["]", "more opaque", () => nudge("opacity", 5)],
  ["-", "lower threshold", () => nudge("threshold", -5)],
  ["=", "higher threshold", () => nudge("threshold", 5)],
  ["c", "next colours", () => nextChoice("colors")],
  ["s", "next scale: the map by itself, what is shown with it, all in this file", () => nextChoice("scale")],
  ["t", "smooth or true cells", () => nextChoice("cells")],
  ["Space", "held: the bare photo", null],
  ["Enter, Esc", "open a picture, close it", null],
  ["?", "this list", () => helpDialog.showModal()],
];
const helpDialog = el("dialog", { class: "help", "aria-labelledby": "help-title" });

function makeHelp() {
  const keys = checkbox("keys", "single keys are on", state.keys === "on", (on) => change({ keys: on ? "on" : "off" }));
  const views = [VIEWS.map((_, i) => i + 1).join(" "), VIEWS.map(({ words }) => words).join(", ")];
  helpDialog.append(
    el("header", {}, el("h2", { id: "help-title" }, "Keys"),
      button("✕", () => helpDialog.close(), { "aria-label": "Close" })),
    table("Single keys", ["key", "does"], [views, ...KEYS].map(([key, words]) => [el("kbd", {}, key), words])),
    el("p", {}, keys));
  document.body.append(helpDialog);
}

function toTurn(turn) {
  if (!besideDialog.open) return;
  endTurns();
  change({ way: "blink", turn });
}

function toName() {
  change({ view: "gallery", open: "" });
  const input = document.querySelector("input[name=text]");
  input.closest("details").open = true;
  input.focus();
}

function toWrong() {
  if (judged) change({ view: "gallery", answer: state.answer === "wrong" ? "" : "wrong" });
}

function along(by) {
  if (dialog.open) neighbour(by);
  else if (state.view === "gallery") gallery.tiles.move(by);
  else if (state.view === "findings") toFinding(by);
}

function toFinding(by) {
  const all = sorted().flat();
  const place = all.findIndex((one) => one.code === state.code);
  const next = all[place < 0 ? 0 : place + by];
  if (next) openFinding(next);
}

function typing(target) {
  return target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (state.keys === "off" && event.key !== "?") return;
  if (event.key === " ") return bare(event);
  const view = VIEWS[Number(event.key) - 1];
  const found = KEYS.find(([key, , does]) => does && key === event.key);
  if (helpDialog.open || (!found && !view)) return;
  event.preventDefault();
  if (!view) return found[2]();
  toView(view.name);
}

function bare(event) { // the photo alone for as long as the key is held; controls keep their own Space
  if (!dialog.open && !besideDialog.open && !filmDialog.open && !event.target.matches(".tile, .pair-tile, .shot")) return;
  if (event.target.matches("input, summary, button:not(.tile, .pair-tile, .shot)")) return;
  event.preventDefault();
  document.documentElement.classList.add("bare-photo");
}

function endBare(event) {
  if (event.key !== " " || !document.documentElement.classList.contains("bare-photo")) return;
  event.preventDefault(); // else a tile's button would be pressed
  showMaps();
}

function showMaps() {
  document.documentElement.classList.remove("bare-photo");
}
