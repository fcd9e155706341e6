// A stimulus and a filter as small pictures, and a tuning curve with its control in plain SVG. The
// shapes are made once; a new state or a new width only moves them. Python says every number.
const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, WIDEST, HEIGHT] = [400, 820, 350]; // pixels; text keeps its size
const BOX = { left: 62, right: 16, top: 56, bottom: 50 };
const MOST = { ticks: 12, lines: 2 };

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

const show = (element, on) => put(element, { display: on ? "inline" : "none" });
const some = (n, make) => Array.from({ length: n }, (_, k) => make(k));

// A picture with words below it.
function frame(parent) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  canvas.setAttribute("role", "img");
  caption.setAttribute("aria-hidden", "true"); // the picture has the same name
  figure.append(canvas, caption);
  parent.append(figure);
  return { figure, canvas, caption };
}

function paint({ canvas, caption }, picture, words) {
  const { width, height, data } = picture ?? { width: 1, height: 1, data: new DataView(new ArrayBuffer(1)) };
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const step = data.byteLength / (width * height); // 1 grey, 3 in colour
  for (let k = 0; k < width * height; k++) {
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = data.getUint8(step * k + (step === 3 ? c : 0));
    image.data[4 * k + 3] = picture ? 255 : 0;
  }
  context.putImageData(image, 0, 0);
  canvas.setAttribute("aria-label", words);
  caption.textContent = words;
}

function shapes(svg) {
  const text = (kind) => node(svg, "text", { class: kind });
  const parts = { title: text("title"), band: node(svg, "path", { class: "band" }) };
  parts.xTicks = some(MOST.ticks, () => ({ line: node(svg, "path", { class: "axis" }), text: text("tick") }));
  parts.yTicks = some(MOST.ticks, () => ({ line: node(svg, "path", { class: "grid" }), text: text("tick end") }));
  parts.axis = node(svg, "path", { class: "axis" });
  parts.xTitle = text("label");
  parts.yTitle = text("label");
  parts.cursor = node(svg, "path", { class: "cursor" });
  const lines = some(MOST.lines, (k) => {
    const kind = k ? "control" : "unit";
    return {
      swatch: node(svg, "path", { class: `curve ${kind}` }),
      said: text("said"),
      curve: node(svg, "path", { class: `curve ${kind}` }),
      preferred: node(svg, "path", { class: "preferred" }),
    };
  });
  parts.bandSwatch = node(svg, "rect", { width: 24, height: 11, class: "band" });
  parts.bandName = text("said");
  // Dots and numbers on top of all curves.
  for (const line of [...lines].reverse()) line.dot = node(svg, "circle", { class: "dot" });
  for (const line of lines) line.now = text("number");
  parts.lines = lines;
  return parts;
}

function draw(svg, parts, state, width) {
  const { x, y, lines, band } = state;
  const [right, bottom] = [width - BOX.right, HEIGHT - BOX.bottom];
  const top = BOX.top + 20 * (lines.length + Boolean(band) - 1);
  const across = (a) => BOX.left + ((a - x.from) / (x.to - x.from)) * (right - BOX.left);
  const up = (v) => bottom - ((v - y.from) / (y.to - y.from)) * (bottom - top);
  const path = (points) => points.map(([a, v], k) => `${k ? "L" : "M"}${across(a).toFixed(1)} ${up(v).toFixed(1)}`).join("");
  put(svg, { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT });

  parts.title.textContent = state.title;
  put(parts.title, { x: 4, y: 17 });
  parts.xTicks.forEach(({ line, text }, k) => {
    const tick = x.ticks[k];
    show(line, tick);
    text.textContent = tick?.text ?? "";
    if (!tick) return;
    put(line, { d: `M${across(tick.value)} ${bottom}v5` });
    put(text, { x: across(tick.value), y: bottom + 23 });
  });
  parts.yTicks.forEach(({ line, text }, k) => {
    const tick = y.ticks[k];
    show(line, tick);
    text.textContent = tick?.text ?? "";
    if (!tick) return;
    put(line, { d: `M${BOX.left} ${up(tick.value)}H${right}` });
    put(text, { x: BOX.left - 7, y: up(tick.value) + 4.5 });
  });
  put(parts.axis, { d: `M${BOX.left} ${up(Math.max(0, y.from))}H${right}` });
  put(parts.xTitle, { x: (BOX.left + right) / 2, y: HEIGHT - 7 });
  parts.xTitle.textContent = "angle (▲ preferred)";
  put(parts.yTitle, { transform: `translate(14 ${(top + bottom) / 2}) rotate(-90)` });
  parts.yTitle.textContent = state.y_title;
  put(parts.cursor, { d: `M${across(state.angle)} ${top}V${bottom}` });

  parts.lines.forEach((shape, k) => {
    const line = lines[k];
    for (const element of Object.values(shape)) show(element, line);
    shape.said.textContent = line?.said ?? "";
    if (!line) return;
    for (const element of [shape.swatch, shape.curve]) put(element, { stroke: line.color });
    for (const element of [shape.dot, shape.preferred]) put(element, { fill: line.color });
    put(shape.swatch, { d: `M4 ${35 + 20 * k}h24` });
    put(shape.said, { x: 36, y: 39.5 + 20 * k });
    put(shape.curve, { d: path(line.points) });
    put(shape.dot, { cx: across(state.angle), cy: up(line.now.value), r: k ? 5 : 7 });
    show(shape.preferred, line.preferred != null);
    if (line.preferred != null) put(shape.preferred, { d: `M${across(line.preferred)} ${bottom - 1}l6 11h-12z` });
  });
  number(parts, state, across, up, right);

  show(parts.band, band);
  show(parts.bandSwatch, band);
  parts.bandName.textContent = state.band_name;
  if (!band) return;
  const back = [...band].reverse();
  put(parts.band, { d: `${path(band.map(([a, low]) => [a, low]))}${path(back.map(([a, , high]) => [a, high])).replace("M", "L")}Z` });
  put(parts.bandSwatch, { x: 4, y: 29.5 + 20 * lines.length });
  put(parts.bandName, { x: 36, y: 39.5 + 20 * lines.length });
}

// The values now stand beside their dots, and beside each other where the dots nearly meet.
function number({ lines: shapes }, { lines, angle }, across, up, right) {
  const left = across(angle) > right - 70;
  const places = lines.map(({ now }, k) => ({ k, y: up(now.value) + 5 })).sort((a, b) => a.y - b.y);
  if (places.length === 2) {
    const apart = 19 - (places[1].y - places[0].y);
    if (apart > 0) {
      places[0].y -= apart / 2;
      places[1].y += apart / 2;
    }
  }
  for (const { k, y } of places) {
    const { now } = shapes[k];
    now.textContent = lines[k].now.text;
    now.classList.toggle("end", left);
    now.classList.toggle("strong", k === 0);
    put(now, { x: across(angle) + (left ? -12 : 12), y });
  }
}

function render({ model, el }) {
  el.classList.add("course-tuning");
  const stage = document.createElement("div");
  stage.className = "stage";
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.append(stage, words);
  const side = document.createElement("div");
  side.className = "side";
  stage.append(side);
  const stimulus = frame(side);
  const filter = frame(side);
  const holder = document.createElement("div");
  holder.className = "chart";
  stage.append(holder);
  const svg = node(holder, "svg", { role: "img" });
  const parts = shapes(svg);

  function arrange() {
    const state = model.get("state");
    if (!state.lines) return;
    const width = Math.max(NARROWEST, Math.min(WIDEST, holder.clientWidth || WIDEST));
    draw(svg, parts, state, width);
  }
  function update() {
    const state = model.get("state");
    if (!state.lines) return;
    const shown = state.stimulus ? "shown now" : "no stimulus";
    paint(stimulus, state.stimulus, `${shown}: ${state.angle_text}`);
    filter.figure.style.display = state.filter ? "" : "none";
    if (state.filter) paint(filter, state.filter, `weights of ${state.title}`);
    svg.setAttribute("aria-label", state.words);
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
