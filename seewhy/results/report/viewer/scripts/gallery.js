// The gallery: what is asked on one side, pictures in the middle, confusion and place on the other side.
function gallery(host) {
  const grid = el("ul", { class: "grid", "aria-label": "Pictures" });
  const told = el("p", { class: "found", role: "status" });
  const chips = el("div", { class: "chips" });
  const nothing = el("div", { class: "nothing", hidden: true });
  const orders = Object.entries(SORTS).map(([key, [words]]) => [key, words]);
  const sorts = select("sort", orders, state.sort, (sort) => change({ sort }));
  const wide = window.matchMedia("(min-width: 900px)").matches;
  const side = (words, content) => el("details", { class: "side", open: wide }, el("summary", {}, words), content);
  fill(host, el("h1", { class: "unseen" }, "Gallery"), el("div", { class: "gallery" },
    el("div", { class: "aside first" }, side("Filters", filterForm()), side("How maps are drawn", drawingControls())),
    el("div", { class: "middle" },
      el("div", { class: "bar" }, told, el("label", { class: "inline" }, "Sort ", sorts)), chips, nothing, grid),
    el("div", { class: "aside second" }, side("Confusion", confusionPart()),
      coarse ? side("Pictures that look here", regionPart()) : null)));
  gallery.tiles = makeGrid(grid);
  gallery.follow = () => {
    const list = foundRows();
    const held = [chips, nothing, grid].find((part) => part.contains(document.activeElement));
    sorts.value = state.sort;
    told.textContent = foundText(list.length);
    fill(chips, activeFilters().map(chip), activeFilters().length > 1 ? dropAll() : null);
    nothing.hidden = list.length > 0;
    fill(nothing, list.length ? [] : [el("p", {}, "No picture fits. Drop one of these:"), ways()]);
    gallery.tiles.fill(list);
    if (held && !held.contains(document.activeElement)) { // the focus was on what went
      ((list.length ? chips : nothing).querySelector("button") || sorts).focus();
    }
  };
  onChange([...FILTERING, "sort"], () => state.view === "gallery" && gallery.follow());
}

function foundText(count) {
  const { rows: held, of } = bundle.sampling;
  const more = held < of ? ` in this file; the run has ${number(of)}` : "";
  return `${number(count)} of ${counted(rows.n, "picture")}${more}`;
}

function chip(name) {
  const words = FILTERS[name].words();
  return button(`${words} ✕`, () => change(dropped(name)), { class: "chip", "aria-label": `Drop filter ${words} ✕` });
}

function dropAll() {
  return button("drop all", () => change(noFilters()), { class: "chip" });
}

function ways() { // each filter with what its loss would bring
  const names = activeFilters();
  return el("ul", {}, names.map((name) => {
    const left = matching(names.filter((other) => other !== name)).length;
    return el("li", {}, button(`${FILTERS[name].words()} → ${counted(left, "picture")}`, () => change(dropped(name))));
  }));
}

function filterForm() {
  const clusters = bundle.clusters.list.map((cluster) => [String(cluster.id), clusterName(cluster)]);
  const names = (list) => (list || []).map((name) => [name, name]);
  const flat = rows.scale.filter((scale) => scale === 0).length;
  const photos = bundle.shown.filter((entry) => entry.image).length;
  return el("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
    textField(), pick("truth", "truth", occurring(rows.label)),
    pick("predicted", "predicted", occurring(rows.predicted)),
    pick("answer", "answer", judged ? [["right", "✓ right"], ["wrong", "✕ wrong"]] : []),
    slider("low", "probability from"), slider("high", "probability to"), pick("cluster", "what it looked at", clusters),
    pick("group", "belongs to", names(rows.groups)), pick("split", "split", names(rows.splits)),
    pick("finding", "finding", findings.map((one) => [one.code, `${titleOf(one)}, ${labels[one.class]} (${number(one.rows.length)})`])),
    flat ? check("flat", `${NOTHING} (${number(flat)})`) : null,
    photos && photos < rows.n ? check("photo", `with a photo here (${number(photos)})`) : null);
}

function textField() {
  const input = el("input", { type: "search", name: "text", placeholder: "part of a name", value: state.text });
  input.addEventListener("input", () => change({ text: input.value }));
  onChange(["text"], () => { if (input.value !== state.text) input.value = state.text; });
  return field("name", input);
}

function pick(name, words, options) {
  if (!options.length) return null;
  const node = select(name, [["", "any"], ...options], state[name], (value) => change({ [name]: value }));
  onChange([name], () => { node.value = state[name]; });
  return field(words, node);
}

function check(name, words) {
  const label = checkbox(name, words, Boolean(state[name]), (on) => change({ [name]: on ? "only" : "" }));
  onChange([name], () => { label.firstChild.checked = Boolean(state[name]); });
  return label;
}

function occurring(column) { // classes with how many rows have them, by name
  const often = new Map();
  for (const index of column) if (index !== null) often.set(index, (often.get(index) || 0) + 1);
  const options = [...often].map(([index, count]) => [labels[index], `${labels[index]} (${number(count)})`]);
  return options.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}
