// What the model seems to answer by though it should not: the list, and the first card of the overview.
const proofs = bundle.findings || null;
const findings = proofs ? proofs.list : [];
const findingByCode = new Map(findings.map((one) => [one.code, one]));
const STATUS = { // sign, kind of colour, what it means
  proven: ["▲", "bad", "Covering or pasting it changes answers, and the control does not."],
  suspected: ["△", "warned", "Covering or pasting it changes answers a little more than its control does, or the tests are unsure."],
  "not supported": ["○", "calm", "Its pictures are alike where the model looks, but no test showed an effect beyond its control."],
  "worth a look": ["◇", "calm", "Below the line: groups like this are found in models without a shortcut, too. Covering or pasting the object itself does as much."],
  accepted: ["✓", "good", "Known and accepted by a person."],
  dismissed: ["–", "calm", "A person decided that it is no shortcut."],
};
const SAMPLE = [5, 74]; // pictures of a finding in the list, and their size
const THUMB = 132; // pixels of its mean picture there

let drawnCode = null; // the finding whose page stands; "" for the list

function followFindings(host) {
  const one = findingByCode.get(state.code);
  const code = one ? one.code : "";
  if (drawnCode === code) return;
  drawnCode = code;
  fill(host, one ? findingPage(one) : findingList());
}

// Those that count, the proven ones first; those that a person settled; those that no test bore out, or below the line.
function sorted() {
  const settled = (one) => ["accepted", "dismissed"].includes(one.status);
  const counts = (one) => one.raised && !settled(one) && one.status !== "not supported";
  const proven = (one) => one.status === "proven";
  return [[...findings.filter((one) => counts(one) && proven(one)), ...findings.filter((one) => counts(one) && !proven(one))],
    findings.filter(settled), findings.filter((one) => !counts(one) && !settled(one))];
}

function findingList() {
  const [raised, settled, below] = sorted();
  const cards = (list) => el("div", { class: "finding-list" }, list.map(findingCard));
  return [el("h1", { tabindex: "-1" }, "Findings"), searchState(raised),
    raised.length ? cards(raised) : null,
    settled.length ? [el("h2", { class: "apart" }, "Decided"), cards(settled)] : null,
    below.length ? [el("h2", { class: "apart" }, "Worth a look"),
      note(STATUS["worth a look"][2]), cards(below)] : null,
    proofs.searched ? howSearched() : null];
}

// Never 'all good': what was tried, and what could not have been seen.
function searchState(raised) {
  if (!proofs.searched) {
    return el("div", { class: "card plain" }, el("p", {}, el("strong", {}, proofs.damaged
      ? "The findings in the run's folder cannot be read." : "Shortcuts were not searched for in this run.")),
    proofs.trouble ? el("p", { class: "warning" }, proofs.trouble) : null,
    el("p", {}, "This searches, and tests what it finds by covering and pasting:"), command(proofs.command));
  }
  if (raised.length) return el("p", { class: "lead" }, "The worst first. Open one to see its proof and what to do about it.");
  return el("div", { class: "card plain" }, el("p", {}, el("strong", {}, nothingMet())), el("p", {}, proofs.seen));
}

function nothingMet() {
  const { groups, classes, tested } = proofs.tried;
  if (groups === undefined) return "Nothing met the bar.";
  return `Nothing met the bar. Compared ${counted(groups, "group")} of pictures in `
    + `${counted(classes, "class", "classes")}, and tested the ${number(tested)} most suspicious by covering and pasting.`;
}

function howSearched() {
  const { pictures, classes, groups, tested, line, best, whole } = proofs.tried;
  const words = pictures === undefined ? [] : [`Looked at ${counted(pictures, "picture")} of `
    + `${counted(classes, "class", "classes")}: ${counted(groups, "group")} of alike ones, ${number(tested)} of them tested.`
    + ` A finding is raised above a score of ${line}; the highest is ${best.toFixed(1)}.`];
  if (whole) {
    words.push(`Given the colours, contrast and sharpness of some of a class's pictures, at most ${Math.round(100 * whole.best)} points `
      + `more of other classes' turn to it than by the control; raised above ${Math.round(100 * whole.line)}.`);
  }
  return card("How it was searched, and what could not be seen", "apart", words.map((text) => el("p", {}, text)),
    el("p", {}, proofs.seen), proofs.notes.map((text) => el("p", { class: "warning" }, text)));
}

function titleOf(one) {
  return one.name ? `${one.code} ${one.name}` : one.code;
}

function statusOf(one) {
  const [sign, kind, meaning] = STATUS[one.status] || ["◇", "calm", ""];
  return el("span", { class: `status ${kind}`, title: meaning },
    el("span", { "aria-hidden": "true" }, `${sign} `), one.status);
}

function openFinding(one) {
  change({ view: "findings", code: one.code, open: "" });
  const heading = main.querySelector(".findings-view h1");
  if (heading) heading.focus({ preventScroll: true });
}

function findingLink(one, words) {
  return link(words, () => openFinding(one));
}

function findingCard(one) {
  return el("section", { class: "card finding", "aria-label": titleOf(one) },
    el("div", { class: "thumb" }, whereOf(one, THUMB)),
    el("div", { class: "gist" },
      el("h2", {}, el("span", { class: "code" }, titleOf(one)), " ", statusOf(one)),
      el("p", { class: "words" }, findingLink(one, sentence(one.words))),
      decisionText(one) ? note(decisionText(one)) : null,
      effectTable(one),
      el("div", { class: "samples" }, one.shown.slice(0, SAMPLE[0]).map((each) => heatTile(one, each, SAMPLE[1])))));
}

function sentence(text) {
  return text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "";
}

function decisionText({ decision }) {
  if (!decision) return "";
  const said = { accept: "Accepted", dismiss: "Dismissed as no shortcut", confirm: "Confirmed as a shortcut" };
  const until = decision.until ? ` until ${decision.until}` : "";
  const over = decision.expired ? " That date is over: it counts again." : "";
  return `${said[decision.action] || decision.action}${until}${decision.reason ? `: ${decision.reason}` : ""}.${over}`;
}

// The test of a kind that is clearest over its control, as the terminal tells it.
function clearest(one, test) {
  const rank = (each) => [each.control === "rest" && each.interval[0] > 0.1 ? 1 : 0, each.interval[0], gapOf(each)];
  const higher = (a, b) => { const i = a.findIndex((value, k) => value !== b[k]); return i >= 0 && a[i] > b[i]; };
  return one.effects.filter((each) => each.test === test)
    .reduce((best, each) => (best && !higher(rank(each), rank(best)) ? best : each), null);
}

function testsOf(one) {
  return [...new Set([...Object.keys(TESTS), ...one.effects.map((each) => each.test)])]
    .filter((test) => one.effects.some((each) => each.test === test));
}

const TESTS = { // what was done, and in what it is counted
  cover: ["covered", (value) => `−${Math.round(100 * value)} points`.replace("−-", "+").replace("−0 ", "0 ")],
  paste: ["pasted", (value) => `${Math.round(100 * value)} % turn`],
  look: ["given its look", (value) => `${Math.round(100 * value)} % turn`],
};

function saidOf(test, value) {
  return TESTS[test] ? TESTS[test][1](value) : value.toFixed(2);
}

function gapOf(each) {
  return each.effect - each.control_effect;
}

function pointsOf([low, high]) {
  return `${Math.round(100 * low)} to ${Math.round(100 * high)}`;
}

function effectTable(one) {
  const body = testsOf(one).map((test) => {
    const best = clearest(one, test);
    return [(TESTS[test] || [test])[0], saidOf(test, best.effect), saidOf(test, best.control_effect),
      gapBar(best), `${Math.round(100 * gapOf(best))} (${pointsOf(best.interval)})`];
  });
  if (!body.length) return null;
  return table("Its clearest tests", ["", ["finding"], ["control"], "difference", ["points (95 %)"]], body,
    { class: "effects" });
}

// A difference with its interval on -100 to 100 points; zero in the middle.
function gapBar(each) {
  const at = (value) => clamped((value + 1) / 2, 0, 1);
  const [low, high] = each.interval;
  return el("span", { class: "gap", "aria-hidden": "true" }, el("span", { class: "zero" }),
    el("span", { class: "range", "--from": at(low), "--to": at(high) }), el("span", { class: "point", "--at": at(gapOf(each)) }));
}

// Mean heat of its pictures on their mean, with the outline of where it lies.
function whereOf(one, side) {
  const photo = one.mean_picture && el("img", { src: one.mean_picture, alt: "", width: side, height: side });
  const size = { "--w": `${side}px`, "--h": `${side}px` };
  if (!one.mean_map) {
    return el("span", { class: `frame ${photo ? "" : "bare"}`, ...size }, photo, el("span", { class: "badge" }, "the whole picture"));
  }
  const canvas = el("canvas", { class: "map", role: "img", "aria-label": `Mean heat of ${titleOf(one)}. ${meanText(one.mean_map)}` });
  const top = Math.max(...one.mean_map.flat()) || 1;
  canvas.redraw = () => {
    const plane = planeOf(meanMap(one.mean_map), side, side, null, state.cells === "smooth", top);
    painted(canvas, side, side, plane, chosenColours(photo));
  };
  canvas.redraw();
  return el("span", { class: `frame ${photo ? "" : "bare"}`, ...size }, photo, canvas, outlineAround(one.region));
}

// The edge between cells inside and outside, as lines that stay thin at any size.
function outlineAround(region) {
  if (!region) return null;
  const inside = typeof region.values === "string" ? bytes(region.values) : region.values;
  const { height, width } = region;
  const at = (y, x) => (y >= 0 && x >= 0 && y < height && x < width ? inside[y * width + x] : 0);
  const steps = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (at(y, x) !== at(y - 1, x)) steps.push(`M${x} ${y}h1`);
      if (at(y, x) !== at(y, x - 1)) steps.push(`M${x} ${y}v1`);
    }
  }
  const line = (kind) => svg("path", { d: steps.join(""), class: kind, "vector-effect": "non-scaling-stroke" });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", class: "outline", "aria-hidden": "true" },
    line("under"), line("over"));
}

// A picture of a finding with the heat that was compared, which is finer than the audit's map.
function heatTile(one, { row, map }, side) {
  const heat = unpacked(map);
  const text = heat ? mapText(heat) : "";
  return el("button", {
    type: "button", class: "shot", title: nameOf(row), "aria-label": `${nameOf(row)}, ${predictedOf(row)}. ${text}`,
    onclick: () => change({ open: String(rows.id[row]) }),
  }, heatPicture(row, heat, side));
}

function heatPicture(row, heat, side) {
  const entry = shownByRow.get(row);
  const photo = photoOf(row);
  const [width, height] = frameSize(row, side);
  const canvas = el("canvas", { class: "map", "aria-hidden": "true" });
  const sharp = Math.min(2, window.devicePixelRatio || 1);
  const [w, h] = [Math.round(width * sharp), Math.round(height * sharp)];
  canvas.redraw = () => {
    const box = entry ? entry.box : null;
    let plane = { rows: covered(...span(box, 1, h), h), columns: covered(...span(box, 0, w), w) };
    if (heat && state.map !== "none") plane = planeOf(heat, w, h, box, state.cells === "smooth", 255);
    painted(canvas, w, h, plane, chosenColours(photo));
  };
  canvas.redraw();
  return el("span", { class: `frame ${photo ? "" : "bare"}`, "--w": `${width}px`, "--h": `${height}px` },
    photo ? el("img", { src: photo, alt: "", width, height }) : null, canvas,
    photo ? null : el("span", { class: "hint" }, "heat only"));
}

// A command with a button that copies it.
function command(words) {
  const code = el("code", {}, words);
  const copy = button("Copy", () => { copied(code); copy.textContent = "Copied"; setTimeout(() => { copy.textContent = "Copy"; }, 1500); },
    { class: "copy", "aria-label": `Copy: ${words}` });
  return el("div", { class: "command" }, code, copy);
}

function copied(node) { // by selecting, which works in a file and in a frame, too
  const chosen = window.getSelection();
  chosen.removeAllRanges();
  const range = document.createRange();
  range.selectNodeContents(node);
  chosen.addRange(range);
  try {
    document.execCommand("copy");
  } catch { /* it stays selected, to be copied by hand */ }
}

// In the overview: does it cheat, worst proven on top.
function doesItCheat() {
  if (!proofs) return null;
  const [raised, settled] = sorted();
  if (!proofs.searched || !raised.length) {
    const more = settled.length ? el("p", {}, `${counted(settled.length, "finding")} decided by a person: `,
      link("see them", () => change({ view: "findings", code: "" }))) : null;
    return card("Does it cheat?", "cheats", searchState(raised), more,
      findings.length ? el("p", {}, link("Worth a look all the same", () => change({ view: "findings", code: "" }))) : null);
  }
  return card("Does it cheat?", "cheats", el("ul", { class: "worst" }, raised.slice(0, 3).map((one) =>
    el("li", {}, el("span", { class: "thumb" }, whereOf(one, 84)), el("div", {},
      el("p", {}, el("span", { class: "code" }, titleOf(one)), " ", statusOf(one)),
      el("p", { class: "words" }, findingLink(one, sentence(one.words))), note(inShort(one)))))),
  raised.length > 3 ? el("p", {}, link(`All ${number(raised.length)} findings`, () => change({ view: "findings", code: "" }))) : null);
}

function inShort(one) {
  return testsOf(one).map((test) => {
    const best = clearest(one, test);
    return `${(TESTS[test] || [test])[0]}: ${saidOf(test, best.effect)} (control ${saidOf(test, best.control_effect)})`;
  }).join(" · ");
}
