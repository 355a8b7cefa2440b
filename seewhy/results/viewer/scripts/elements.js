// Making elements. Text goes in as text only, so that no name of a file or class is ever read as HTML.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) node.style.setProperty(name, value); // a style attribute is forbidden by the CSP
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

// Long names may break behind an underscore.
function soft(text) {
  return text.split(/(?<=_)/).flatMap((part, i) => (i ? [el("wbr"), part] : [part]));
}

// Heads are strings or [string, "number"]; cells are strings or nodes; the first cell of a row heads it.
function table(caption, heads, body, attributes = {}) {
  const isNumber = heads.map((head) => Array.isArray(head));
  const titles = heads.map((head, i) => el("th", { scope: "col", class: isNumber[i] && "number" }, [].concat(head)[0]));
  const lines = body.map((cells) =>
    el("tr", {}, cells.map((cell, i) =>
      i ? el("td", { class: isNumber[i] && "number" }, cell) : el("th", { scope: "row" }, cell))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", attributes, el("caption", {}, caption), el("thead", {}, el("tr", {}, titles)), el("tbody", {}, lines)));
}

function twin(summary, content) {
  return el("details", { class: "twin" }, el("summary", {}, summary), content);
}

function card(title, attributes, ...children) {
  return el("section", { ...attributes, class: `card ${attributes.class || ""}` }, el("h2", {}, title), ...children);
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
