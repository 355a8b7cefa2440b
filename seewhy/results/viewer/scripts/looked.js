// Groups of pictures by what the model looked at.
function lookedAt(host) {
  const { list, how, reason } = bundle.clusters;
  const top = Math.max(0, ...list.filter((one) => one.mean_map).flatMap((one) => one.mean_map.flat()));
  fill(host, el("h1", {}, "What it looked at"),
    el("p", { class: "lead" }, list.length ? how : reason || "There are no groups."),
    el("div", { class: "clusters" }, list.map((one) => clusterCard(one, top))));
}

function clusterCard(one, top) {
  const facts = [["pictures", number(one.size)], ["accuracy", percent(one.accuracy)], ["outer tenth", percent(one.border, 0)], ["object", percent(one.inside, 0)]];
  const mix = (pairs) => pairs.map(([index, pictures]) => `${labels[index]} ${number(pictures)}`).join(", ") || "–";
  return card(clusterName(one), { class: "cluster", "data-cluster": one.id },
    el("div", { class: "summary" }, meanPicture(one, top), el("div", {},
      el("dl", { class: "facts" }, facts.filter(([, value]) => value !== "–").map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
      el("p", { class: "small" }, el("strong", {}, "labels: "), mix(one.labels), el("br"), el("strong", {}, "predicted: "), mix(one.predicted)),
      one.mean_map ? el("p", { class: "small" }, `On average: ${meanText(one.mean_map)}`) : null,
      el("button", { type: "button", onclick: () => change({ ...noFilters(), cluster: String(one.id), view: "gallery" }) }, "Show these pictures"))),
    one.typical.length ? el("h3", {}, "typical") : null, strip(one.typical.slice(0, 6), 84, `typical of ${clusterName(one)}`),
    one.odd.length ? el("h3", {}, "odd ones") : null, strip(one.odd.slice(0, 6), 84, `odd ones of ${clusterName(one)}`));
}

// The mean map over the mean picture; all groups share the scale.
function meanPicture(one, top) {
  if (!one.mean_map) return null;
  const canvas = el("canvas", { class: "map", role: "img", "aria-label": `Mean map. ${meanText(one.mean_map)}` });
  canvas.redraw = () => {
    const map = { height: one.mean_map.length, width: one.mean_map[0].length, values: Float32Array.from(one.mean_map.flat()) };
    const plane = planeOf(map, 192, 192, null, state.cells === "smooth", top);
    painted(canvas, 192, 192, plane, colours(TABLES[state.colors] || TABLES.default, one.mean_picture ? state.opacity / 100 : 1, state.threshold / 100));
  };
  canvas.redraw();
  return el("span", { class: `frame ${one.mean_picture ? "" : "bare"}`, "--w": "144px", "--h": "144px" },
    one.mean_picture ? el("img", { src: one.mean_picture, alt: "", width: 144, height: 144 }) : null, canvas);
}
