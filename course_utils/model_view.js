// A toy model drawn in plain SVG: arrows, WᵀW with b, and lengths. The shapes are made once; a new
// state only moves them, which takes a few milliseconds. Python says every number and colour.
const SVG = "http://www.w3.org/2000/svg";
const UNIT = 100; // pixels for a length of 1 among the arrows, and of the bars
const CELL = 46;
const CENTRE = { x: 175, y: 178 };
const GRID = { x: 425, y: 48 };
const BARS = { x: 800, y: 278, step: 42, width: 30 };

function node(parent, tag, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

function frame(svg, names) {
  const { x, y } = CENTRE;
  const reach = 1.45 * UNIT;
  node(svg, "text", { x, y: 18, class: "title" }, "columns of W");
  node(svg, "circle", { cx: x, cy: y, r: UNIT, class: "guide" });
  node(svg, "path", { d: `M${x - reach} ${y}h${2 * reach}M${x} ${y - reach}v${2 * reach}`, class: "axis" });
  for (const at of [-1, 1]) {
    node(svg, "text", { x: x + at * UNIT, y: y + 15, class: "tick" }, at);
    node(svg, "text", { x: x - 12, y: y - at * UNIT + 4, class: "tick" }, at);
  }
  node(svg, "text", { x, y: 342, class: "label" }, "hidden number 0");
  node(svg, "text", { transform: `translate(20 ${y}) rotate(-90)`, class: "label" }, "hidden number 1");

  const n = names.length;
  const middle = GRID.x + (n * CELL) / 2;
  node(svg, "text", { x: middle + 30, y: 18, class: "title" }, "WᵀW and bias b");
  names.forEach((name, i) => {
    const offset = (i + 0.5) * CELL;
    node(svg, "text", { x: GRID.x + offset, y: GRID.y + n * CELL + 18, class: "tick" }, name);
    node(svg, "text", { x: GRID.x - 14, y: GRID.y + offset + 4, class: "tick" }, name);
    node(svg, "text", { x: BARS.x + (i + 0.5) * BARS.step, y: BARS.y + 18, class: "tick" }, name);
  });
  node(svg, "text", { x: GRID.x + n * CELL + 20 + CELL / 2, y: GRID.y + n * CELL + 18, class: "tick" }, "b");
  node(svg, "text", { x: middle, y: 342, class: "label" }, "feature going in");
  node(svg, "text", { transform: `translate(${GRID.x - 38} ${GRID.y + (n * CELL) / 2}) rotate(-90)`, class: "label" }, "feature coming out");

  const width = n * BARS.step;
  node(svg, "text", { x: BARS.x + width / 2, y: 18, class: "title" }, "lengths ‖W_i‖");
  for (const at of [0, 0.5, 1, 1.5]) {
    const height = BARS.y - at * 1.5 * UNIT;
    node(svg, "path", { d: `M${BARS.x} ${height}h${width}`, class: at ? "grid" : "axis" });
    node(svg, "text", { x: BARS.x - 16, y: height + 4, class: "tick" }, at);
  }
  node(svg, "text", { x: BARS.x + width / 2, y: 342, class: "label" }, "feature");
}

function shapes(svg, names, colors) {
  const columns = [...names.keys()].map((j) => j * CELL).concat(names.length * CELL + 20);
  return {
    shafts: names.map(() => node(svg, "line", { x1: CENTRE.x, y1: CENTRE.y, class: "shaft" })),
    heads: names.map((_, i) => node(svg, "circle", { r: 6, fill: colors[i], class: "head" })),
    marks: names.map((name) => node(svg, "text", { class: "mark" }, name)),
    cells: names.flatMap((_, i) =>
      columns.map((left) => ({
        square: node(svg, "rect", { x: GRID.x + left, y: GRID.y + i * CELL, width: CELL - 1, height: CELL - 1, class: "cell" }),
        text: node(svg, "text", { x: GRID.x + left + CELL / 2, y: GRID.y + (i + 0.5) * CELL + 4, class: "number" }),
      })),
    ),
    bars: names.map((_, i) => node(svg, "rect", { x: BARS.x + i * BARS.step + 6, width: BARS.width, fill: colors[i] })),
    tops: names.map((_, i) => node(svg, "text", { x: BARS.x + (i + 0.5) * BARS.step, class: "number" })),
  };
}

function put(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
}

function draw(svg, parts, { arrows, cells, lengths, words }) {
  svg.setAttribute("aria-label", words);
  arrows.forEach(([u, v], i) => {
    const x = CENTRE.x + u * UNIT;
    const y = CENTRE.y - v * UNIT;
    const length = Math.hypot(u, v);
    put(parts.shafts[i], { x2: x, y2: y });
    put(parts.heads[i], { cx: x, cy: y });
    // The name stands beyond the end; a stub of an arrow has none, for they would cover each other.
    put(parts.marks[i], { x: x + (u / length || 0) * 18, y: y - (v / length || 0) * 18 + 4, opacity: length > 0.15 ? 1 : 0 });
  });
  cells.forEach(({ fill, text }, k) => {
    parts.cells[k].square.setAttribute("fill", fill);
    parts.cells[k].text.textContent = text;
  });
  lengths.forEach(({ value, text }, i) => {
    const height = Math.min(value, 1.6) * 1.5 * UNIT;
    put(parts.bars[i], { y: BARS.y - height, height });
    parts.tops[i].setAttribute("y", BARS.y - height - 6);
    parts.tops[i].textContent = text;
  });
}

function render({ model, el }) {
  const { names, colors } = model.get("state");
  const svg = node(el, "svg", { viewBox: "0 0 1030 350", role: "img" });
  el.classList.add("course-model");
  frame(svg, names);
  const parts = shapes(svg, names, colors);
  const redraw = () => draw(svg, parts, model.get("state"));
  model.on("change:state", redraw);
  redraw();
}

export default { render };
