// A network as a graph in SVG: units and connections are switches, beside it bars of accuracy. All
// shapes are made once; a new state changes classes and bars, a new width moves things. Python says
// every number, name and colour.
const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, WIDEST] = [580, 1120]; // pixels; text keeps its size
const [TOP, LEFT, BOTTOM] = [56, 52, 12];
const ROW = 30; // from unit to unit where they are most
const CLASS_ROW = 46;
const RADIUS = 11;

function node(parent, tag, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, tag);
  put(made, attributes);
  made.textContent = text;
  parent.append(made);
  return made;
}

function put(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
}

function paragraph(parent, name, attributes = {}) {
  const made = document.createElement("p");
  made.className = name;
  put(made, attributes);
  parent.append(made);
  return made;
}

const number = ([a, b, c = 0]) => (a * 1e4 + b) * 1e4 + c; // sorts keys

// A switch: a group that can have the focus. Its name is said and shown.
function item(parent, key, name, kind, role = "switch") {
  const g = node(parent, "g", { class: kind, role, tabindex: -1, "aria-label": name });
  g.dataset.key = key;
  // On the very element, else JupyterLab takes the arrow keys for going from cell to cell.
  g.dataset.lmSuppressShortcuts = "true";
  return g;
}

function makeUnits(parent, { layers, filters, circuit }) {
  return layers.flatMap(({ name, count }, k) =>
    Array.from({ length: count }, (_, i) => {
      const key = `${k}.${i}`;
      const member = circuit.includes(key);
      const said = `${name} unit ${i}${member ? ", in the circuit" : ""}`;
      const g = item(parent, key, said, member ? "unit member" : "unit");
      const picture = k === 0 && filters[i];
      const half = picture ? 0.5 * Math.min(40, rowHeight(layers) * (maxCount(layers) / count) - 6) : RADIUS;
      const shape = (kind, size) =>
        picture
          ? node(g, "rect", { x: -size, y: -size, width: 2 * size, height: 2 * size, class: kind })
          : node(g, "circle", { r: size, class: kind });
      shape("focus", half + 7);
      shape("ring", half + 3.5);
      shape("body", half);
      if (picture) {
        node(g, "image", { href: picture, x: -half, y: -half, width: 2 * half, height: 2 * half });
        shape("rim", half);
        node(g, "path", { d: `M${-half} ${half}L${half} ${-half}`, class: "strike" });
      }
      node(g, "text", picture ? { x: -half - 8, y: 4.5, class: "end" } : { y: 4.5 }, i);
      return { g, key, layer: k, index: i, count, half };
    }),
  );
}

function makeEdges(parent, { edges, circuit }) {
  // Thick ones below thin ones, which would be hidden; the circuit on top.
  const rank = ({ key, width }) => (circuit.includes(key) ? 0 : 100) + width;
  const ordered = [...edges].sort((a, b) => rank(b) - rank(a));
  return ordered.map(({ key, name, color, width }) => {
    const [layer, from, to] = key.split(".").map(Number);
    const member = circuit.includes(key);
    const g = item(parent, key, member ? `${name}, in the circuit` : name, member ? "edge member" : "edge");
    const line = (kind, thick) => node(g, "path", { class: kind, "stroke-width": thick });
    const paths = [line("focus", width + 9), line("gap", width + 5), line("hit", Math.max(width, 11)), line("line", width)];
    put(paths[3], { stroke: color });
    const ring = member && node(g, "circle", { r: 5, class: "ring" });
    return { g, key, layer, from: `${layer}.${from}`, to: `${layer + 1}.${to}`, paths, ring };
  });
}

function makeClasses(parent, { layers, classes }) {
  const k = layers.length;
  return classes.map((name, i) => {
    const g = item(parent, `${k}.${i}`, name, "class", "img");
    node(g, "circle", { r: 13, class: "focus" });
    node(g, "circle", { r: 6, class: "dot" });
    node(g, "text", { x: 16, y: -7, class: "start name" }, name);
    const text = node(g, "text", { y: -7, class: "end number" });
    const now = node(text, "tspan", { class: "now" });
    const whole = node(text, "tspan", { class: "whole" });
    const track = node(g, "rect", { x: 16, y: 0, height: 13, class: "track" });
    const bar = node(g, "rect", { x: 16, y: 0, height: 13, class: "bar" });
    const mark = node(g, "path", { class: "mark-line" });
    return { g, key: `${k}.${i}`, name, layer: k, index: i, count: classes.length, half: 6, text, now, whole, track, bar, mark };
  });
}

const maxCount = (layers) => Math.max(...layers.map(({ count }) => count));
const rowHeight = (layers) => Math.max(20, Math.min(ROW, 960 / maxCount(layers)));

function render({ model, el }) {
  el.classList.add("course-circuit");
  const svg = node(el, "svg", { role: "application", "aria-roledescription": "network" });
  const reading = paragraph(el, "reading", { "aria-hidden": "true" }); // the switch itself has a name
  const words = paragraph(el, "words", { role: "status" }); // read out when it changes
  const legend = paragraph(el, "legend");
  const note = paragraph(el, "help");
  const help = paragraph(el, "help");
  help.textContent =
    "Click a unit or a connection to switch it off or on. Or press Tab to reach the network: ↑ and ↓ go to the " +
    "next unit, → and ← follow its connections, Space switches.";

  let drawing, titles, units, edges, classes, ends, byKey;
  let bars = [];
  let current; // the one stop of the Tab key
  let anchor; // the unit whose connections ↑ and ↓ go through

  // What never changes

  function build() {
    drawing = model.get("drawing");
    if (!drawing.layers) return;
    const had = svg.contains(document.activeElement);
    svg.replaceChildren();
    const back = node(svg, "g");
    titles = [...drawing.layers.map(({ name }) => name), "classes"].map((name) => node(svg, "text", { y: 20, class: "title" }, name));
    titles.at(-1).classList.add("start");
    titles.push(node(svg, "text", { y: 20, class: "title end" }, "accuracy"));
    titles.push(node(svg, "text", { y: 37, class: "end" }, "now (whole network)"));
    edges = makeEdges(back, drawing);
    units = makeUnits(svg, drawing);
    classes = makeClasses(svg, drawing);
    ends = [...units, ...classes];
    byKey = Object.fromEntries([...ends, ...edges].map((part) => [part.key, part]));
    [...units, ...edges].forEach(listen);
    ends.forEach(({ g, key }) => {
      const near = (on) => () => {
        svg.classList.toggle("some", on);
        for (const { g: line, from, to } of edges) line.classList.toggle("near", on && (from === key || to === key));
      };
      g.addEventListener("pointerenter", near(true));
      g.addEventListener("pointerleave", near(false));
    });
    note.textContent = drawing.note;
    const [plus, minus] = drawing.colors;
    legend.replaceChildren(
      swatch(`stroke: ${plus}; stroke-width: 4`, "raises the next unit or class"),
      swatch(`stroke: ${minus}; stroke-width: 4`, "lowers it"),
      swatch("stroke-width: 1.5; stroke-dasharray: 4 3", "off"),
      swatch("stroke-width: 4; stroke-opacity: 0.25", "one end is off"),
      swatch("stroke-width: 3", "accuracy of the whole network", "M10 1v10"),
      ...(drawing.circuit.length ? [swatch("stroke-width: 2.5", "in the circuit", "M10 1a5 5 0 1 0 .01 0z")] : []),
    );
    go(byKey[current?.key] ?? units[0], had);
    arrange();
    update();
  }

  function swatch(style, text, d = "M0 6h20") {
    const made = document.createElement("span");
    const picture = node(made, "svg", { width: 20, height: 12, "aria-hidden": "true" });
    node(picture, "path", { d, style: `fill: none; ${style}` });
    made.append(text);
    return made;
  }

  // Where things are

  function arrange() {
    if (!units) return;
    const width = Math.max(NARROWEST, Math.min(WIDEST, el.clientWidth - 10 || WIDEST));
    const { layers } = drawing;
    const height = Math.max(maxCount(layers) * rowHeight(layers), classes.length * CLASS_ROW, 4 * CLASS_ROW);
    const beside = Math.max(222, Math.min(330, 0.3 * width)); // classes and their bars
    const x = (k) => LEFT + (k * (width - beside - LEFT)) / layers.length;
    put(svg, { viewBox: `0 0 ${width} ${TOP + height + BOTTOM}`, width, height: TOP + height + BOTTOM });
    for (const part of ends) {
      part.x = x(part.layer);
      part.y = TOP + ((part.index + 0.5) * height) / part.count;
      put(part.g, { transform: `translate(${part.x.toFixed(1)} ${part.y.toFixed(1)})` });
    }
    for (const { from, to, paths, ring } of edges) {
      const [a, b] = [byKey[from], byKey[to]];
      const [left, right] = [a.x + a.half, b.x - b.half];
      const d = `M${left.toFixed(1)} ${a.y.toFixed(1)}L${right.toFixed(1)} ${b.y.toFixed(1)}`;
      for (const path of paths) put(path, { d });
      if (ring) put(ring, { cx: (left + right) / 2, cy: (a.y + b.y) / 2 });
    }
    layers.forEach((_, k) => put(titles[k], { x: x(k) }));
    const right = width - x(layers.length) - 6;
    put(titles[layers.length], { x: x(layers.length) + 16 });
    for (const title of titles.slice(-2)) put(title, { x: width - 6 });
    for (const { text, track } of classes) {
      put(text, { x: right });
      put(track, { width: right - 16 });
    }
    grow(right - 16);
  }

  // One moment

  function grow(full) {
    classes.forEach(({ bar, mark }, i) => {
      const { value, whole } = bars[i] ?? {};
      put(bar, { width: (full * (value ?? 0)).toFixed(1) });
      put(mark, { d: whole == null ? "" : `M${(16 + full * whole).toFixed(1)} -3v19` });
    });
  }

  function update() {
    const state = model.get("state");
    if (!units || !state.bars) return;
    bars = state.bars;
    const off = new Set(state.off);
    for (const { g, key, from, to } of [...units, ...edges]) {
      put(g, { "aria-checked": String(!off.has(key)) });
      g.classList.toggle("off", off.has(key));
      g.classList.toggle("idle", off.has(from) || off.has(to)); // one of its ends is off
    }
    classes.forEach(({ g, now, whole, name }, i) => {
      now.textContent = bars[i].text;
      whole.textContent = ` (${bars[i].whole_text})`;
      put(g, { "aria-label": `${name}, accuracy ${bars[i].text}, of the whole network ${bars[i].whole_text}` });
    });
    grow(Number(classes[0].track.getAttribute("width")));
    put(svg, { "aria-label": `Network: arrow keys go through it, Space switches. ${state.words}` });
    read();
  }

  // Switching, with the pointer and with keys

  function ask(part) {
    if (part.layer < drawing.layers.length) model.send({ switch: part.key });
  }

  function listen(part) {
    part.g.addEventListener("click", () => {
      anchor = null;
      go(part, true);
      ask(part);
    });
    part.g.addEventListener("pointerenter", () => read(part));
    part.g.addEventListener("pointerleave", () => read());
  }

  // The name of what the pointer is on, or else the focus.
  function read(part = svg.contains(document.activeElement) ? current : null) {
    const off = part?.g.classList.contains("off") ? ", off" : "";
    const text = part ? part.g.getAttribute("aria-label") + off : "\u00a0";
    if (reading.textContent !== text) reading.textContent = text;
  }

  function go(part, focus = true) {
    if (!part) return;
    current?.g.setAttribute("tabindex", -1);
    current = part;
    put(part.g, { tabindex: 0 });
    if (focus) part.g.focus({ preventScroll: Boolean(part.from) });
  }

  const numbers = ({ key }) => key.split(".").map(Number);
  const inOrder = (parts) => [...parts].sort((a, b) => number(numbers(a)) - number(numbers(b)));

  // From a unit its connections, from a connection the unit at its other end; without a
  // connection that is drawn, the unit beside.
  function across(step) {
    if (current.from) return go(byKey[step > 0 ? current.to : current.from]);
    const side = step > 0 ? "from" : "to";
    const fan = inOrder(edges.filter((edge) => edge[side] === current.key));
    if (fan.length) {
      anchor = side;
      return go(fan[0]);
    }
    const next = ends.filter(({ layer }) => layer === current.layer + step);
    const share = (current.index + 0.5) / current.count;
    go(next[Math.floor(share * next.length)]);
  }

  function along(step) {
    const side = anchor ?? "from";
    const column = current.from
      ? inOrder(edges.filter((edge) => edge.layer === current.layer && edge[side] === current[side]))
      : ends.filter(({ layer }) => layer === current.layer);
    const at = column.indexOf(current) + step;
    go(column[Math.max(0, Math.min(column.length - 1, at))]);
  }

  const KEYS = {
    ArrowUp: () => along(-1),
    ArrowDown: () => along(1),
    ArrowLeft: () => across(-1),
    ArrowRight: () => across(1),
    Home: () => along(-Infinity),
    End: () => along(Infinity),
    " ": ({ repeat }) => repeat || ask(current),
    Enter: ({ repeat }) => repeat || ask(current),
  };
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !KEYS[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key](event);
  });
  // The focus, also when a screen reader moves it. Not heard by the SVG itself, which that would make
  // another stop of the Tab key in Chromium.
  el.addEventListener("focusin", ({ target }) => {
    if (target !== current?.g) go(byKey?.[target.dataset.key], false);
    read();
  });
  el.addEventListener("focusout", () => requestAnimationFrame(() => read()));

  const say = () => {
    words.textContent = model.get("words");
  };
  const watcher = new ResizeObserver(arrange);
  watcher.observe(el);
  model.on("change:drawing", build);
  model.on("change:state", update);
  model.on("change:words", say);
  build();
  say();
  return () => watcher.disconnect();
}

export default { render };
