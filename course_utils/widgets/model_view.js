// A toy model drawn in plain SVG: arrows, WᵀW with b, and lengths. The shapes are made once; a new
// state only moves them, which takes a few milliseconds. Python says every number and colour.
const SVG = "http://www.w3.org/2000/svg";
const UNIT = 100; // pixels for a length of 1 among the arrows
const REACH = 1.45 * UNIT;
const CELL = 46;
const TOP = 44;
const CENTRE = { x: 186, y: TOP + REACH };
const BOTTOM = TOP + 2 * REACH;
const STEP = 44; // from bar to bar
const HIGHEST = 1.5;

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

// Where things are, for n features.
function places(n) {
  const cell = Math.min(CELL, 230 / n);
  const grid = { x: 404, y: TOP + 4, cell, side: n * cell };
  grid.bias = grid.x + grid.side + 16;
  const bars = { x: grid.bias + cell + 62, width: n * STEP, height: 1.5 * UNIT * HIGHEST };
  bars.y = grid.y + bars.height;
  return { grid, bars, width: bars.x + bars.width + 8, height: BOTTOM + 48 };
}

function frame(svg, names, { grid, bars }) {
  const write = (text, x, y, kind) => node(svg, "text", { x, y, class: kind }, text);
  const turned = (text, x, y) =>
    node(svg, "text", { transform: `translate(${x} ${y}) rotate(-90)`, class: "label" }, text);
  const { x, y } = CENTRE;
  const last = BOTTOM + 38;

  write("columns of W", x, 20, "title");
  node(svg, "circle", { cx: x, cy: y, r: UNIT, class: "guide" });
  node(svg, "path", { d: `M${x - REACH} ${y}h${2 * REACH}M${x} ${y - REACH}v${2 * REACH}`, class: "axis" });
  for (const at of [-1, 1]) {
    const text = at < 0 ? "−1" : "1";
    node(svg, "path", { d: `M${x + at * UNIT} ${BOTTOM}v5M${x - REACH - 5} ${y - at * UNIT}h5`, class: "axis" });
    write(text, x + at * UNIT, BOTTOM + 18, "tick");
    write(text, x - REACH - 15, y - at * UNIT + 5, "tick");
  }
  write("hidden number 0", x, last, "label");
  turned("hidden number 1", 16, y);

  write("WᵀW and bias b", grid.x + grid.side / 2 + 20, 20, "title");
  names.forEach((name, i) => {
    const middle = (i + 0.5) * grid.cell;
    write(name, grid.x + middle, grid.y + grid.side + 18, "tick");
    write(name, grid.x - 14, grid.y + middle + 5, "tick");
    write(name, bars.x + (i + 0.5) * STEP, bars.y + 18, "tick");
  });
  write("b", grid.bias + grid.cell / 2, grid.y + grid.side + 18, "tick");
  write("feature going in", grid.x + grid.side / 2, grid.y + grid.side + 42, "label");
  turned("feature coming out", grid.x - 38, grid.y + grid.side / 2);

  write("lengths ‖Wᵢ‖", bars.x + bars.width / 2, 20, "title");
  for (const at of [0, 0.5, 1, 1.5]) {
    const height = bars.y - (at / HIGHEST) * bars.height;
    node(svg, "path", { d: `M${bars.x} ${height}h${bars.width}`, class: at ? "grid" : "axis" });
    write(at, bars.x - 16, height + 5, "tick");
  }
  write("feature", bars.x + bars.width / 2, bars.y + 42, "label");
}

function shapes(svg, names, colors, { grid, bars }) {
  const columns = names.map((_, j) => grid.x + j * grid.cell).concat(grid.bias);
  const size = { width: grid.cell - 1, height: grid.cell - 1 };
  return {
    shafts: names.map(() => node(svg, "line", { x1: CENTRE.x, y1: CENTRE.y, class: "shaft" })),
    heads: names.map((_, i) => node(svg, "circle", { r: 6.5, fill: colors[i], class: "head" })),
    marks: names.map((name) => node(svg, "text", { class: "mark" }, name)),
    cells: names.flatMap((_, i) =>
      columns.map((x) => {
        const y = grid.y + i * grid.cell;
        const square = node(svg, "rect", { x, y, ...size, class: "cell" });
        const middle = { x: x + grid.cell / 2, y: y + grid.cell / 2 + 5 };
        return { square, text: node(svg, "text", { ...middle, class: "number" }) };
      }),
    ),
    bars: names.map((_, i) => {
      const x = bars.x + i * STEP;
      const bar = node(svg, "rect", { x: x + 6, width: STEP - 12, fill: colors[i], class: "bar" });
      return { bar, text: node(svg, "text", { x: x + STEP / 2, class: "number" }) };
    }),
  };
}

function draw(parts, { bars }, { arrows, cells, lengths }) {
  arrows.forEach(([u, v], i) => {
    const x = CENTRE.x + u * UNIT;
    const y = CENTRE.y - v * UNIT;
    const length = Math.hypot(u, v);
    put(parts.shafts[i], { x2: x, y2: y });
    put(parts.heads[i], { cx: x, cy: y });
    // The name stands beyond the end; a stub of an arrow has none, for they would cover each other.
    const beyond = 20 / (length || 1);
    const opacity = length > 0.15 ? 1 : 0;
    put(parts.marks[i], { x: x + u * beyond, y: y - v * beyond + 5, opacity });
  });
  cells.forEach(({ fill, text }, k) => {
    parts.cells[k].square.setAttribute("fill", fill);
    parts.cells[k].text.textContent = text;
  });
  lengths.forEach(({ value, text }, i) => {
    const height = (Math.min(value, HIGHEST * 1.05) / HIGHEST) * bars.height;
    put(parts.bars[i].bar, { y: bars.y - height, height });
    parts.bars[i].text.setAttribute("y", bars.y - height - 6);
    parts.bars[i].text.textContent = text;
  });
}

function render({ model, el }) {
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.classList.add("course-model");
  el.append(words);
  let redraw = () => {};

  function build({ names, colors }) {
    const here = places(names.length);
    const svg = document.createElementNS(SVG, "svg");
    put(svg, { viewBox: `0 0 ${here.width} ${here.height}`, role: "img" });
    words.before(svg);
    frame(svg, names, here);
    const parts = shapes(svg, names, colors, here);
    redraw = (state) => {
      svg.setAttribute("aria-label", state.words);
      draw(parts, here, state);
    };
  }
  function update() {
    const state = model.get("state");
    if (!state.names) return; // nothing has been trained yet
    if (!el.querySelector("svg")) build(state);
    redraw(state);
  }
  function say() {
    words.textContent = model.get("words");
  }
  model.on("change:state", update);
  model.on("change:words", say);
  update();
  say();
}

export default { render };
