// The next tokens as bars, of one change and of the control, and how much each change moves them all
// as curves, in plain SVG. The shapes are made once for a drawing. Python says every number, name and colour.
const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, WIDEST] = [420, 600]; // of a picture; text keeps its size
const BARS = { top: 56, row: 28, left: [60, 170], column: 90 };
const CURVES = { top: 34, high: 230, left: 72, right: 18 };

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

// What is longer than its room is squeezed.
function fit(text, room) {
  text.removeAttribute("textLength");
  if (text.getComputedTextLength() > room) put(text, { textLength: room, lengthAdjust: "spacingAndGlyphs" });
}

function makeBars(svg, { n_tokens, legend }) {
  const text = (kind, words = "") => node(svg, "text", { class: kind }, words);
  return {
    title: text("title start"),
    now: { mark: node(svg, "rect", { width: 12, height: 12 }), text: text("end", legend.now) },
    before: { mark: node(svg, "path", { class: "before" }), text: text("end", legend.before) },
    axis: node(svg, "path", { class: "axis" }),
    rows: Array.from({ length: n_tokens }, () => ({
      token: text("end token"),
      bar: node(svg, "rect", { class: "bar", height: 16 }),
      before: node(svg, "path", { class: "before" }),
      text: text("end number"),
      was: text("end was"),
    })),
  };
}

function drawBars(svg, parts, picture, { series }, width) {
  const { top, row, left: [least, most], column } = BARS;
  const high = top + row * parts.rows.length + 4;
  const fill = series[picture.series].color;
  put(svg, { viewBox: `0 0 ${width} ${high}`, width, height: high, "aria-label": picture.words });
  parts.title.textContent = picture.title;
  put(parts.title, { x: 4, y: 18 });
  fit(parts.title, width - 8);
  parts.rows.forEach(({ token }, k) => {
    token.textContent = picture.bars[k].token;
    token.removeAttribute("textLength");
  });
  const widest = Math.max(...parts.rows.map(({ token }) => token.getComputedTextLength()));
  const left = Math.min(most, Math.max(least, Math.ceil(widest) + 12));
  // Two columns of numbers at the right: no number stands where it could be taken for another's.
  const [now, was] = [width - column, width - 4];
  put(parts.now.mark, { x: now - 48, y: 33, fill });
  put(parts.now.text, { x: now, y: 44 });
  put(parts.before.mark, { d: `M${was - 60} 31v16` });
  put(parts.before.text, { x: was, y: 44 });
  put(parts.axis, { d: `M${left} ${top - 4}V${high - 4}` });
  const each = now - 86 - left;
  parts.rows.forEach(({ token, bar, before, text, was: past }, k) => {
    const said = picture.bars[k];
    const y = top + row * k;
    put(token, { x: left - 8, y: y + 13 });
    fit(token, left - 12);
    put(bar, { x: left, y, width: said.now * each, fill });
    put(before, { d: `M${left + said.before * each} ${y - 4}v24` });
    text.textContent = said.text;
    put(text, { x: now, y: y + 13 });
    past.textContent = said.was;
    put(past, { x: was, y: y + 13 });
  });
}

function makeCurves(svg, { values, kl_ticks, kl_title, axis, series }) {
  const text = (kind, words = "") => node(svg, "text", { class: kind }, words);
  return {
    title: text("title", kl_title),
    ticks: kl_ticks.map(({ at, text: words }) => ({ at, line: node(svg, "path", { class: at ? "grid" : "axis" }), text: text("end", words) })),
    now: node(svg, "path", { class: "now" }),
    curves: series.map(({ color, dash }) => ({
      path: node(svg, "path", { class: "curve", stroke: color, "stroke-dasharray": dash }),
      dot: node(svg, "circle", { class: "mark dot", r: 5, fill: color }),
      key: node(svg, "path", { class: "curve", stroke: color, "stroke-dasharray": dash }),
      name: text("start name"),
      number: text("end number"),
    })),
    names: values.map(({ text: words }) => text("value", words)),
    label: text("label", axis),
  };
}

function drawCurves(svg, parts, state, { values, series }, width) {
  const { top, high, left, right } = CURVES;
  const bottom = top + high;
  const across = (k) => left + 14 + values[k].at * (width - left - right - 28);
  const up = (share) => bottom - share * (high - 8);
  const below = bottom + 60;
  const tall = below + 22 * series.length;
  put(svg, { viewBox: `0 0 ${width} ${tall}`, width, height: tall });
  put(parts.title, { x: width / 2, y: 18 });
  for (const { at, line, text } of parts.ticks) {
    put(line, { d: `M${left} ${up(at)}H${width - right}` });
    put(text, { x: left - 8, y: up(at) + 4.5 });
  }
  put(parts.now, { d: `M${across(state.at)} ${top}V${bottom}` });
  parts.curves.forEach(({ path, dot, key, name, number }, k) => {
    const heights = state.curves[k];
    const mine = k === state.series;
    put(path, { d: heights.map((share, v) => `${v ? "L" : "M"}${across(v).toFixed(1)} ${up(share).toFixed(1)}`).join("") });
    path.classList.toggle("other", !mine);
    put(dot, { cx: across(state.at), cy: up(heights[state.at]), r: mine ? 6 : 4 });
    if (mine) svg.append(path, dot); // in front of the others
    const y = below + 22 * k;
    put(key, { d: `M${left} ${y}h34` });
    name.textContent = series[k].name;
    number.textContent = state.numbers[k];
    put(name, { x: left + 42, y: y + 4.5 });
    put(number, { x: width - right, y: y + 4.5 });
    for (const text of [name, number]) text.classList.toggle("strong", mine);
    fit(name, width - left - right - 130);
  });
  // Of many values not all have room for their numbers; the one chosen always has.
  const widest = Math.max(...values.map(({ text }) => text.length));
  const every = Math.ceil(((8 * widest + 8) * values.length) / (width - left - right));
  parts.names.forEach((text, k) => {
    const shown = k === state.at || (k % every === 0 && Math.abs(k - state.at) >= every);
    put(text, { x: across(k), y: bottom + 18, display: shown ? "inline" : "none" });
    text.classList.toggle("strong", k === state.at);
  });
  put(parts.label, { x: (left + width - right) / 2, y: bottom + 38 });
}

function render({ model, el }) {
  el.classList.add("course-steering");
  const stage = document.createElement("div");
  stage.className = "stage";
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.append(words, stage);
  const [left, right] = [0, 1].map(() => {
    const holder = document.createElement("div");
    holder.className = "chart";
    stage.append(holder);
    return holder;
  });
  const title = document.createElement("div");
  title.className = "heading";
  title.dir = "auto"; // of the prompt, which may be read from right to left
  left.append(title);
  const bars = ["tokens", "tokens beside"].map((kind) => node(left, "svg", { role: "img", class: kind }));
  const curves = node(right, "svg", { role: "img", class: "changes" });
  let drawing = null;
  let parts = null;

  // Another drawing comes with another prompt only.
  function make() {
    drawing = model.get("drawing");
    for (const svg of [...bars, curves]) svg.replaceChildren();
    parts = { bars: bars.map((svg) => makeBars(svg, drawing)), curves: makeCurves(curves, drawing) };
  }
  function arrange() {
    const state = model.get("state");
    const widths = [left, right].map(({ clientWidth }) => Math.max(NARROWEST, Math.min(WIDEST, clientWidth || WIDEST)));
    bars.forEach((svg, k) => {
      if (state.pictures[k]) drawBars(svg, parts.bars[k], state.pictures[k], drawing, widths[0]);
    });
    drawCurves(curves, parts.curves, state, drawing, widths[1]);
  }
  function update() {
    if (drawing !== model.get("drawing")) make();
    const state = model.get("state");
    title.textContent = state.title;
    bars.forEach((svg, k) => { svg.style.display = state.pictures[k] ? "" : "none"; });
    curves.setAttribute("aria-label", state.kl_words);
    arrange();
  }
  function say() {
    words.textContent = model.get("words");
  }
  const watcher = new ResizeObserver(arrange);
  for (const holder of [left, right]) watcher.observe(holder);
  model.on("change:drawing change:state", update);
  model.on("change:words", say);
  update();
  say();
  return () => watcher.disconnect();
}

export default { render };
