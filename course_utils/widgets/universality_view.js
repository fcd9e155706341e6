// A matrix of networks as a heat map with numbers, and one pair beside its null in every layer, in
// plain SVG. The shapes are made once. Python says every number, name and colour.
const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, WIDEST] = [340, 520]; // of the picture of the pair; text keeps its size
const CELL = { least: 46, height: 38, letter: 7.2 }; // a letter's width
const ROW = 66; // from layer to layer
const [LEFT, RIGHT, TOP, BOTTOM] = [14, 22, 50, 52];

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

const longest = (words) => Math.max(...words.map((word) => word.length));

// The heat map. Names of columns are broken at spaces.
function makeMatrix(svg, { names, titles }) {
  const heads = names.map((name) => name.split(" "));
  const rows = Math.max(...heads.map((words) => words.length));
  const width = Math.max(CELL.least, CELL.letter * longest(heads.flat()) + 6);
  const left = 1.06 * CELL.letter * longest(names) + 12; // they may be bold
  const top = 36 + 15 * rows;
  const size = { width: Math.max(left + width * names.length + 4, 9 * longest(titles)), height: top + CELL.height * names.length + 4 };
  put(svg, { viewBox: `0 0 ${size.width} ${size.height}`, ...size });
  const title = node(svg, "text", { x: 4, y: 18, class: "title start" });
  const columns = heads.map((words, j) => {
    const text = node(svg, "text", { class: "name" });
    const first = top - 8 - 15 * (words.length - 1);
    words.forEach((word, k) => node(text, "tspan", { x: left + (j + 0.5) * width, y: first + 15 * k }, word));
    return text;
  });
  const lines = names.map((name, i) =>
    node(svg, "text", { x: left - 8, y: top + (i + 0.5) * CELL.height + 4.5, class: "name end" }, name),
  );
  const cells = names.map((_, i) =>
    names.map((_, j) => {
      const [x, y] = [left + j * width, top + i * CELL.height];
      const g = node(svg, "g", { class: i === j ? "cell" : "cell pair" });
      const square = node(g, "rect", { x, y, width, height: CELL.height });
      const text = node(g, "text", { x: x + width / 2, y: y + CELL.height / 2 + 4.5, class: "number" });
      return { g, square, text };
    }),
  );
  const rings = [0, 1].map(() => node(svg, "rect", { width: width - 2, height: CELL.height - 2, class: "ring" }));
  const ring = (k, i, j) => put(rings[k], { x: left + j * width + 1, y: top + i * CELL.height + 1 });
  return { title, columns, lines, cells, rings, ring };
}

function drawMatrix(parts, { title, cells, pair: [i, j] }, symmetric) {
  parts.title.textContent = title;
  cells.forEach((line, a) =>
    line.forEach(({ text, fill }, b) => {
      parts.cells[a][b].square.setAttribute("fill", fill);
      parts.cells[a][b].text.textContent = text;
    }),
  );
  parts.columns.forEach((text, b) => text.classList.toggle("strong", b === j || (symmetric && b === i)));
  parts.lines.forEach((text, a) => text.classList.toggle("strong", a === i || (symmetric && a === j)));
  parts.cells.forEach((line, a) =>
    line.forEach(({ text }, b) => text.classList.toggle("strong", (a === i && b === j) || (symmetric && a === j && b === i))),
  );
  parts.ring(0, i, j);
  parts.ring(1, j, i);
  put(parts.rings[1], { display: symmetric ? "inline" : "none" });
}

// The pair.
function makePair(svg, { layers, axis, control_name, null_name, colors }) {
  const text = (kind, words = "") => node(svg, "text", { class: kind }, words);
  const line = (kind) => node(svg, "path", { class: kind });
  const bar = () => node(svg, "path", { class: "interval", stroke: colors.value });
  const dot = () => node(svg, "circle", { r: 6, fill: colors.value, class: "mark" });
  const diamond = () => node(svg, "path", { fill: colors.control, class: "mark" });
  const title = text("title");
  const back = node(svg, "rect", { class: "current" });
  const ticks = axis.ticks.map(({ value, text: words }) => ({ value, line: line(value ? "grid" : "axis"), text: text("tick", words) }));
  const rows = layers.map((name) => ({
    name: text("start", name),
    text: text("end number"),
    verdict: text("start verdict"),
    nulls: text("end"),
    band: node(svg, "rect", { class: "null" }),
    bar: bar(),
    control: diamond(),
    dot: dot(),
  }));
  const legend = [
    { mark: bar(), dot: dot(), text: text("start", "the pair, with its interval") },
    { mark: node(svg, "rect", { class: "null" }), text: text("start", null_name) },
  ];
  if (control_name) legend.push({ mark: diamond(), text: text("start", control_name) });
  return { title, back, ticks, rows, legend, measure: text("label") };
}

const kite = (x, y) => `M${x} ${y - 6}l5 6l-5 6l-5 -6z`;
const interval = (from, to, y) => `M${from} ${y}H${to}M${from} ${y - 6}v12M${to} ${y - 6}v12`;

function drawPair(svg, parts, { pair_title, measure, rows, layer }, { axis }, width) {
  const bottom = TOP + ROW * rows.length;
  const height = bottom + BOTTOM + 22 * parts.legend.length;
  const across = (v) => LEFT + ((v - axis.from) / (axis.to - axis.from)) * (width - LEFT - RIGHT);
  put(svg, { viewBox: `0 0 ${width} ${height}`, width, height });
  parts.title.textContent = pair_title;
  put(parts.title, { x: width / 2, y: 18 });
  put(parts.back, { x: 1, y: TOP + ROW * layer - 15, width: width - 2, height: ROW - 2, rx: 4 });
  for (const { value, line, text } of parts.ticks) {
    put(line, { d: rows.map((_, k) => `M${across(value)} ${TOP + ROW * k + 4}v22`).join("") });
    put(text, { x: across(value), y: bottom + 3 });
  }
  parts.measure.textContent = measure;
  put(parts.measure, { x: (LEFT + width - RIGHT) / 2, y: bottom + 22 });
  parts.rows.forEach((shape, k) => {
    const { value, low, high, null: [from, to], control, text, null_text, verdict } = rows[k];
    const top = TOP + ROW * k;
    const y = top + 15;
    for (const name of ["name", "text", "verdict"]) shape[name].classList.toggle("strong", k === layer);
    shape.text.textContent = text;
    shape.nulls.textContent = `null ${null_text}`;
    shape.verdict.textContent = verdict;
    put(shape.name, { x: 8, y: top });
    put(shape.text, { x: width - 8, y: top });
    put(shape.verdict, { x: 8, y: top + 39 });
    put(shape.nulls, { x: width - 8, y: top + 39 });
    put(shape.band, { x: across(from), y: y - 9, width: Math.max(2, across(to) - across(from)), height: 18 });
    put(shape.bar, { d: interval(across(low), across(high), y) });
    put(shape.dot, { cx: across(value), cy: y });
    put(shape.control, { d: control == null ? "" : kite(across(control), y) });
  });
  parts.legend.forEach(({ mark, dot, text }, k) => {
    const y = bottom + BOTTOM - 4 + 22 * k;
    put(text, { x: 48, y: y + 4.5 });
    if (dot) put(dot, { cx: 24, cy: y });
    if (dot) put(mark, { d: interval(8, 40, y) });
    else if (mark.tagName === "rect") put(mark, { x: 8, y: y - 8, width: 32, height: 16 });
    else put(mark, { d: kite(24, y) });
  });
}

function render({ model, el }) {
  el.classList.add("course-universality");
  const stage = document.createElement("div");
  stage.className = "stage";
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.append(stage, words);
  const drawing = model.get("drawing");
  const matrix = node(stage, "svg", { role: "img", class: "matrix" });
  const cells = makeMatrix(matrix, drawing);
  const holder = document.createElement("div");
  holder.className = "chart";
  stage.append(holder);
  const chart = node(holder, "svg", { role: "img", class: "pairs" });
  const parts = makePair(chart, drawing);
  // For the pointer; keys have the slider.
  cells.cells.forEach((line, i) =>
    line.forEach(({ g }, j) => i !== j && g.addEventListener("click", () => model.send({ pair: [i, j] }))),
  );

  function arrange() {
    const width = Math.max(NARROWEST, Math.min(WIDEST, holder.clientWidth || WIDEST));
    drawPair(chart, parts, model.get("state"), drawing, width);
  }
  function update() {
    const state = model.get("state");
    drawMatrix(cells, state, drawing.symmetric);
    matrix.setAttribute("aria-label", state.matrix_words);
    chart.setAttribute("aria-label", state.words);
    arrange();
  }
  function say() {
    words.textContent = model.get("words");
  }
  const watcher = new ResizeObserver(arrange);
  watcher.observe(holder);
  model.on("change:state", update);
  model.on("change:words", say);
  update();
  say();
  return () => watcher.disconnect();
}

export default { render };
