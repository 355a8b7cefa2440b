// One picture, large, under two models: beside each other, in turns, under a slider, or their difference.
const besideDialog = el("dialog", { class: "viewer beside", "aria-labelledby": "pair-title" });
const besideStage = el("div", { class: "pair-stage" });
const besideTold = el("div", { class: "details" });
const WAYS = [["beside", "beside each other"], ["blink", "in turns"], ["swipe", "under a slider"], ["difference", "difference"]];
const TURN = 900; // milliseconds that a map stays while they take turns
let besideRow = null;
let besideFrom = null; // what had the focus
let turning = null;

function makeBeside() {
  if (!comparison) return;
  const ways = el("p", { class: "tabs", role: "group", "aria-label": "How the maps are compared" }, WAYS.map(([way, words]) =>
    button(words, () => change({ way }), { "data-way": way, class: "chip" })));
  besideDialog.append(
    el("header", {}, el("h2", { id: "pair-title", tabindex: "-1", autofocus: true }), el("span", { class: "buttons" },
      button("‹", () => alongPairs(-1), { "aria-label": "Previous picture" }),
      button("›", () => alongPairs(1), { "aria-label": "Next picture" }),
      button("✕", () => besideDialog.close(), { "aria-label": "Close" }))),
    el("div", { class: "body" }, el("div", {}, ways, besideStage, el("details", { class: "side" }, el("summary", {}, "How maps are drawn"), pairControls())), besideTold));
  document.body.append(besideDialog);
  besideDialog.addEventListener("close", () => { if (!besideDialog.open) change({ pair: "" }); });
  window.addEventListener("resize", drawBeside);
  onChange(["pair", "against"], followPair);
  onChange(["way"], () => { endTurns(); drawBeside(); });
  onChange(["turn"], showTurn);
  onChange(["scale"], tellScale);
  followPair();
}

function followPair() {
  const row = pairById.get(state.pair);
  if (row === undefined || !pairByRow.has(row)) {
    endTurns();
    besideDialog.close();
    giveFocusBack();
    return;
  }
  besideRow = row;
  if (!besideDialog.open) {
    besideFrom = document.activeElement;
    besideDialog.showModal();
  }
  const label = pairLabel(row);
  fill(document.getElementById("pair-title"), label === null ? "No label" : label);
  drawBeside();
  tellPair();
}

function giveFocusBack() { // to the tile of what was seen last; else to where it was
  if (besideRow === null) return;
  const tile = document.querySelector(`.pair-tile[data-row="${besideRow}"]`);
  const from = besideFrom && besideFrom !== document.body && besideFrom.isConnected ? besideFrom : main;
  (tile || from).focus({ preventScroll: !tile });
  besideRow = null;
}

function alongPairs(by) {
  const list = chosenBucket().rows.filter((row) => pairByRow.has(row));
  const place = list.indexOf(besideRow);
  const next = list[place < 0 ? 0 : clamped(place + by, 0, list.length - 1)];
  if (next !== undefined) change({ pair: String(pairs.id[next]) });
}

function drawBeside() {
  if (!besideDialog.open) return;
  for (const each of besideDialog.querySelectorAll("[data-way]")) each.setAttribute("aria-pressed", String(each.dataset.way === state.way));
  const entry = pairByRow.get(besideRow);
  const other = sideNumber(chosenChange().name);
  const room = besideStage.clientWidth || 500;
  const tall = Math.max(160, window.innerHeight - 330);
  const draw = (k) => (canvas, w, h) => drawPair(canvas, entry, k, w, h);
  const one = (draws) => pairFrame(entry, Math.floor(Math.min(560, room, tall)), draws);
  const ways = { beside: besideEach, blink: inTurns, swipe: underSlider, difference: differenceOf };
  fill(besideStage, ways[state.way](entry, other, draw, one, room, tall));
}

function besideEach(entry, other, draw, one, room, tall) {
  const across = room < 420 ? 1 : comparison.runs.length > 2 && room > 700 ? 3 : 2;
  const side = Math.floor(Math.min(420, room / across - 8, tall));
  return el("div", { class: "versions" }, comparison.runs.map((_, k) => el("figure", { class: "version" },
    pairFrame(entry, side, [draw(k)]), el("figcaption", { class: "answer" }, answerOf(k, entry.row)))));
}

function inTurns(entry, other, draw, one) {
  const frame = one([draw(0), draw(other)]);
  const [first, second] = frame.querySelectorAll("canvas");
  const said = el("span", { class: "badge turn" });
  frame.append(said);
  const play = button("", () => (turning ? endTurns() : startTurns()), { class: "play" });
  frame.show = () => {
    const shown = state.turn === "A" ? 0 : other;
    first.hidden = shown !== 0;
    second.hidden = shown === 0;
    said.textContent = `${comparison.runs[shown].name}: ${saidBy(shown, entry.row)} ${sureness(pairs.probability[shown][entry.row])}`;
    play.textContent = turning ? "■ stop" : "▶ take turns";
    for (const each of besideStage.querySelectorAll("[data-turn]")) each.setAttribute("aria-pressed", String(each.dataset.turn === state.turn));
  };
  const pick = (turn, k) => button(sideWords(k), () => { endTurns(); change({ turn }); }, { "data-turn": turn, class: "chip" });
  const bar = el("p", { class: "tabs" }, pick("A", 0), pick("B", other), play, " ", el("span", { class: "small" }, "keys: a, b"));
  queueMicrotask(showTurn);
  return [frame, bar];
}

function showTurn() {
  const frame = besideStage.querySelector(".frame");
  if (state.way === "blink" && frame && frame.show) frame.show();
}

function startTurns() {
  turning = setInterval(() => change({ turn: state.turn === "A" ? "B" : "A" }), TURN);
  showTurn();
}

function endTurns() {
  clearInterval(turning);
  turning = null;
  showTurn();
}

function underSlider(entry, other, draw, one) {
  const frame = one([draw(0), draw(other)]);
  frame.classList.add("swipe");
  const [, over] = frame.querySelectorAll("canvas");
  over.classList.add("over");
  const tags = [0, other].map((k, i) => el("span", { class: `badge tag ${i ? "end" : ""}` }, comparison.runs[k].name));
  frame.append(...tags, el("span", { class: "edge" }));
  const said = el("output", {});
  const input = el("input", { type: "range", min: 0, max: 100, step: 1, name: "swipe", "aria-label": "how much of A is uncovered", oninput: () => change({ swipe: Number(input.value) }) });
  const follow = () => {
    frame.style.setProperty("--at", state.swipe);
    input.value = state.swipe;
    said.textContent = `${state.swipe} %`;
  };
  frame.follow = follow;
  const drag = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const place = frame.getBoundingClientRect();
    change({ swipe: Math.round(100 * clamped((event.clientX - place.left) / place.width, 0, 1)) });
  };
  frame.addEventListener("pointerdown", drag);
  frame.addEventListener("pointermove", drag);
  follow();
  return [frame, el("label", { class: "field" }, el("span", {}, `${sideWords(0)} left of it, ${sideWords(other)} right of it `, said), input)];
}

if (comparison) onChange(["swipe"], () => {
  const frame = besideStage.querySelector(".frame.swipe");
  if (frame) frame.follow();
});

function differenceOf(entry, other, draw, one) {
  const frame = one([(canvas, w, h) => drawDifference(canvas, entry, other, w, h)]);
  const strip = el("canvas", { class: "ramp", width: 255, height: 1, "aria-hidden": "true" });
  const image = new ImageData(255, 1);
  new Uint32Array(image.data.buffer).set(opaque(SIGNED, false).subarray(1));
  for (let i = 0; i < 255; i++) image.data[4 * i + 3] = SIGNED[4 * (i + 1) + 3];
  strip.getContext("2d").putImageData(image, 0, 0);
  const { name } = comparison.runs[other];
  return [frame, el("p", { class: "legend" }, el("span", {}, "A looks more"), strip, el("span", {}, `${name} looks more`)),
    el("p", { class: "small scale-note" }, scaleNote(name))];
}

function scaleNote(name) {
  const scale = PAIR_SCALES.find(([key]) => key === state.scale)[1];
  return `${name}'s map less A's, both from zero to the end of their scale (${scale}); nothing is drawn where they are alike.`;
}

function tellScale() {
  const said = besideStage.querySelector(".scale-note");
  if (said) said.textContent = scaleNote(chosenChange().name);
}

function tellPair() {
  const entry = pairByRow.get(besideRow);
  const change = chosenChange();
  const lines = comparison.runs.map((_, k) => [el("span", { class: "pair-answer" }, answerOf(k, besideRow)), pairMapText(entry, k)]);
  fill(besideTold, el("p", { class: "name" }, pairName(besideRow)),
    table("What each run says, and where it looks", ["run and answer", "map"], lines),
    el("p", {}, `${change.name} and A: ${likenessText(besideRow, change)}.`,
      comparison.by_chance === null ? "" : ` Maps of different pictures in A: ${comparison.by_chance.toFixed(2)}.`),
    el("p", {}, el("b", {}, change.buckets.filter(({ rows: own }) => own.includes(besideRow)).map(({ name }) => bucketWords(name)).join("; "))),
    note("Each run answers for the class that it predicts: its map shows where it looks for that class."));
}
