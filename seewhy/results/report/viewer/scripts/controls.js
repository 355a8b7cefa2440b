// How maps are drawn: one set of controls, in the gallery and in the dialog of a picture.
const CHOICES = {
  map: [["predicted", "of the prediction"], ["label", "of the label"], ["none", "none: bare photo"]],
  colors: [["default", "default"], ["viridis", "viridis"], ["jet", "jet"], ["gray", "grey"]],
  scale: [["picture", "this picture"], ["shown", "all shown"], ["run", "all in this file"]],
  cells: [["smooth", "smooth"], ["true", "true cells"]],
};

function slider(name, words, unit = " %") {
  const said = el("output", {});
  const input = el("input", {
    type: "range", min: 0, max: 100, step: 1, name, "aria-label": words, oninput: () => change({ [name]: Number(input.value) }),
  });
  const follow = () => { input.value = state[name]; said.textContent = `${state[name]}${unit}`; };
  follow();
  onChange([name], follow);
  return el("label", { class: "field" }, el("span", {}, words, " ", said), input);
}

function choice(name, words) {
  const node = select(name, CHOICES[name], state[name], (value) => change({ [name]: value }));
  onChange([name], () => { node.value = state[name]; });
  return field(words, node);
}

function drawingControls() {
  return el("div", { class: "controls", role: "group", "aria-label": "How maps are drawn" },
    choice("map", "map"), slider("opacity", "opacity"), slider("threshold", "threshold"), choice("colors", "colours"),
    choice("scale", "scale"), choice("cells", "cells"));
}

function nextChoice(name) {
  nextOf(name, CHOICES[name]);
}

function nextOf(name, choices) {
  const keys = choices.map(([key]) => key);
  change({ [name]: keys[(keys.indexOf(state[name]) + 1) % keys.length] });
}

function nudge(name, by) {
  change({ [name]: clamped(state[name] + by, 0, 100) });
}
