// A watched training: its looks, and the frame of one picture at one of them.
const training = bundle.training || null;
const looks = training ? training.looks : [];
const films = training ? training.pictures : [];
const keptLooks = training ? training.kept : []; // places in looks that have maps
const largestOfFilms = training
  ? Math.max(0, ...training.shots.flatMap((line) => line.map((shot) => (shot && shot.map ? shot.map.scale : 0)))) : 0;
const PLAY = 700; // milliseconds of a look
let playing = null;

function whenOf(place, short = false) { // 'before the training', 'epoch 3'
  const look = looks[place];
  const { unit } = training;
  if (short) return number(look[unit]);
  if (!look.epoch && !look.step) return "before the training";
  return unit === "step" ? `step ${number(look.step)} (epoch ${number(look.epoch)})` : `epoch ${number(look.epoch)}`;
}

function lookPlace() { // in keptLooks; the last where none is asked for
  const asked = state.look === "" ? -1 : keptLooks.indexOf(Number(state.look));
  return asked < 0 ? keptLooks.length - 1 : asked;
}

function toLook(place) {
  const to = clamped(place, 0, keptLooks.length - 1);
  change({ look: to === keptLooks.length - 1 ? "" : String(keptLooks[to]) });
}

function togglePlay() {
  if (playing) return endPlay();
  if (lookPlace() === keptLooks.length - 1) toLook(0);
  playing = setInterval(() => {
    if (lookPlace() === keptLooks.length - 1) endPlay();
    else toLook(lookPlace() + 1);
  }, PLAY);
  return tellPlay();
}

function endPlay() {
  clearInterval(playing);
  playing = null;
  tellPlay();
}

function tellPlay() {
  for (const each of document.querySelectorAll("button.play-film")) each.textContent = playing ? "■ stop" : "▶ play";
}

// The value that gets the last colour: of this map, of all maps of this picture, of all in the file.
function shotTop(picture, shot) {
  if (state.scale === "run") return largestOfFilms;
  if (state.scale === "picture") return shot.map.scale;
  return Math.max(...training.shots[picture].map((each) => (each && each.map ? each.map.scale : 0)));
}

function drawShot(canvas, picture, place, width, height) {
  const { box, image } = films[picture];
  const shot = training.shots[picture][place];
  const map = shot && unpacked(shot.map);
  let plane = { rows: covered(...span(box, 1, height), height), columns: covered(...span(box, 0, width), width) };
  if (state.map !== "none" && standsOut(map)) {
    const [top, smooth] = [shotTop(picture, shot), state.cells === "smooth"];
    const key = ["film", picture, place, width, height, smooth, top].join();
    plane = cachedPlane(key, () => planeOf(map, width, height, box, smooth, 255 * (top / map.scale)));
  }
  painted(canvas, width, height, plane, chosenColours(image));
}

// `at` gives the look's place; the frame follows it.
function filmFrame(picture, side, at) {
  const frame = pairFrame(films[picture], side, [(canvas, w, h) => drawShot(canvas, picture, at(), w, h)]);
  frame.append(...present([outlineAround(films[picture].region)]));
  return frame;
}

function shotText(picture, place) {
  const shot = training.shots[picture][place];
  if (!shot) return "Not looked at.";
  return mapText(unpacked(shot.map));
}

function valueOf(name, picture, place) {
  const lines = training.curves[name];
  return lines ? lines[picture][keptLooks[place]] : null;
}

function shotFacts(picture, place) {
  const shot = training.shots[picture][place] || {};
  const share = (name) => percent(valueOf(name, picture, place), 0);
  const drift = valueOf("drift", picture, place);
  return [["map of", shot.class || "–"], ["answer", shot.predicted || "–"],
    [`p(${shot.class || "class"})`, share("probability")],
    [training.region ? `in ${training.region.words}` : "in the region", training.region ? share("focus") : "–"],
    ["at the border", share("border")], ["drift from the look before", drift === null ? "–" : drift.toFixed(2)]];
}
