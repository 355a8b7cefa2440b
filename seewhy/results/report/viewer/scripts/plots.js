// The plots of a finding's tests. They are SVG with classes; `exporting` gives them colours of their own.
const PANEL = { width: 290, height: 250, left: 38, right: 58, top: 34, bottom: 34 };

// Each picture a line from before to after, the mean drawn thick.
function slopes(trials, title, kind, label) {
  const { width, height, left, right, top, bottom } = PANEL;
  const [from, to] = [left + 14, width - right - 14];
  const down = (share) => top + (1 - share) * (height - top - bottom);
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length);
  const [before, after] = [mean(trials.before), mean(trials.after)];
  const grid = [0, 0.5, 1].flatMap((tick) => [
    svg("line", { x1: left, x2: width - right, y1: down(tick), y2: down(tick), class: "rule" }),
    svg("text", { x: left - 6, y: down(tick) + 4, "text-anchor": "end" }, `${100 * tick}`)]);
  const lines = trials.before.map((value, i) => svg("line", {
    x1: from, y1: down(value), x2: to, y2: down(trials.after[i]), class: `slope ${kind}`,
  }));
  const ends = [[from, before, "end", -8], [to, after, "start", 8]].map(([x, value]) =>
    svg("circle", { cx: x, cy: down(value), r: 5, class: `end ${kind}` }));
  return svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img",
    "aria-label": `${title}: mean ${percent(before, 0)} before, ${percent(after, 0)} after. The table below has the numbers.`,
  }, svg("text", { x: left, y: 16, class: "heading" }, title), ...grid, ...lines,
  svg("line", { x1: from, y1: down(before), x2: to, y2: down(after), class: `mean ${kind}` }), ...ends,
  svg("text", { x: to + 12, y: down(after) + 4, class: "value-text" }, percent(after, 0)),
  svg("text", { x: from, y: height - 14, "text-anchor": "middle" }, `as it is: ${percent(before, 0)}`),
  svg("text", { x: to, y: height - 14, "text-anchor": "middle" }, label));
}

// Shares that turned, with 95 % intervals.
function turnBars(each, names) {
  const [width, left, right, step, top] = [460, 132, 96, 46, 20];
  const across = (share) => left + share * (width - left - right);
  const both = [[names[0], each.effect, each.share_interval, each.pictures, "own"],
    [names[1], each.control_effect, each.control_share_interval, each.control_pictures, "control"]];
  const bars = both.flatMap(([name, share, interval, of, kind], i) => {
    const y = top + i * step;
    const [low, high] = interval || [share, share];
    return [
      svg("text", { x: left - 8, y: y + 18, "text-anchor": "end" }, name),
      svg("rect", { x: left, y, width: across(1) - left, height: 26, class: "empty" }),
      svg("rect", { x: left, y, width: Math.max(0, across(share) - left), height: 26, class: `full ${kind}` }),
      svg("line", { x1: across(low), x2: across(high), y1: y + 13, y2: y + 13, class: "reach" }),
      ...[low, high].map((end) => svg("line", { x1: across(end), x2: across(end), y1: y + 7, y2: y + 19, class: "reach" })),
      svg("text", { x: across(1) + 8, y: y + 18, class: "value-text" }, `${Math.round(share * of)} of ${of}`),
    ];
  });
  const ticks = [0, 0.5, 1].map((tick) =>
    svg("text", { x: across(tick), y: top + 2 * step + 8, "text-anchor": "middle" }, `${100 * tick} %`));
  return svg("svg", {
    viewBox: `0 0 ${width} ${top + 2 * step + 16}`, class: "plot bars-plot", role: "img",
    "aria-label": both.map(([name, share, , of]) => `${name}: ${Math.round(share * of)} of ${of} turned`).join("; "),
  }, ...bars, ...ticks);
}
