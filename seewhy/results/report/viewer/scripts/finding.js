// One finding from top to bottom: where, who has it, the tests, what cannot be said, what to do, and its files.
const LOOKED = [12, 118, 94]; // pictures of a finding, and their size on a wide screen and on a narrow one
const MEAN_SIDE = 232;
const REGIONS = {
  own: "what each picture's heat marks", heat: "one region: where they have more heat",
  pixels: "one region: where their pixels differ",
  all: "colour, contrast and sharpness", colour: "colour alone", contrast: "contrast alone", sharpness: "sharpness alone",
};
const CONTROLS = {
  rest: ["the same of the rest of the class", "rest of the class"], elsewhere: ["the same size in another place", "another place"],
  "own class": ["the same of their own class", "their own class"],
};

function findingPage(one) {
  const all = sorted().flat(); // as the list has them
  const place = all.indexOf(one);
  const step = (by, words) => {
    const other = all[place + by];
    return button(words, () => openFinding(other), { disabled: !other, "aria-label": by < 0 ? "Previous finding" : "Next finding" });
  };
  const [, , meaning] = STATUS[one.status] || ["", "", ""];
  return el("article", { class: "finding-page" },
    el("nav", { class: "bar", "aria-label": "Findings" },
      link("‹ All findings", () => change({ code: "" })), el("span", { class: "buttons" }, step(-1, "‹"), step(1, "›"))),
    el("h1", { tabindex: "-1" }, sentence(one.words)),
    el("p", {}, el("span", { class: "code" }, titleOf(one)), " ", statusOf(one), " ", el("span", { class: "small" }, meaning)),
    testsOf(one).length ? el("p", {}, sentence(inShort(one))) : null,
    decisionText(one) ? el("p", { class: "decided" }, decisionText(one)) : null,
    el("div", { class: "sections" }, whereCard(one), whoCard(one), coverCard(one), pasteCard(one), lookCard(one),
      otherTests(one),
      unknownCard(one), todoCard(one), exportCard(one)));
}

function whereCard(one) {
  const whole = !one.mean_map;
  const side = LOOKED[window.matchMedia("(min-width: 700px)").matches ? 1 : 2];
  const some = one.shown.length < Math.min(LOOKED[0], one.members) ? ` ${one.shown.length} of them are in this file.` : "";
  const outline = outlineWords(one);
  return card("Where", "wide", el("div", { class: "where" },
    el("figure", { class: "mean", "--w": `${MEAN_SIDE}px` }, whereOf(one, MEAN_SIDE),
      el("figcaption", {}, whole ? "The mean picture" : `Mean heat on the mean picture. ${meanText(one.mean_map)} ${outline}`)),
    el("div", {}, el("p", {}, whole
      ? `It lies ${one.place}. So no region is marked, and no heat is drawn.`
      : `It lies ${one.place}. Heat: where early evidence for '${labels[one.class]}' still counts at the end; finer than the audit's maps.`),
    el("div", { class: "samples" }, one.shown.map((each) => heatTile(one, each, side))),
    note(`The most typical of ${counted(one.members, "picture")}.${some}`),
    one.rows.length ? button(`Show its ${counted(one.rows.length, "picture")} in the gallery`, () => ask({ finding: one.code }), { class: "to-gallery" }) : null)));
}

function outlineWords({ region }) {
  if (!region) return "It has no fixed place, so nothing is outlined.";
  return region.by === "pixels" ? "Outlined: where their pixels differ from those of the rest of the class."
    : "Outlined: where they have more heat than the rest of the class.";
}

// True and predicted class by cue, counted on what was looked at.
function whoCard(one) {
  const own = one.cells.filter((cell) => !cell[4]);
  const others = one.cells.filter((cell) => cell[4]);
  const line = ([label, predicted, shows, lacks]) => [label === null ? "no label" : label, predicted, number(shows), number(lacks),
    bar(shows / Math.max(1, shows + lacks)), percent(shows / Math.max(1, shows + lacks), 0)];
  const shares = one.false_positives;
  const looked = one.looked < one.pictures ? `${number(one.looked)} of ${number(one.pictures)}` : `all ${number(one.pictures)}`;
  return card("Who has it", "wide who", one.cells.length
    ? table(`Pictures by class and cue, of ${looked} pictures called '${labels[one.class]}'${others.length ? " and a sample of others" : ""}`,
      ["label", "called", ["show it"], ["do not"], "", ["share"]], [...own, ...others].map(line), { class: "cells" })
    : el("p", {}, `${number(one.members)} of ${number(one.looked)} looked at.`),
  others.length ? note("Of the finding's class: in the group or not. Of other classes: right answers only, by a score that tells ",
    "the group from the rest of its class; it errs at times, so look at the pictures.") : null,
  one.wrong ? el("p", {}, `${counted(one.wrong, "picture")} of the finding ${one.wrong === 1 ? "is" : "are"} wrongly called '${labels[one.class]}'.`) : null,
  shares && shares.pictures ? el("p", {}, `Of ${counted(shares.pictures, "picture")} wrongly called '${labels[one.class]}' `
    + `${number(shares.sharing)} show it; of rightly called ones ${number(shares.right_sharing)} of ${number(shares.right)}.`) : null);
}

function effectsOf(one, test) {
  return one.effects.filter((each) => each.test === test);
}

// One effect is plotted, all are listed; which one is chosen here and not kept in the address.
function testCard(one, test, title, lead, plotted) {
  const list = effectsOf(one, test);
  if (!list.length) return null;
  const host = el("div", { class: "plotted", "data-test": test });
  const show = (each) => fill(host, plotted(each));
  const best = clearest(one, test);
  show(best);
  const options = list.map((each, i) => [String(i), regionWords(each)]);
  const chosen = select(`${test}-of`, options, String(list.indexOf(best)), (i) => show(list[Number(i)]));
  return card(title, "test", el("p", {}, lead), list.length > 1 ? el("label", { class: "inline" }, "Tried ", chosen) : null, host,
    twin("all tried, as a table", effectsTable(list, test)));
}

function regionWords(each) {
  const [against] = CONTROLS[each.control] || [each.control];
  return `${REGIONS[each.region] || each.region}; control: ${against}`;
}

function effectsTable(list, test) {
  return table(`Differences in points, intervals 95 %`,
    ["what, and control", ["finding"], ["control"], ["difference"], ["95 %"], ["pictures"]], list.map((each) => [
      regionWords(each), saidOf(test, each.effect), saidOf(test, each.control_effect), Math.round(100 * gapOf(each)).toString(),
      pointsOf(each.interval), `${each.pictures} + ${each.control_pictures}`]));
}

function coverCard(one) {
  const said = labels[one.class];
  return testCard(one, "cover", "Cover it: does the answer fall?",
    `It is filled with the smooth mean of what surrounds it, the one fill that is tried; each line is a picture, from its probability of '${said}' as it is to that with the region covered.`,
    (each) => [verdictOf(each, "cover", said),
      each.trials && each.trials.before.length ? el("div", { class: "plots" },
        slopes(each.trials, "The finding's pictures", "own", "covered"),
        slopes(each.control_trials, each.control === "elsewhere" ? "Same size, elsewhere" : "Rest of the class", "control", "covered"))
        : note("This file holds no single pictures of the test; its size was limited."),
      shotsOf(one, each, ["before", "after"], ["as it is", "covered"]),
      pictureByPicture(each)]);
}

function pasteCard(one) {
  return turnCard(one, "paste", "Paste it: do other pictures turn?",
    `The region is laid, at its own place, onto pictures of other classes that were answered rightly; the control lays the same of other '${labels[one.class]}' pictures onto the same ones.`);
}

function lookCard(one) {
  return turnCard(one, "look", "Give its look: do other pictures turn?",
    "Pictures of other classes that were answered rightly are given the colours, contrast and sharpness of the finding's, and nothing of what these show; the control gives them those of other pictures.");
}

function turnCard(one, test, title, lead) {
  const said = labels[one.class];
  return testCard(one, test, title, lead,
    (each) => [verdictOf(each, test, said), turnBars(each, ["the finding's", (CONTROLS[each.control] || ["", each.control])[1]]),
      shotsOf(one, each, ["from", "before", "after"], ["from", "onto", "result"]), pictureByPicture(each)]);
}

function pictureByPicture(each) {
  return each.trials && each.trials.before.length ? twin("picture by picture", trialTable(each)) : null;
}

// Tests that this page does not know by name.
function otherTests(one) {
  return testsOf(one).filter((test) => !TESTS[test]).map((test) =>
    card(`Test: ${test}`, "test", effectsTable(effectsOf(one, test), test)));
}

function verdictOf(each, test, said) {
  const gap = Math.round(100 * gapOf(each));
  const sure = each.interval[0] > 0 ? "" : " The interval reaches zero: this test alone does not tell it from chance.";
  const main = test === "cover"
    ? `p(${said}) ${each.effect < 0 ? "rises" : "falls"} by ${Math.abs(Math.round(100 * each.effect))} points, in the control by ${Math.round(100 * each.control_effect)}`
    : `${Math.round(each.effect * each.pictures)} of ${each.pictures} turn '${said}', in the control ${Math.round(each.control_effect * each.control_pictures)} of ${each.control_pictures}`;
  return el("p", { class: "verdict" }, el("strong", {}, `${main}.`), ` Difference ${gap} points, 95 %: ${pointsOf(each.interval)}.${sure}`);
}

function shotsOf(one, each, kinds, names) {
  const own = one.shots.filter((shot) => shot.test === each.test && shot.region === each.region);
  if (!own.length) return null;
  return [el("h3", {}, `What the model was given: ${own.length} of ${each.pictures}, by chance`),
    el("ul", { class: "shots" }, own.map((shot) => el("li", {},
      el("div", { class: "row" }, kinds.map((kind, i) => el("figure", {},
        el("img", { src: shot.images[kind], alt: `${names[i]}${shot.row === null ? "" : `, ${nameOf(shot.row)}`}` }), el("figcaption", {}, names[i])))),
      el("p", { class: "small" }, `p(${labels[one.class]}) ${percent(shot.before, 0)} → ${percent(shot.after, 0)}: `,
        el("strong", {}, `${answerWord(shot)} '${shot.answer}'`)))))];
}

function answerWord({ test, is_class: same }) {
  if (test === "cover") return same ? "still" : "now";
  return same ? "now" : "still";
}

function trialTable(each) {
  const line = (trials, side) => trials.before.map((before, i) => [
    trials.row[i] === null ? "not in this file" : nameOf(trials.row[i]), side, percent(before), percent(trials.after[i]),
    trials.is_class[i] ? "yes" : "no"]);
  return table("Each picture of the test", ["picture", "of", ["before"], ["after"], "answered as the class after"],
    [...line(each.trials, "finding"), ...line(each.control_trials, "control")]);
}

function unknownCard(one) {
  const said = [`Maps show where the model looked; only the tests show whether that decides. `
    + `What it is (a ruler, a logo, a colour) is for you to see in the pictures.`];
  const area = one.region ? bytes(one.region.values).reduce((sum, each) => sum + each, 0) / (one.region.height * one.region.width) : 0;
  if (effectsOf(one, "cover").length) {
    said.push(`Covering hides what lies under it, too${area ? `: the outlined region takes ${percent(area, 0)} of the picture` : ""}. `
      + "Where the object reaches into it, some of the fall is the object's. The control tells how much a cover costs by itself.");
  }
  if (effectsOf(one, "paste").length) said.push("Pasting brings along what surrounds it, and a faint edge; the control is pasted in the same way.");
  if (effectsOf(one, "look").length) said.push("Colour, contrast and sharpness may be what the class is: the pictures show whether it should go by them.");
  for (const test of testsOf(one).filter((each) => TESTS[each])) {
    const best = clearest(one, test);
    if (best.interval[0] <= 0) said.push(`${{ cover: "Covering", paste: "Pasting", look: "Its look" }[test]} alone does not bear it out: the clearest difference is ${Math.round(100 * gapOf(best))} points, 95 % ${pointsOf(best.interval)}.`);
  }
  said.push("The group was chosen among many, and is tested on the same pictures it was found in: effects may be somewhat smaller on new ones.");
  if (one.looked < one.pictures) said.push(`Counted on ${number(one.looked)} of the ${number(one.pictures)} pictures called '${labels[one.class]}'.`);
  return card("What we cannot say", "wide", el("ul", {}, said.map((text) => el("li", {}, text))));
}

function todoCard(one) {
  return card("What to do next", "wide", el("ol", { class: "todo" }, one.todo.map((each) => el("li", {}, el("h3", {}, each.what),
    el("p", {}, each.why), note(el("strong", {}, "costs: "), each.cost), each.command ? command(each.command) : null))));
}
