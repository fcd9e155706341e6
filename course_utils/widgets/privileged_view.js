// A layer of neurons in plain SVG: a bar of weights for each, stacked by feature, and the share of
// polysemantic neurons in each of several starts. The shapes are made once; a new state only moves
// them. Python says every number, name and colour.
const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [820, 400];
const BARS = { left: 62, right: 560, top: 74, bottom: 356 };
const DOTS = { left: 664, right: 800, top: 74, bottom: 356 };
const TICKS = 4;

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
const inBars = (share) => BARS.bottom - share * (BARS.bottom - BARS.top);
const inDots = (share) => DOTS.bottom - share * (DOTS.bottom - DOTS.top);

function frame(svg) {
  const write = (text, x, y, kind) => node(svg, "text", { x, y, class: kind }, text);
  const turned = (text, x, y) =>
    node(svg, "text", { transform: `translate(${x} ${y}) rotate(-90)`, class: "label" }, text);
  const middle = (BARS.top + BARS.bottom) / 2;
  write("the best start, neuron by neuron", (BARS.left + BARS.right) / 2, 22, "title");
  write("neuron", (BARS.left + BARS.right) / 2, HEIGHT - 6, "label");
  turned("|weight|, by feature", 16, middle);
  write("share, all starts", (DOTS.left + DOTS.right) / 2, 22, "title");
  write("ring: the best start", (DOTS.left + DOTS.right) / 2, HEIGHT - 6, "label");
  turned("polysemantic", DOTS.left - 52, middle);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const y = inDots(share);
    node(svg, "path", { d: `M${DOTS.left} ${y}H${DOTS.right}`, class: share ? "grid" : "axis" });
    node(svg, "text", { x: DOTS.left - 8, y: y + 5, class: "tick end" }, `${100 * share} %`);
  }
}

function shapes(svg, { neurons, shares, colors }) {
  const parts = {
    ticks: some(TICKS + 1, () => ({
      line: node(svg, "path", { class: "grid" }),
      text: node(svg, "text", { class: "tick end" }),
    })),
  };
  const step = (BARS.right - BARS.left) / neurons.length;
  const width = Math.min(64, 0.7 * step);
  parts.neurons = neurons.map((_, j) => {
    const x = BARS.left + (j + 0.5) * step;
    node(svg, "text", { x, y: BARS.bottom + 18, class: "tick" }, j);
    return {
      pieces: colors.map((fill) => node(svg, "rect", { x: x - width / 2, width, fill, class: "piece" })),
      names: colors.map(() => node(svg, "text", { x, class: "name" })),
      verdict: node(svg, "text", { x, class: "verdict" }),
    };
  });
  parts.mean = node(svg, "path", { class: "mean" });
  parts.meanText = node(svg, "text", { x: DOTS.right, class: "strong end" });
  const apart = (DOTS.right - DOTS.left - 60) / Math.max(1, shares.length - 1);
  parts.dots = shares.map((_, k) => node(svg, "circle", { cx: DOTS.left + 14 + k * apart, r: 5, class: "dot" }));
  return parts;
}

function draw(parts, { neurons, top, shares, mean }) {
  parts.ticks.forEach(({ line, text }, k) => {
    const share = k / TICKS;
    put(line, { d: `M${BARS.left} ${inBars(share)}H${BARS.right}`, class: k ? "grid" : "axis" });
    put(text, { x: BARS.left - 8, y: inBars(share) + 5 });
    text.textContent = Number((share * top).toFixed(2));
  });
  neurons.forEach(({ parts: pieces, verdict, polysemantic }, j) => {
    const shape = parts.neurons[j];
    let sum = 0;
    pieces.forEach(({ size, text, opacity }, i) => {
      const height = (size / top) * (BARS.bottom - BARS.top);
      const y = inBars((sum += size) / top);
      put(shape.pieces[i], { y, height, opacity });
      const shown = text && height > 13;
      show(shape.names[i], shown);
      shape.names[i].textContent = shown ? text : "";
      put(shape.names[i], { y: y + height / 2 + 4.5 });
    });
    shape.verdict.textContent = verdict;
    put(shape.verdict, { y: inBars(sum / top) - 8 });
    shape.verdict.classList.toggle("strong", polysemantic);
  });
  shares.forEach(({ value, best }, k) => {
    put(parts.dots[k], { cy: inDots(value) });
    parts.dots[k].classList.toggle("best", best);
  });
  const y = inDots(mean.value);
  put(parts.mean, { d: `M${DOTS.left} ${y}H${DOTS.right}` });
  put(parts.meanText, { y: y < DOTS.top + 30 ? y + 24 : y - 12 });
  parts.meanText.textContent = `mean ${mean.text}`;
}

function render({ model, el }) {
  el.classList.add("course-privileged");
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.append(words);
  let built = "";
  let svg, parts;

  function update() {
    const state = model.get("state");
    if (!state.names) return; // nothing has been trained yet
    const sizes = [state.neurons.length, state.names.length, state.shares.length].join();
    if (sizes !== built) {
      svg?.remove();
      svg = document.createElementNS(SVG, "svg");
      put(svg, { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
      words.before(svg);
      frame(svg);
      parts = shapes(svg, state);
      built = sizes;
    }
    svg.setAttribute("aria-label", state.words);
    draw(parts, state);
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
