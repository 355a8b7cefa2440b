// A training that was watched: pictures down, looks across, one slider for all, and the numbers as curves.
const MOST_COLUMNS = 16; // of the filmstrip
const FRAME = 112; // pixels of the picture that follows the slider
const STRIP = [64, 112]; // and of those of the strip, by how many there are

function trainingView(host) {
  fill(host, el("h1", { class: "unseen" }, "Training"),
    el("div", { class: "training" }, el("section", { class: "card" }, el("h2", {}, stateWords()), usedWords(), timeControls()), filmCard(), coursesCard()));
  onChange(["look"], () => followLook(host));
  onChange(["scale"], () => host.querySelectorAll("canvas").forEach((each) => each.redraw && each.redraw()));
  followLook(host);
}

function stateWords() { // 'epoch 3 of 20'
  const { done, of, unit, finished } = training;
  const count = unit === "step" ? `step ${number(done.step)}, epoch ${number(done.epoch)}` : `epoch ${number(done.epoch)}`;
  const whole = of ? ` of ${number(of)}` : "";
  return finished ? `Watched to the end: ${count}${whole}` : `So far: ${count}${whole}`;
}

function usedWords() {
  const { finished, how, cost } = training;
  const told = finished ? "" : " The training may go on; write this page again to see more.";
  const spent = cost && cost.training ? ` Watching took ${cost.seconds.toFixed(1)} s beside ${cost.training.toFixed(0)} s of training.` : "";
  return note([training.layer, training.method].filter(Boolean).join(" · "), `. ${how}${told}${spent}`,
    bundle.size ? ` This file: ${megabytes(bundle.size.total)}. ${bundle.size.left_out.join(", ")}` : "");
}

function trainedLine() {
  return [training.model, training.layer, training.method, counted(films.length, "watched picture"), counted(looks.length, "look")].filter(Boolean).join(" · ");
}

function timeControls() {
  const said = el("output", {});
  const input = el("input", { type: "range", min: 0, max: Math.max(0, keptLooks.length - 1), step: 1, name: "look", "aria-label": "look",
    oninput: () => { if (playing) endPlay(); toLook(Number(input.value)); } });
  const follow = () => {
    input.value = lookPlace();
    said.textContent = whenOf(keptLooks[lookPlace()]);
    input.setAttribute("aria-valuetext", said.textContent);
  };
  onChange(["look"], follow);
  follow();
  return el("div", { class: "time" }, button("▶ play", togglePlay, { class: "play play-film" }),
    el("label", { class: "field" }, el("span", {}, "look ", said), input));
}

const FILM_SCALES = [["picture", "each map by itself"], ["shown", "one for a picture's maps"], ["run", "one for all in this file"]];

function filmCard() {
  const places = columnsShown();
  const side = Math.floor(clamped((document.documentElement.clientWidth - 240) / places.length - 14, ...STRIP));
  const scale = select("film-scale", FILM_SCALES, state.scale, (value) => change({ scale: value }));
  onChange(["scale"], () => { scale.value = state.scale; });
  const head = el("tr", {}, el("th", { scope: "col" }, el("span", { class: "now-words" })),
    places.map((place) => el("th", { scope: "col", "data-place": place }, whenOf(keptLooks[place], true))));
  const lines = films.map((film, picture) => el("tr", {},
    el("th", { scope: "row" }, el("button", { type: "button", class: "shot", "data-picture": picture, onclick: () => change({ film: String(picture) }) },
      filmFrame(picture, FRAME, lookPlace), el("span", { class: "film-name" }, film.label === null ? film.name : `${film.name} (${film.label})`))),
    places.map((place) => el("td", {}, shotButton(picture, place, side)))));
  const some = places.length < keptLooks.length ? ` ${places.length} of ${keptLooks.length} looks stand in the strip; the slider goes over all.` : "";
  return card("Where it looked", "", el("div", { class: "bar" }, note(`Rows are pictures, columns ${training.unit}s: 0 is before the training.${some}`),
    el("label", { class: "inline" }, "Scale ", scale)),
  el("div", { class: "films", tabindex: "0", role: "region", "aria-label": "Filmstrip" },
    el("table", {}, el("caption", { class: "unseen" }, "Each picture's map at each look"), el("thead", {}, head), el("tbody", {}, lines))),
  el("details", { class: "side" }, el("summary", {}, "How maps are drawn"), el("div", { class: "controls" },
    slider("opacity", "opacity"), slider("threshold", "threshold"), choice("colors", "colours"), choice("cells", "cells"))));
}

function columnsShown() { // evenly spread, the first and the last among them
  const last = keptLooks.length - 1;
  if (last < MOST_COLUMNS) return keptLooks.map((_, place) => place);
  return [...new Set(Array.from({ length: MOST_COLUMNS }, (_, i) => Math.round((i * last) / (MOST_COLUMNS - 1))))];
}

function shotButton(picture, place, side) {
  const focus = training.region ? valueOf("focus", picture, place) : null;
  const words = `${films[picture].name}, ${whenOf(keptLooks[place])}. ${shotText(picture, place)}`;
  return el("button", { type: "button", class: "shot", "data-picture": picture, "data-place": place, "aria-label": words,
    title: focus === null ? words : `${words} ${percent(focus, 0)} in ${training.region.words}.`,
    onclick: () => change({ look: place === keptLooks.length - 1 ? "" : String(keptLooks[place]), film: String(picture) }) },
  filmFrame(picture, side, () => place),
  focus === null ? null : el("small", {}, percent(focus, 0)));
}

function followLook(host) {
  const here = lookPlace();
  host.querySelector(".now-words").textContent = whenOf(keptLooks[here]);
  host.querySelectorAll("[data-place]").forEach((each) => each.classList.toggle("now", Number(each.dataset.place) === here));
  host.querySelectorAll("th .shot canvas").forEach((canvas) => canvas.redraw());
}
