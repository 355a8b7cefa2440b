// What is asked and how maps are drawn, kept in the address after '#', so that Back works and a link can be pasted.
const DEFAULTS = {
  view: bundle.pictures ? "overview" : bundle.comparison ? "compare" : "training", open: "", code: "",
  truth: "", predicted: "", answer: "", low: 0, high: 100, cluster: "", group: "", split: "", finding: "", flat: "", photo: "",
  text: "", region: "", inside: 50, sort: "worst",
  map: "predicted", opacity: Math.round(100 * bundle.drawing.opacity), threshold: 0, colors: "default",
  scale: "picture", cells: "smooth", outline: "on", keys: "on",
  look: "", film: "", pin: "",
  bucket: "", against: "B", pair: "", way: "beside", turn: "A", swipe: 50,
};
const DRAWING = ["map", "opacity", "threshold", "colors", "scale", "cells", "outline"];
const PLACES = ["view", "open", "code", "bucket", "against", "pair", "film"]; // changes of these are steps that Back undoes
const FILTERING = ["truth", "predicted", "answer", "low", "high", "cluster", "group", "split", "finding", "flat", "photo",
  "text", "region", "inside"];

const KNOWN = {
  answer: [[""], ["right"], ["wrong"]], flat: [[""], ["only"]], photo: [[""], ["only"]],
  outline: [["on"], ["off"]], keys: [["on"], ["off"]],
  way: [["beside"], ["blink"], ["swipe"], ["difference"]], turn: [["A"], ["B"]],
};

const state = { ...DEFAULTS }; // the address is read at the start
const listeners = [];

function readHash() {
  const [view, query] = location.hash.slice(1).split("?");
  const found = { ...DEFAULTS };
  if (view) found.view = view;
  for (const [name, value] of new URLSearchParams(query || "")) {
    if (!Object.keys(DEFAULTS).includes(name) || !allowed(name, value)) continue;
    found[name] = typeof DEFAULTS[name] === "number" ? Number(value) : value;
  }
  return found;
}

function allowed(name, value) { // an address may be anybody's
  if (typeof DEFAULTS[name] === "number") return value !== "" && Number(value) >= 0 && Number(value) <= 100;
  const known = { ...KNOWN, ...CHOICES, sort: Object.entries(SORTS) }[name];
  return !known || known.some(([key]) => key === value);
}

function hashOf(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (name !== "view" && value !== DEFAULTS[name]) query.set(name, value);
  }
  const text = query.toString();
  return `#${values.view}${text ? `?${text}` : ""}`;
}

function change(patch) {
  const changed = Object.keys(patch).filter((name) => state[name] !== patch[name]);
  if (!changed.length) return;
  Object.assign(state, patch);
  const step = changed.some((name) => PLACES.includes(name));
  try {
    history[step ? "pushState" : "replaceState"](null, "", hashOf(state));
  } catch { /* an iframe without an address of its own: the page works, only links do not */ }
  tell(new Set(changed));
}

function tell(changed) {
  for (const listener of listeners) {
    try {
      listener(changed);
    } catch (error) { // the others are told all the same
      trouble(error);
    }
  }
}

function onChange(names, listener) {
  listeners.push((changed) => names.some((name) => changed.has(name)) && listener(changed));
}

function followAddress() {
  const found = readHash();
  const changed = new Set(Object.keys(DEFAULTS).filter((name) => state[name] !== found[name]));
  Object.assign(state, found);
  if (changed.size) tell(changed);
}
