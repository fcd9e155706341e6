// A choice, two text areas, a button and a report. The browser's own controls, with labels. What is
// typed stays in the page whatever happens; Python is told of it when there is a pause.
const SVG = "http://www.w3.org/2000/svg";
const PAUSE = 300; // milliseconds without a key, after which Python is told
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [440, 330, 52, 14, 34, 96];

function node(parent, tag, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

function element(parent, tag, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  parent.append(made);
  return made;
}

function draw(svg, state, { ticks, color, legend }) {
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("width", WIDTH);
  svg.setAttribute("height", HEIGHT);
  svg.setAttribute("aria-label", state.words);
  const bottom = HEIGHT - BOTTOM;
  const step = (WIDTH - LEFT - RIGHT) / state.layers.length;
  const across = (k) => LEFT + (k + 0.5) * step;
  const up = (v) => bottom - ((v + 1) / 2) * (bottom - TOP);
  node(svg, "text", { class: "title", x: WIDTH / 2, y: 18 }, state.title);
  for (const { value, text } of ticks) {
    node(svg, "path", { class: value ? "grid" : "axis", d: `M${LEFT} ${up(value)}H${WIDTH - RIGHT}` });
    node(svg, "text", { class: "end", x: LEFT - 8, y: up(value) + 4.5 }, text);
  }
  state.layers.forEach((layer, k) => {
    const x = across(k);
    const [low, high] = [up(state.null_low[k]), up(state.null_high[k])];
    node(svg, "rect", { class: "null", x: x - 0.36 * step, width: 0.72 * step, y: high, height: Math.max(2, low - high) });
    node(svg, "path", { class: "interval", stroke: color, d: `M${x} ${up(state.low[k])}V${up(state.high[k])}M${x - 6} ${up(state.low[k])}h12M${x - 6} ${up(state.high[k])}h12` });
    node(svg, "circle", { class: "mark", r: 6, cx: x, cy: up(state.cosine[k]), fill: color });
    node(svg, "text", { class: "layer", x, y: bottom + 18 }, `${layer}`);
  });
  node(svg, "text", { x: (LEFT + WIDTH - RIGHT) / 2, y: bottom + 37 }, "layer");
  [legend.value, legend.null].forEach((words, k) => {
    const y = bottom + 58 + 21 * k;
    if (k) node(svg, "rect", { class: "null", x: LEFT, y: y - 8, width: 30, height: 16 });
    else {
      node(svg, "path", { class: "interval", stroke: color, d: `M${LEFT} ${y}h30M${LEFT} ${y - 6}v12M${LEFT + 30} ${y - 6}v12` });
      node(svg, "circle", { class: "mark", r: 6, cx: LEFT + 15, cy: y, fill: color });
    }
    node(svg, "text", { class: "start", x: LEFT + 40, y: y + 4.5 }, words);
  });
}

function render({ model, el }) {
  el.classList.add("course-pair-lab");
  const id = `course-pair-lab-${Math.random().toString(36).slice(2)}`;
  const drawing = model.get("drawing");

  const row = element(el, "div", { className: "choice" });
  element(row, "label", { htmlFor: `${id}-choice`, textContent: "Pair" });
  const choice = element(row, "select", { id: `${id}-choice` });
  model.get("options").forEach((words, k) => element(choice, "option", { value: k, textContent: words }));
  const guess = element(el, "p");
  const lists = element(el, "div", { className: "lists" });
  const areas = ["first", "second"].map((which, k) => {
    const box = element(lists, "div");
    const label = element(box, "label", { htmlFor: `${id}-${which}` });
    const area = element(box, "textarea", { id: `${id}-${which}`, spellcheck: false });
    const help = element(box, "small", { id: `${id}-${which}-help`, textContent: "One snippet a line; longer ones with an empty line or a line ---- between them." });
    area.setAttribute("aria-describedby", help.id);
    return { which, k, label, area };
  });
  const action = element(el, "div", { className: "action" });
  const button = element(action, "button", { type: "button", textContent: "Measure" });
  const bar = element(action, "progress", { hidden: true });
  bar.setAttribute("aria-label", "Measuring");
  const verdict = element(el, "p", { className: "verdict" });
  const words = element(el, "p", { className: "words" });
  words.setAttribute("role", "status"); // read out when it changes
  const report = element(el, "div", { className: "report" });
  const svg = node(report, "svg", { role: "img" });
  const numbers = element(report, "dl", { className: "numbers" });
  const caveat = element(el, "p", { className: "caveat", textContent: drawing.caveat });
  // JupyterLab would take keys for its own commands.
  for (const control of [choice, button, ...areas.map(({ area }) => area)]) control.dataset.lmSuppressShortcuts = "true";

  let waiting = null;
  function tell() {
    clearTimeout(waiting);
    waiting = null;
    for (const { which, area } of areas) model.set(which, area.value);
    model.save_changes();
  }
  function old() {
    const typed = areas.some(({ which, area }) => area.value !== measured[which]);
    for (const part of [verdict, words, report]) part.classList.toggle("old", typed && !report.hidden);
  }
  let measured = {};
  for (const { area } of areas) {
    // JupyterLab 4.6 would keep line breaks out of whatever is typed in the output of a cell: it
    // listens here from each key on, and so later than this.
    area.addEventListener("beforeinput", (event) => event.stopImmediatePropagation());
    area.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(tell, PAUSE);
      old();
    });
    area.addEventListener("change", tell);
  }
  choice.addEventListener("change", () => {
    const chosen = Number(choice.value); // telling Python of the texts puts the old one back
    tell();
    model.set("choice", chosen);
    model.save_changes();
  });
  button.addEventListener("click", () => {
    tell();
    model.send({ measure: true });
  });

  function put() {
    choice.value = model.get("choice");
    el.dataset.shown = model.get("options")[model.get("shown")];
    guess.textContent = model.get("guess");
    for (const { which, k, label, area } of areas) {
      label.textContent = `${k ? "Second" : "First"} list: ${model.get("names")[k]}`;
      // What was typed since Python last heard of it is newer than what Python says.
      if (waiting === null && area.value !== model.get(which)) area.value = model.get(which);
    }
  }
  function busy() {
    bar.hidden = !model.get("busy");
    button.disabled = model.get("busy");
  }
  function show() {
    const state = model.get("state");
    const some = Boolean(state.verdict);
    report.hidden = caveat.hidden = verdict.hidden = !some;
    verdict.textContent = some ? state.verdict : "";
    words.textContent = some ? state.reason : model.get("words");
    measured = { first: areas[0].area.value, second: areas[1].area.value };
    if (some) {
      draw(svg, state, drawing);
      numbers.replaceChildren();
      for (const { what, value, null: nothing } of state.rows) {
        const line = element(numbers, "div");
        element(line, "dt", { textContent: what });
        const said = element(line, "dd");
        element(said, "b", { textContent: value });
        said.append(` (${nothing})`);
      }
    }
    old();
  }
  for (const name of ["choice", "shown", "guess", "names", "first", "second"]) model.on(`change:${name}`, put);
  model.on("change:busy", busy);
  model.on("change:state change:words", show);
  put();
  busy();
  show();
  return () => clearTimeout(waiting);
}

export default { render };
