// One watched picture, large: at the chosen look, and beside it at a look that was pinned.
const filmDialog = el("dialog", { class: "viewer filmed", "aria-labelledby": "film-title" });
const filmStage = el("div", { class: "pair-stage" });
let filmShown = null;
let filmFrom = null; // what had the focus

function makeFilm() {
  if (!training) return;
  filmDialog.append(
    el("header", {}, el("h2", { id: "film-title", tabindex: "-1", autofocus: true }), el("span", { class: "buttons" },
      button("‹", () => alongFilm(-1), { "aria-label": "Previous picture" }),
      button("›", () => alongFilm(1), { "aria-label": "Next picture" }),
      button("✕", () => filmDialog.close(), { "aria-label": "Close" }))),
    el("div", { class: "film-body" }, timeControls(), filmStage));
  document.body.append(filmDialog);
  filmDialog.addEventListener("close", () => { if (!filmDialog.open) change({ film: "" }); });
  window.addEventListener("resize", drawFilm);
  onChange(["film"], followFilm);
  onChange(["look", "pin"], drawFilm);
  followFilm();
}

function followFilm() {
  const picture = state.film === "" ? -1 : Number(state.film);
  if (!films[picture]) {
    filmDialog.close();
    if (filmShown === null) return;
    const tile = document.querySelector(`.films [data-picture="${filmShown}"].now`) || document.querySelector(`.films [data-picture="${filmShown}"]`);
    (tile || filmFrom || main).focus({ preventScroll: true });
    filmShown = null;
    return;
  }
  filmShown = picture;
  if (!filmDialog.open) {
    filmFrom = document.activeElement;
    filmDialog.showModal();
  }
  const { name, label } = films[picture];
  fill(document.getElementById("film-title"), label === null ? name : `${name} (${label})`);
  drawFilm();
}

function alongFilm(by) {
  if (filmShown === null) return;
  change({ film: String(clamped(filmShown + by, 0, films.length - 1)) });
}

function pinnedPlace() {
  return state.pin === "" ? -1 : keptLooks.indexOf(Number(state.pin));
}

function drawFilm() {
  if (!filmDialog.open) return;
  const pinned = pinnedPlace();
  const places = pinned < 0 ? [lookPlace()] : [pinned, lookPlace()];
  const room = Math.max(140, (filmStage.clientWidth || 500) / places.length - 20);
  const side = Math.floor(Math.min(460, room, Math.max(160, window.innerHeight - 380)));
  const held = filmDialog.contains(document.activeElement) && document.activeElement.dataset.key;
  fill(filmStage, el("div", { class: "pinned" }, places.map((place, i) => el("figure", { class: "version" },
    el("h3", {}, `${pinned >= 0 && !i ? "pinned: " : ""}${whenOf(keptLooks[place])}`),
    filmFrame(filmShown, side, () => place),
    el("p", { class: "small" }, shotText(filmShown, place)),
    defined("used", shotFacts(filmShown, place)),
    pinned >= 0 && !i ? button("Take the pin out", () => change({ pin: "" }), { "data-key": "unpin" })
      : button("Pin this look", () => change({ pin: String(keptLooks[place]) }), { "data-key": "pin" })))));
  if (held) (filmStage.querySelector(`[data-key="${held}"]`) || filmStage.querySelector("[data-key]")).focus();
}
