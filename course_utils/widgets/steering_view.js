// The next tokens as bars, and how much each change moves them all as curves, in plain SVG.
// The shapes are made once. Python says every number, name and colour.
const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, WIDEST] = [420, 600]; // of a picture; text keeps its size
const BARS = { top: 62, row: 30, left: 150, right: 96 };
const CURVES = { top: 34, high: 230, left: 56, right: 18 };

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

function makeBars(svg, { n_tokens, legend }) {
  const text = (kind, words = "") => node(svg, "text", { class: kind }, words);
  return {
    title: text("title start"),
    now: { mark: node(svg, "rect", { width: 14, height: 14 }), text: text("start", legend.now) },
    before: { mark: node(svg, "path", { class: "before" }), text: text("start", legend.before) },
    axis: node(svg, "path", { class: "axis" }),
    rows: Array.from({ length: n_tokens }, () => ({
      token: text("end token"),
      bar: node(svg, "rect", { class: "bar", height: 16 }),
      before: node(svg, "path", { class: "before" }),
      text: text("start number"),
    })),
  };
}

function drawBars(svg, parts, state, { series }, width) {
  const { top, row, left, right } = BARS;
  const high = top + row * parts.rows.length + 8;
  const each = width - left - right;
  const fill = series[state.series].color;
  put(svg, { viewBox: `0 0 ${width} ${high}`, width, height: high });
  parts.title.textContent = state.title;
  put(parts.title, { x: 4, y: 18 });
  put(parts.now.mark, { x: 4, y: 30, fill });
  put(parts.now.text, { x: 24, y: 42 });
  put(parts.before.mark, { d: "M160 28v18" });
  put(parts.before.text, { x: 170, y: 42 });
  put(parts.axis, { d: `M${left} ${top - 4}V${high - 8}` });
  parts.rows.forEach(({ token, bar, before, text }, k) => {
    const said = state.bars[k];
    const y = top + row * k;
    token.textContent = said.token;
    put(token, { x: left - 8, y: y + 13 });
    put(bar, { x: left, y, width: said.now * each, fill });
    put(before, { d: `M${left + said.before * each} ${y - 4}v24` });
    text.textContent = said.text;
    put(text, { x: left + Math.max(said.now, said.before) * each + 8, y: y + 13 });
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
    const y = below + 22 * k;
    put(key, { d: `M${left} ${y}h34` });
    name.textContent = series[k].name;
    number.textContent = state.numbers[k];
    put(name, { x: left + 42, y: y + 4.5 });
    put(number, { x: width - right, y: y + 4.5 });
    for (const text of [name, number]) text.classList.toggle("strong", mine);
  });
  parts.names.forEach((text, k) => {
    put(text, { x: across(k), y: bottom + 18 });
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
  const drawing = model.get("drawing");
  const pictures = [
    { kind: "tokens", make: makeBars, draw: drawBars, words: "words" },
    { kind: "changes", make: makeCurves, draw: drawCurves, words: "kl_words" },
  ].map((picture) => {
    const holder = document.createElement("div");
    holder.className = "chart";
    stage.append(holder);
    const svg = node(holder, "svg", { role: "img", class: picture.kind });
    return { ...picture, holder, svg, parts: picture.make(svg, drawing) };
  });

  function arrange() {
    const widths = pictures.map(({ holder }) => holder.clientWidth || WIDEST); // before any change
    pictures.forEach(({ svg, parts, draw }, k) => {
      draw(svg, parts, model.get("state"), drawing, Math.max(NARROWEST, Math.min(WIDEST, widths[k])));
    });
  }
  function update() {
    for (const { svg, words: key } of pictures) svg.setAttribute("aria-label", model.get("state")[key]);
    arrange();
  }
  function say() {
    words.textContent = model.get("words");
  }
  const watcher = new ResizeObserver(arrange);
  for (const { holder } of pictures) watcher.observe(holder);
  model.on("change:state", update);
  model.on("change:words", say);
  update();
  say();
  return () => watcher.disconnect();
}

export default { render };
