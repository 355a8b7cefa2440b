// A finding as files, made here: plots as SVG and PNG, numbers as CSV and JSON, words as Markdown.
const INK = "#1b1f27";
const LOOKS = [ // what a plot's parts look like outside of the page
  ["text", { fill: "#566072", "font-family": "sans-serif", "font-size": 12 }], [".heading", { fill: INK, "font-weight": 600 }],
  [".value-text", { fill: INK, "font-weight": 600 }], [".rule", { stroke: "#d8dce4" }],
  [".slope", { "stroke-width": 1, "stroke-opacity": 0.35 }], [".own", { stroke: "#b3261e" }], [".control", { stroke: "#566072" }],
  [".mean", { "stroke-width": 3.5 }], [".end.own, .full.own", { fill: "#b3261e" }], [".end.control, .full.control", { fill: "#8a93a3" }],
  [".full", { stroke: "none" }], [".empty", { fill: "#e6e9ef" }], [".reach", { stroke: INK, "stroke-width": 1.5 }],
];

function exportCard(one) {
  const made = (words, make) => button(words, make);
  return card("Take it with you", "wide taken", el("div", { class: "exports" },
    made("Plots (SVG)", () => saved(`${one.code}.svg`, "image/svg+xml", plotText())),
    made("Plots (PNG)", () => savedPicture(`${one.code}.png`)),
    made("Tests (CSV)", () => saved(`${one.code}.csv`, "text/csv", csvOf(one))),
    made("All numbers (JSON)", () => saved(`${one.code}.json`, "application/json", JSON.stringify(plainOf(one), null, 1))),
    made("Summary (Markdown)", () => saved(`${one.code}.md`, "text/markdown", markdownOf(one)))),
  note("Made in this page from what it holds; nothing is asked of any network. Plots as they are chosen above."));
}

function saved(name, type, content) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const anchor = el("a", { href: address, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// All plots of the page below each other, in colours of their own.
function plotText() {
  const groups = [...main.querySelectorAll(".findings-view .plotted")];
  let [down, wide] = [0, 0];
  const parts = groups.flatMap((group) => {
    let [across, tall] = [0, 0];
    const own = [...group.querySelectorAll("svg.plot")].map((plot) => {
      const copy = plot.cloneNode(true);
      const [, , width, height] = plot.getAttribute("viewBox").split(" ").map(Number);
      for (const [name, value] of Object.entries({ x: across, y: down, width, height })) copy.setAttribute(name, value);
      across += width;
      tall = Math.max(tall, height);
      return copy;
    });
    down += tall;
    wide = Math.max(wide, across);
    return own;
  });
  const whole = svg("svg", { xmlns: "http://www.w3.org/2000/svg", width: wide, height: down, viewBox: `0 0 ${wide} ${down}` },
    svg("rect", { width: wide, height: down, fill: "#ffffff" }), ...parts);
  for (const [chosen, look] of LOOKS) {
    for (const node of whole.querySelectorAll(chosen)) {
      for (const [name, value] of Object.entries(look)) node.setAttribute(name, value);
    }
  }
  return new XMLSerializer().serializeToString(whole);
}

function savedPicture(name) {
  const text = plotText();
  const photo = new Image();
  photo.onload = () => {
    const canvas = el("canvas", { width: 2 * photo.width, height: 2 * photo.height });
    canvas.getContext("2d").drawImage(photo, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((content) => saved(name, "image/png", content));
  };
  photo.onerror = () => trouble(new Error("the plot could not be drawn"));
  photo.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

function csvOf(one) {
  const quoted = (value) => {
    const text = String(value === null || value === undefined ? "" : value);
    const safe = /^[=+@\t\r]|^-\D/.test(text) ? `'${text}` : text; // else a spreadsheet would run it
    return `"${safe.replaceAll('"', '""')}"`;
  };
  const head = ["finding", "test", "region", "control", "of", "picture", "before", "after", "answered_as_class"];
  const lines = one.effects.flatMap((each) => [["finding", each.trials], ["control", each.control_trials]].flatMap(([side, trials]) =>
    (trials ? trials.before.map((before, i) => [one.code, each.test, each.region, each.control, side,
      trials.row[i] === null ? "" : nameOf(trials.row[i]), before, trials.after[i], trials.is_class[i]]) : [])));
  return `${[head, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n")}\r\n`;
}

function plainOf(one) { // without pictures; rows by their names
  const { mean_picture: _, shots, region, rows: members, shown, ...rest } = one;
  return { ...rest, class: labels[one.class], title: bundle.title, pictures_of_it: members.map(nameOf),
    shots: shots.map(({ images, row, ...shot }) => ({ ...shot, picture: row === null ? null : nameOf(row) })) };
}

function markdownOf(one) {
  const cell = (text) => String(text).replaceAll("|", "\\|").replaceAll("\n", " ");
  const rowsOf = (lines) => lines.map((line) => `| ${line.map(cell).join(" | ")} |`).join("\n");
  const tests = one.effects.map((each) => [each.test, regionWords(each), saidOf(each.test, each.effect),
    saidOf(each.test, each.control_effect), Math.round(100 * gapOf(each)), pointsOf(each.interval), `${each.pictures} + ${each.control_pictures}`]);
  const cells = one.cells.map(([label, predicted, shows, lacks, scored]) =>
    [label === null ? "no label" : label, predicted, shows, lacks, scored ? "by score" : "by group"]);
  const part = (heads, lines) => `${rowsOf([heads, heads.map(() => "---"), ...lines])}\n`;
  return [`# ${titleOf(one)}: ${one.status}`, "", sentence(one.words), "", sentence(one.proof), decisionText(one), "",
    "## Tests", "", part(["test", "what", "finding", "control", "difference (points)", "95 %", "pictures"], tests),
    ...(cells.length ? ["## Who has it", "", part(["label", "called", "show it", "do not", "told apart"], cells)] : []),
    "## What to do next", "", ...one.todo.flatMap((each) =>
      [`- **${each.what}**: ${each.why} Costs: ${each.cost}`, ...(each.command ? ["", `      ${each.command}`, ""] : [])]), ""].join("\n");
}
