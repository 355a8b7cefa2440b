// How sure the model says it is, against how often it is right.
const SIDE = 220; // of the chart, in its own units
const EDGE = 34;

function reliability() {
  const bins = bundle.measures.reliability.filter((bin) => bin.pictures);
  if (!bins.length) return null;
  const body = bins.map((bin) => [`${Math.round(100 * bin.low)} to ${Math.round(100 * bin.high)} %`,
    number(bin.pictures), percent(bin.said), percent(bin.right)]);
  return card("Can its probabilities be believed?", "", note(leaning(bins)), reliabilityChart(bins),
    twin("as a table",
      table("How sure, and how often right", ["probability", ["pictures"], ["said"], ["right"]], body)));
}

function reliabilityChart(bins) {
  const at = (share) => EDGE + share * SIDE;
  const down = (share) => 10 + (1 - share) * SIDE;
  const most = Math.max(...bins.map((bin) => bin.pictures));
  const ticks = [0, 0.5, 1].flatMap((tick) => [
    svg("text", { x: at(tick), y: SIDE + 28, "text-anchor": "middle" }, `${100 * tick} %`),
    svg("text", { x: EDGE - 6, y: down(tick) + 4, "text-anchor": "end" }, `${100 * tick}`)]);
  const points = bins.map((bin) => `${at(bin.said)},${down(bin.right)}`).join(" ");
  const dots = bins.map((bin) => svg("circle", {
    class: "dot", cx: at(bin.said), cy: down(bin.right), r: 2.5 + 5 * Math.sqrt(bin.pictures / most),
  }));
  return svg("svg", {
    viewBox: `0 0 ${SIDE + EDGE + 20} ${SIDE + 50}`, class: "chart", role: "img",
    "aria-label": "How sure the model says it is, against how often it is right; the table below has the numbers.",
  },
  svg("rect", { x: EDGE, y: 10, width: SIDE, height: SIDE, class: "frame-line" }),
  svg("line", { x1: at(0), y1: down(0), x2: at(1), y2: down(1), class: "ideal" }), ...ticks,
  svg("polyline", { class: "line", points }), ...dots,
  svg("text", { x: at(0.5), y: SIDE + 45, "text-anchor": "middle" }, "said probability"));
}

function leaning(bins) {
  const total = bins.reduce((sum, bin) => sum + bin.pictures, 0);
  const lean = bins.reduce((sum, bin) => sum + bin.pictures * (bin.said - bin.right), 0) / total;
  const ideal = "On the line it would be right as often as it says.";
  if (Math.abs(lean) < 0.01) return `On average as sure as it should be. ${ideal}`;
  const words = lean > 0 ? "too sure" : "not sure enough";
  return `On average ${(100 * Math.abs(lean)).toFixed(1)} points ${words}. ${ideal}`;
}
