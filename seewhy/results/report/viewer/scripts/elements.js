// Making elements. Text goes in as text only, so that no name of a file or class is ever read as HTML.
function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) node.style.setProperty(name, value); // a style attribute is forbidden by the CSP
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...present(children));
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function fill(node, ...children) {
  node.replaceChildren(...present(children));
}

function note(...words) {
  return el("p", { class: "small" }, words);
}

function button(words, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, words);
}

function link(words, onclick) { // looks like a link, and does something here
  return button(words, onclick, { class: "link" });
}

function checkbox(name, words, checked, onchange) {
  const input = el("input", { type: "checkbox", name, onchange: () => onchange(input.checked) });
  input.checked = checked;
  return el("label", { class: "inline" }, input, " ", words);
}

// Long names may break behind an underscore.
function soft(text) {
  return text.split("_").flatMap((part, i) => (i ? ["_", el("wbr"), part] : [part]));
}

// Pairs of a name and what it is; those without a value are left out.
function defined(kind, facts) {
  const known = facts.filter(([, value]) => value && value !== "–");
  return el("dl", { class: kind }, known.map(([name, value, hint]) =>
    el("div", { title: hint }, el("dt", {}, name), el("dd", {}, value))));
}

// Heads are strings or [string] for numbers; cells are strings or nodes; the first cell of a row heads it.
function table(caption, heads, body, attributes = {}) {
  const numbers = heads.map((head) => Array.isArray(head) && "number");
  const titles = heads.map((head, i) => el("th", { scope: "col", class: numbers[i] }, [].concat(head)[0]));
  const lines = body.map(([first, ...cells]) => el("tr", {}, el("th", { scope: "row" }, first),
    cells.map((cell, i) => el("td", { class: numbers[i + 1] }, cell))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", attributes, el("caption", {}, caption), el("thead", {}, el("tr", {}, titles)), el("tbody", {}, lines)));
}

function twin(summary, content) { // of a chart
  return el("details", { class: "twin" }, el("summary", {}, summary), content);
}

function card(title, kind, ...children) {
  return el("section", { class: `card ${kind}` }, el("h2", {}, title), children);
}

function select(name, options, value, onchange) {
  const made = options.map(([key, words]) => el("option", { value: key }, words));
  const node = el("select", { name, onchange: (event) => onchange(event.target.value) }, made);
  node.value = value;
  return node;
}

function field(words, control) {
  return el("label", { class: "field" }, el("span", {}, words), control);
}
