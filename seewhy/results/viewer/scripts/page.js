// Puts the page together: the views that this bundle has something for, the banner, the way between them.
// Findings, Compare and Training take their places here when the bundle brings them.
const VIEWS = [
  { name: "overview", words: "Overview", make: overview },
  { name: "gallery", words: "Gallery", make: gallery, follow: () => gallery.follow() },
  { name: "looked", words: "Looked at", make: lookedAt },
];

function start() {
  const links = VIEWS.map((view) => el("a", { href: `#${view.name}`, onclick: (event) => { event.preventDefault(); change({ view: view.name }); } }, view.words));
  const { about } = bundle;
  const line = [about.model.name || "unnamed model", about.layer, about.method, about.preparation, counted(bundle.measures.pictures, "picture")];
  const main = el("main", { id: "main", tabindex: "-1" });
  document.body.append(
    el("header", { class: "top" }, el("div", { class: "title" }, el("strong", {}, bundle.title), el("span", { class: "small" }, line.filter(Boolean).join(" · "))),
      el("nav", { "aria-label": "Views" }, links), el("button", { type: "button", class: "round", "aria-label": "Keys", onclick: () => helpDialog.showModal() }, "?")),
    banners(), main,
    el("footer", {}, `Made by seewhy${about.made ? ` ${about.made.seewhy} on ${about.made.at.slice(0, 10)}` : ""}. Maps show where a model looked, not whether that decided; this file asks nothing of any network.`));
  const made = new Map();
  const follow = () => {
    const view = VIEWS.find((each) => each.name === state.view) || VIEWS[0];
    VIEWS.forEach((each, i) => {
      if (each === view) links[i].setAttribute("aria-current", "page"); else links[i].removeAttribute("aria-current");
    });
    for (const [other, host] of made) host.hidden = other !== view;
    if (!made.has(view)) {
      const host = el("div", { class: `view ${view.name}-view` });
      made.set(view, host);
      main.append(host);
      view.make(host);
    }
    if (view.follow) view.follow();
    document.title = `${bundle.title} – ${view.words}`;
  };
  makeDialog();
  makeHelp();
  follow();
  onChange(["view"], () => { follow(); window.scrollTo(0, 0); });
  onChange(["open"], followOpen);
  followOpen();
  window.addEventListener("popstate", followAddress);
  window.addEventListener("hashchange", followAddress);
  document.addEventListener("keydown", onKey);
  document.addEventListener("keyup", endBare);
}

function banners() {
  const { partial, notes } = bundle.about;
  const said = [...(notes || [])];
  if (partial) said.unshift(`Not complete: ${number(partial.done)} of ${partial.of === null ? "an unknown number of" : number(partial.of)} pictures so far.`);
  return said.length ? el("div", { class: "banner", role: "note" }, said.map((note) => el("p", {}, `⚠ ${note}`))) : "";
}

start();
