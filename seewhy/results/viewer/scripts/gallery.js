// The gallery: what is asked on one side, pictures in the middle, confusion and place on the other side.
function gallery(host) {
  const grid = el("ul", { class: "grid", "aria-label": "Pictures" });
  const told = el("p", { class: "found", role: "status" });
  const chips = el("div", { class: "chips" });
  const nothing = el("div", { class: "nothing", hidden: true });
  const sorts = select("sort", Object.entries(SORTS).map(([key, [words]]) => [key, words]), state.sort, (sort) => change({ sort }));
  const wide = window.matchMedia("(min-width: 900px)").matches;
  const side = (words, ...content) => el("details", { class: "side", open: wide }, el("summary", {}, words), ...content);
  fill(host, el("h1", { class: "unseen" }, "Gallery"), el("div", { class: "gallery" },
    el("div", { class: "left" }, side("Filters", filterForm()), side("How maps are drawn", drawingControls())),
    el("div", { class: "middle" },
      el("div", { class: "bar" }, told, el("label", { class: "inline" }, "Sort ", sorts)), chips, nothing, grid),
    el("div", { class: "right" }, side("Confusion", confusionPart()),
      coarse ? side("Pictures that look here", regionPart()) : null)));
  const tiles = makeGrid(grid);
  gallery.tiles = tiles;

  function follow() {
    sorts.value = state.sort;
    const list = foundRows();
    const of = bundle.sampling.rows < bundle.sampling.of ? ` in this file; the run has ${number(bundle.sampling.of)}` : "";
    told.textContent = `${number(list.length)} of ${counted(rows.n, "picture")}${of}`;
    fill(chips, activeFilters().map((name) => chip(name)));
    if (activeFilters().length > 1) chips.append(el("button", { type: "button", class: "chip", onclick: () => change(noFilters()) }, "drop all"));
    nothing.hidden = list.length > 0;
    if (!list.length) fill(nothing, el("p", {}, "No picture fits. Drop one of these:"), ways());
    tiles.fill(list);
  }

  onChange([...FILTERING, "sort"], () => state.view === "gallery" && follow());
  onChange(["scale"], () => { foundScale = null; });
  gallery.follow = follow;
}

function chip(name) {
  const words = FILTERS[name].words();
  return el("button", { type: "button", class: "chip", "aria-label": `Drop filter ${words}`, onclick: () => change(dropped(name)) }, words, " ✕");
}

function ways() { // each filter with what its loss would bring
  const names = activeFilters();
  return el("ul", {}, names.map((name) => {
    const left = matching(names.filter((other) => other !== name)).length;
    return el("li", {}, el("button", { type: "button", onclick: () => change(dropped(name)) },
      `${FILTERS[name].words()} → ${counted(left, "picture")}`));
  }));
}

function filterForm() {
  const pick = (name, words, options) => {
    if (!options.length) return null;
    const node = select(name, [["", "any"], ...options], state[name], (value) => change({ [name]: value }));
    onChange([name], () => { node.value = state[name]; });
    return field(words, node);
  };
  const text = el("input", { type: "search", name: "text", placeholder: "part of a name", value: state.text, oninput: () => change({ text: text.value }) });
  onChange(["text"], () => { if (text.value !== state.text) text.value = state.text; });
  const clusters = bundle.clusters.list.map((cluster) => [String(cluster.id), clusterName(cluster)]);
  const names = (list) => (list || []).map((name) => [name, name]);
  const flat = rows.scale.filter((scale) => scale === 0).length;
  const photos = bundle.shown.filter((entry) => entry.image).length;
  return el("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
    field("name", text), pick("truth", "truth", occurring(rows.label)), pick("predicted", "predicted", occurring(rows.predicted)),
    judged ? pick("answer", "answer", [["right", "✓ right"], ["wrong", "✕ wrong"]]) : null,
    slider("low", "probability from"), slider("high", "probability to"),
    pick("cluster", "what it looked at", clusters), pick("group", "belongs to", names(rows.groups)), pick("split", "split", names(rows.splits)),
    flat ? check("flat", `${NOTHING} (${number(flat)})`) : null,
    photos && photos < rows.n ? check("photo", `with a photo here (${number(photos)})`) : null);
}

function check(name, words) {
  const input = el("input", { type: "checkbox", name, onchange: () => change({ [name]: input.checked ? "only" : "" }) });
  const follow = () => { input.checked = Boolean(state[name]); };
  follow();
  onChange([name], follow);
  return el("label", { class: "inline" }, input, " ", words);
}

function occurring(column) { // classes with how many rows have them
  const often = new Map();
  for (const index of column) if (index !== null) often.set(index, (often.get(index) || 0) + 1);
  return [...often].map(([index, count]) => [labels[index], `${labels[index]} (${number(count)})`]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
}
