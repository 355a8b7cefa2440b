// The numbers over the training: the mean drawn thick, each picture thin, and all of it as a table.
const COURSES = {
  focus: ["share of the map in", 0], probability: ["probability of the class", 0], border: ["share of the map at the border", 0],
  drift: ["drift from the look before", 1], entropy: ["entropy of the map (1: even)", 1], score: ["score of the class", 1],
};
const PLOT = { width: 420, height: 190, left: 44, right: 12, top: 30, bottom: 30 };

function courseName(name) {
  return name === "focus" ? `${COURSES.focus[0]} ${training.region ? training.region.words : "the region"}` : COURSES[name][0];
}

function courseText(name, value) {
  if (value === null || value === undefined) return "–";
  return COURSES[name][1] ? value.toFixed(2) : percent(value);
}

function course(name) {
  const { width, height, left, right, top, bottom } = PLOT;
  const lines = training.curves[name];
  const known = [...lines.flat(), ...(name === "focus" ? [training.alarm.below, training.alarm.above, training.region && training.region.even] : [])]
    .filter((value) => value !== null && value !== undefined);
  const low = Math.min(0, ...known);
  const high = Math.max(low + 1e-6, ...known);
  const times = looks.map((look) => look[training.unit]);
  const across = (time) => left + ((time - times[0]) / Math.max(1e-9, times[times.length - 1] - times[0])) * (width - left - right);
  const down = (value) => top + (1 - (value - low) / (high - low)) * (height - top - bottom);
  const path = (values) => values.reduce((text, value, i) => {
    if (value === null) return text;
    return `${text}${i && values[i - 1] !== null ? "L" : "M"}${across(times[i]).toFixed(1)} ${down(value).toFixed(1)}`;
  }, "");
  const means = looks.map((look) => look[name]);
  const level = (value, kind) => (value === null || value === undefined ? [] : [
    svg("line", { x1: left, x2: width - right, y1: down(value), y2: down(value), class: kind })]);
  const cursor = svg("line", { y1: top, y2: height - bottom, class: "cursor" });
  const follow = () => ["x1", "x2"].forEach((end) => cursor.setAttribute(end, across(times[keptLooks[lookPlace()]])));
  follow();
  onChange(["look"], follow);
  const ends = [means.find((value) => value !== null), [...means].reverse().find((value) => value !== null)];
  const rule = (value) => [svg("line", { x1: left, x2: width - right, y1: down(value), y2: down(value), class: "rule" }),
    svg("text", { x: left - 6, y: down(value) + 4, "text-anchor": "end" }, courseText(name, value).replace(/\.\d %/, " %"))];
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "course", role: "img",
    "aria-label": `${courseName(name)}: mean ${courseText(name, ends[0])} at first, ${courseText(name, ends[1])} at last. The table below has the numbers.` },
  svg("text", { x: left, y: 16, class: "heading" }, courseName(name)), ...rule(low), ...rule(high),
  ...(name === "focus" && training.region ? level(training.region.even, "even") : []),
  ...(name === "focus" ? [...level(training.alarm.below, "alarm"), ...level(training.alarm.above, "alarm")] : []),
  ...lines.map((values) => svg("path", { d: path(values), class: "single" })),
  svg("path", { d: path(means), class: "mean" }),
  ...means.flatMap((value, i) => (value === null ? [] : [svg("circle", { cx: across(times[i]), cy: down(value), r: 2.5, class: "mean-dot" })])),
  cursor,
  ...[0, times.length - 1].filter((i, k) => !k || times.length > 1).map((i, k) => svg("text", { x: across(times[i]), y: height - 10, "text-anchor": k ? "end" : "start" },
    k ? `${training.unit} ${number(times[i])}` : number(times[i]))));
}

function coursesCard() {
  const names = Object.keys(COURSES).filter((name) => training.curves[name]);
  const legend = [`Thick: the mean of ${counted(films.length, "picture")}; thin: each.`];
  if (training.region && training.region.even !== null) legend.push("Dotted: what an even map has in the region.");
  if (training.alarm.below !== null || training.alarm.above !== null) legend.push("Dashed: the alarm.");
  return card("How it went", "went", el("div", { class: "courses" }, names.map(course)), note(legend.join(" ")),
    twin("as a table", table("Means over the pictures", [training.unit, ...names.map((name) => [courseName(name)])],
      looks.map((look, i) => [whenOf(i, true), ...names.map((name) => courseText(name, look[name]))]))));
}
