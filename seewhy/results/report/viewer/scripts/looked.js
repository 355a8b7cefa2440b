// Groups of pictures by what the model looked at.
const SHOWN = 6; // typical and odd pictures of each
const MEAN = 144; // pixels of a mean picture

function lookedAt(host) {
  const { list, how, reason } = bundle.clusters;
  const top = Math.max(0, ...list.filter((one) => one.mean_map).flatMap((one) => one.mean_map.flat()));
  fill(host, el("h1", {}, "What it looked at"),
    el("p", { class: "lead" }, list.length ? how : reason || "There are no groups."),
    el("div", { class: "clusters" }, list.map((one) => clusterCard(one, top))));
}

function clusterCard(one, top) {
  const name = clusterName(one);
  const mix = (pairs) => pairs.map(([index, pictures]) => `${labels[index]} ${number(pictures)}`).join(", ") || "–";
  const some = (rowsOf, words) => (rowsOf.length
    ? [el("h3", {}, words), strip(rowsOf.slice(0, SHOWN), 84, `${words} of ${name}`)] : null);
  return card(name, "cluster", el("div", { class: "summary" }, meanPicture(one, top), el("div", {},
    defined("facts", [["pictures", number(one.size)], ["accuracy", percent(one.accuracy)],
      ["outer tenth", percent(one.border, 0)], ["object", percent(one.inside, 0)]]),
    note(el("strong", {}, "labels: "), mix(one.labels), el("br"), el("strong", {}, "predicted: "), mix(one.predicted)),
    one.mean_map ? note(`On average: ${meanText(one.mean_map)}`) : null,
    button("Show these pictures", () => ask({ cluster: String(one.id) })), asShortcut(one))),
  some(one.typical, "typical"), some(one.odd, "odd ones"));
}

// Findings that are mostly of this group, and how to test it.
function asShortcut(one) {
  if (!proofs) return null;
  const inside = (finding) => finding.rows.filter((row) => rows.cluster[row] === one.id).length;
  const shared = findings.filter((finding) => finding.rows.length && inside(finding) >= finding.rows.length / 2);
  return [shared.map((finding) => note("Most of ", findingLink(finding, titleOf(finding)), ` is here: ${number(inside(finding))} of `,
    `${counted(finding.rows.length, "picture")}. `, statusOf(finding))),
  twin("test this as a shortcut", [note("This searches all groups of all classes, this one among them, and tests the most suspicious:"),
    command(proofs.command)])];
}

// The mean map over the mean picture; all groups share the scale.
function meanPicture(one, top) {
  if (!one.mean_map) return null;
  const canvas = el("canvas", { class: "map", role: "img", "aria-label": `Mean map. ${meanText(one.mean_map)}` });
  canvas.redraw = () => {
    const plane = planeOf(meanMap(one.mean_map), MEAN, MEAN, null, state.cells === "smooth", top);
    painted(canvas, MEAN, MEAN, plane, chosenColours(one.mean_picture));
  };
  canvas.redraw();
  const photo = one.mean_picture && el("img", { src: one.mean_picture, alt: "", width: MEAN, height: MEAN });
  return el("span", { class: `frame ${photo ? "" : "bare"}`, "--w": `${MEAN}px`, "--h": `${MEAN}px` }, photo, canvas);
}
