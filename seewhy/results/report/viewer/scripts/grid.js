// A grid of any number of tiles, of which only those in sight exist.
const GAP = 10;
const CAPTION = 42;
const ROOM = 120; // the bar that stays on top

function makeGrid(host) {
  const live = new Map(); // place in the list → its <li>
  let [list, columns, side, here] = [[], 1, 160, 0];

  function measure() {
    const width = host.clientWidth;
    if (!width) return;
    columns = Math.max(2, Math.floor((width + GAP) / (150 + GAP)));
    side = Math.floor((width - GAP * (columns - 1)) / columns);
    host.style.height = `${Math.ceil(list.length / columns) * (side + CAPTION + GAP)}px`;
  }

  function inSight() {
    const pitch = side + CAPTION + GAP;
    const above = -host.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(above / pitch) - 2) * columns;
    const last = Math.min(list.length, (Math.ceil((above + window.innerHeight) / pitch) + 2) * columns);
    return [first, Math.max(first, last)];
  }

  function show() {
    if (!host.clientWidth) return;
    const [first, last] = inSight();
    for (const [place, node] of live) {
      if ((place >= first && place < last) || node.contains(document.activeElement)) continue;
      takeBack(node);
      live.delete(place);
    }
    for (let place = first; place < last; place++) if (!live.has(place)) put(place);
    if (!live.has(here) && first < last) settle(firstInSight(first, last));
  }

  function firstInSight(first, last) { // whole, below the bar that stays on top
    const above = ROOM - host.getBoundingClientRect().top;
    return clamped(Math.ceil(above / (side + CAPTION + GAP)) * columns, first, last - 1);
  }

  function put(place) {
    const button = tile(list[place], side - 2, { tabindex: place === here ? "0" : "-1", onfocus: () => settle(place) });
    const node = el("li", { "aria-posinset": place + 1, "aria-setsize": list.length }, button);
    const [line, column] = [Math.floor(place / columns), place % columns];
    node.style.transform = `translate(${column * (side + GAP)}px, ${line * (side + CAPTION + GAP)}px)`;
    node.style.width = `${side}px`;
    // In the order of the list, so that Tab and screen readers follow what is seen.
    const next = [...live.keys()].filter((other) => other > place).sort((a, b) => a - b)[0];
    host.insertBefore(node, next === undefined ? null : live.get(next));
    live.set(place, node);
  }

  function settle(place) { // one tile is reached by Tab, the others by arrows
    for (const [other, node] of live) node.firstChild.tabIndex = other === place ? 0 : -1;
    here = place;
  }

  function focus(place) {
    if (!list.length) return;
    here = clamped(place, 0, list.length - 1);
    const pitch = side + CAPTION + GAP;
    const top = host.getBoundingClientRect().top + Math.floor(here / columns) * pitch;
    if (top < ROOM) window.scrollBy(0, top - ROOM);
    else if (top + pitch > window.innerHeight) window.scrollBy(0, top + pitch - window.innerHeight);
    show();
    settle(here);
    if (live.has(here)) live.get(here).firstChild.focus({ preventScroll: true });
  }

  function again() {
    const held = host.contains(document.activeElement); // the focus would be lost with its tile
    for (const node of live.values()) takeBack(node);
    live.clear();
    measure();
    show();
    if (held) focus(here);
  }

  const steps = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns, ArrowDown: () => columns };
  host.addEventListener("keydown", (event) => {
    const far = { Home: 0, End: list.length - 1 };
    if (!(event.key in steps) && !(event.key in far)) return;
    event.preventDefault();
    const to = event.key in far ? far[event.key] : here + steps[event.key]();
    if (to >= 0 && to < list.length) focus(to);
  });
  let due = false;
  const soon = () => {
    if (!due) requestAnimationFrame(() => { due = false; show(); });
    due = true;
  };
  window.addEventListener("scroll", soon, { passive: true });
  new ResizeObserver(() => {
    const old = side;
    measure();
    if (side === old) show();
    else again();
  }).observe(host);

  return {
    fill(rowsAsked) {
      const held = host.contains(document.activeElement) ? list[here] : null;
      list = rowsAsked;
      here = Math.max(0, list.indexOf(held));
      again();
    },
    move(step) { focus(here + step); },
    focusRow(row) { const place = list.indexOf(row); if (place >= 0) focus(place); },
  };
}
