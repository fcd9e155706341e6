// One neuron: numbers, bars of its mean activation by class, a histogram, tokens, and texts in which
// each token is coloured by how active the neuron is. Whatever comes from a text is only ever set as
// textContent, in a box that takes its direction from the text. Python says every number.
const SVG = "http://www.w3.org/2000/svg";
const CHART = { width: 320, height: 148, left: 52, right: 8, top: 8, bottom: 40 };

function add(parent, tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  parent.append(made);
  return made;
}

function shape(parent, tag, attributes, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.append(made);
}

const share = (x) => `${(100 * x).toFixed(2)}%`;

function facts(box, { title, facts }) {
  add(box, "p", "title", title);
  const list = add(box, "ul", "facts");
  for (const { name, text } of facts) {
    const item = add(list, "li");
    add(item, "span", "", name);
    add(item, "span", "number", text);
  }
}

function bars(box, { rows, words, color, band }) {
  add(box, "p", "title", "Mean activation by class");
  const chart = add(box, "div", "bars");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", words);
  for (const row of rows) {
    add(chart, "span", "name", row.name);
    const track = add(chart, "span", "track");
    const chance = add(track, "span", "band");
    Object.assign(chance.style, { left: share(row.low), width: share(row.high - row.low), background: band });
    const bar = add(track, "span", "bar");
    Object.assign(bar.style, { width: share(row.length), background: color });
    add(chart, "span", row.outside ? "number strong" : "number", row.text);
  }
  const key = add(box, "p", "key");
  Object.assign(add(key, "span", "swatch").style, { background: band });
  key.append("95 % of what shuffled labels give; bold: above it");
}

function histogram(box, { heights, x, y, zeros, words, color }) {
  add(box, "p", "title", "How often which activation");
  const { width, height, left, right, top, bottom } = CHART;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words);
  box.append(svg);
  const [wide, high, floor] = [width - left - right, height - top - bottom, height - bottom];
  for (const { at, text } of y) {
    shape(svg, "path", { d: `M${left} ${floor - at * high}h${wide}`, class: "grid" });
    shape(svg, "text", { x: left - 6, y: floor - at * high + 4, class: "end" }, text);
  }
  heights.forEach((share, k) => {
    const step = wide / heights.length;
    shape(svg, "rect", {
      x: left + k * step + 0.5, width: step - 1, y: floor - share * high, height: share * high, fill: color,
    });
  });
  shape(svg, "path", { d: `M${left} ${floor}h${wide}`, class: "axis" });
  for (const { at, text } of x) {
    const side = at === 0 ? "start" : at === 1 ? "end" : "middle";
    shape(svg, "text", { x: left + at * wide, y: floor + 15, class: side }, text);
  }
  shape(svg, "text", { x: left + wide / 2, y: height - 4, class: "middle" }, "activation above 0 (upwards: tokens)");
  add(box, "p", "key", zeros);
}

function effects(box, lists) {
  if (!lists.some(({ rows }) => rows.length)) return;
  const two = add(box, "div", "effects");
  for (const { title, rows } of lists) {
    const column = add(two, "div");
    add(column, "p", "title", title);
    const list = add(column, "ol");
    for (const { token, text } of rows) {
      const item = add(list, "li");
      const word = add(item, "code", "", token);
      word.dir = "auto";
      add(item, "span", "number", text);
    }
  }
}

function contexts(box, groups, { token, opacity }) {
  for (const { title, rows } of groups) {
    add(box, "p", "title", title);
    if (!rows.length) add(box, "p", "key", "none");
    const list = add(box, "ol", "texts");
    for (const { name, value, pieces, at } of rows) {
      const item = add(list, "li");
      add(item, "span", "name", `${name}, ${value}`);
      const text = add(item, "span", "text");
      text.dir = "auto";
      pieces.forEach(([piece, strength], k) => {
        const span = add(text, k === at ? "mark" : "span", "", piece);
        if (strength) span.style.background = `rgba(${token},${(opacity * strength).toFixed(3)})`;
      });
    }
  }
}

function render({ model, el }) {
  el.classList.add("course-neurons");
  const go = add(el, "label", "go", `Go to ${model.get("drawing").noun} `);
  const input = add(go, "input");
  Object.assign(input, { type: "number", min: 0, step: 1, max: model.get("drawing").last });
  // JupyterLab would take the arrow keys for moving from cell to cell.
  input.dataset.lmSuppressShortcuts = "true";
  // Python makes the nearest one of what is no number of a neuron.
  const send = () => {
    const typed = Number.parseInt(input.value, 10);
    const { number } = model.get("state");
    if (Number.isNaN(typed) || typed === number) input.value = number;
    else model.send({ neuron: typed });
  };
  input.addEventListener("change", send);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.stopPropagation();
    event.preventDefault();
    send();
  });
  const stage = add(el, "div", "stage");
  const words = add(el, "p");
  words.setAttribute("role", "status"); // read out when it changes
  const side = add(stage, "div");
  const main = add(stage, "div");

  function update() {
    const state = model.get("state");
    if (!state.bars) return;
    input.value = state.number;
    side.replaceChildren();
    main.replaceChildren();
    facts(side, state);
    bars(side, state.bars);
    histogram(side, state.histogram);
    contexts(main, state.contexts, model.get("drawing"));
    effects(main, state.effects);
  }
  function say() {
    words.textContent = model.get("words");
  }
  model.on("change:state", update);
  model.on("change:words", say);
  model.on("msg:custom", ({ number }) => { input.value = number; });
  update();
  say();
}

export default { render };
