// Puts the page together: the views, the banner, the way between them.
// A view is there where the bundle brings what it shows: a run, a comparison, a training.
const VIEWS = [
  { name: "overview", words: "Overview", given: bundle.pictures, make: overview },
  { name: "gallery", words: "Gallery", given: bundle.pictures, make: gallery, follow: () => gallery.follow() },
  { name: "looked", words: "Looked at", given: bundle.pictures, make: lookedAt },
  { name: "findings", words: "Findings", given: proofs, make: followFindings, follow: followFindings },
  { name: "compare", words: "Compare", given: comparison, make: compare },
  { name: "training", words: "Training", given: training, make: trainingView },
].filter(({ given }) => given);
const main = el("main", { id: "main", tabindex: "-1" });
const links = VIEWS.map(({ name, words }) =>
  el("a", { href: `#${name}`, onclick: (event) => goTo(event, name) }, words));
const hosts = new Map(); // of the views that were made
const broken = new Set(); // views that failed

function start() {
  document.documentElement.classList.add("standing"); // nothing is drawn before the end of this, or its failure
  document.body.append(heading(), banner(), main, foot());
  Object.assign(state, readHash());
  makeDialog();
  makeHelp();
  makeBeside();
  makeFilm();
  followView();
  followOpen();
  onChange(["view"], () => { followView(); window.scrollTo(0, 0); });
  onChange(["code"], (changed) => { if (!changed.has("view")) followView(); window.scrollTo(0, 0); });
  onChange(["open"], followOpen);
  window.addEventListener("popstate", followAddress);
  window.addEventListener("hashchange", followAddress);
  document.addEventListener("keydown", onKey);
  document.addEventListener("keyup", endBare);
  document.addEventListener("toggle", redrawStale, true); // of <details>; it does not bubble
  window.addEventListener("blur", showMaps); // the key may be let go elsewhere
  window.removeEventListener("error", fallBack);
}

function trouble(error, host = null) { // said where it is seen: in place of a view, else above all of them
  console.error(error);
  const said = el("p", { class: "warning", role: "alert" }, "This could not be shown in full: ", error.message);
  if (host) fill(host, said);
  else if (!main.querySelector(":scope > .warning")) main.prepend(said);
}

function goTo(event, view) { // filters and drawing stay as they are
  event.preventDefault();
  toView(view);
}

function toView(view) { // from a finding to the list of them
  change({ view, open: "", pair: "", ...(view === "findings" && state.view === view ? { code: "" } : {}) });
}

function followView() {
  const view = VIEWS.find((each) => each.name === state.view) || VIEWS[0];
  links.forEach((each, i) => each.setAttribute("aria-current", VIEWS[i] === view ? "page" : "false"));
  const left = [...hosts].find(([other, host]) => other !== view && host.contains(document.activeElement));
  for (const [other, host] of hosts) host.hidden = other !== view;
  if (left) main.focus({ preventScroll: true }); // not on what is hidden now
  if (!hosts.has(view)) {
    const host = el("div", { class: `view ${view.name}-view` });
    hosts.set(view, host);
    main.append(host);
    attempt(view, view.make);
  }
  if (view.follow) attempt(view, view.follow);
  redrawStale();
  document.title = VIEWS.length > 1 ? `${bundle.title} – ${view.words}` : bundle.title;
}

function attempt(view, step) { // the other views stay of use
  if (broken.has(view)) return;
  try {
    step(hosts.get(view));
  } catch (error) {
    broken.add(view);
    trouble(error, hosts.get(view));
  }
}

function heading() {
  const line = bundle.pictures ? runLine() : comparison ? comparedLine() : trainedLine();
  return el("header", { class: "top" },
    el("div", { class: "title" }, el("strong", {}, bundle.title), el("span", { class: "small" }, line)),
    links.length > 1 ? el("nav", { "aria-label": "Views" }, links) : "",
    button("?", () => helpDialog.showModal(), { class: "round", "aria-label": "? Keys" }));
}

function runLine() {
  const { about, measures } = bundle;
  const used = [about.model.name || "unnamed model", about.layer, about.method, about.preparation];
  return [...used, counted(measures.pictures, "picture")].filter(Boolean).join(" · ");
}

function comparedLine() {
  return [...comparison.runs.map(({ model }, k) => `${sideWords(k)}: ${model}`), counted(comparison.shared, "shared picture")].join(" · ");
}

function banner() {
  const { partial, notes } = bundle.about;
  const said = [...(notes || [])];
  if (partial && !said.some((each) => each.startsWith("incomplete"))) {
    const whole = partial.of === null ? "an unknown number of" : number(partial.of);
    said.unshift(`Not complete: ${number(partial.done)} of ${whole} pictures so far.`);
  }
  return said.length ? el("div", { class: "banner", role: "note" }, said.map((each) => el("p", {}, `⚠ ${each}`))) : "";
}

function foot() {
  const { made } = bundle.about;
  return el("footer", {}, `Made by seewhy${made ? ` ${made.seewhy} on ${made.at.slice(0, 10)}` : ""}. `,
    "Maps show where a model looked, not whether that decided. This page asks nothing of any network.");
}

start();
