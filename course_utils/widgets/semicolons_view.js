// A curve over layers between two nulls, and the neurons of one layer as paired bars, in plain SVG.
// The shapes are made once. Python says every number, name and colour.
const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, WIDEST, HIGH] = [400, 640, 300]; // of the chart; text keeps its size
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 16, 34, 108];
const BARS = { width: 400, most: 4, row: 34, left: 92, text: 52 };

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

function makeChart(svg, { layers, ticks, colors, legend }) {
  const text = (kind, words = "") => node(svg, "text", { class: kind }, words);
  const parts = {
    title: text("title"),
    null: node(svg, "path", { class: "null" }),
    ticks: ticks.map(({ value, text: words }) => ({ value, line: node(svg, "path", { class: value ? "grid" : "axis" }), text: text("end", words) })),
    band: node(svg, "path", { class: "band", fill: colors.value }),
    one: node(svg, "path", { class: "one", stroke: colors.one }),
    curve: node(svg, "path", { class: "curve", stroke: colors.value }),
    now: node(svg, "path", { class: "now" }),
    dot: node(svg, "circle", { class: "mark dot", r: 6, fill: colors.value }),
    names: layers.map((k) => text("layer", `${k}`)),
    label: text("label", "layer"),
  };
  parts.legend = [
    { mark: node(svg, "path", { class: "curve", stroke: colors.value }), back: node(svg, "path", { class: "band", fill: colors.value }), text: text("start", legend.value) },
    { back: node(svg, "path", { class: "null" }), text: text("start", legend.null) },
    { mark: node(svg, "path", { class: "one", stroke: colors.one }), text: text("start", legend.one) },
  ];
  return parts;
}

function drawChart(svg, parts, state, { layers }, width) {
  const bottom = TOP + HIGH - TOP - 20;
  const across = (k) => LEFT + ((k + 0.5) / layers.length) * (width - LEFT - RIGHT);
  const up = (v) => bottom - ((v + 1) / 2) * (bottom - TOP);
  const path = (values) => values.map((v, k) => `${k ? "L" : "M"}${across(k).toFixed(1)} ${up(v).toFixed(1)}`).join("");
  const area = (low, high) => `${path(low)}${high.map((v, k) => [v, k]).reverse().map(([v, k]) => `L${across(k).toFixed(1)} ${up(v).toFixed(1)}`).join("")}Z`;
  put(svg, { viewBox: `0 0 ${width} ${bottom + BOTTOM}`, width, height: bottom + BOTTOM });
  parts.title.textContent = state.title;
  put(parts.title, { x: width / 2, y: 18 });
  put(parts.null, { d: area(state.null_low, state.null_high) });
  put(parts.band, { d: area(state.low, state.high) });
  put(parts.one, { d: path(state.one_low) });
  put(parts.curve, { d: path(state.value) });
  put(parts.now, { d: `M${across(state.layer)} ${TOP}V${bottom}` });
  put(parts.dot, { cx: across(state.layer), cy: up(state.value[state.layer]) });
  for (const { value, line, text } of parts.ticks) {
    put(line, { d: `M${LEFT} ${up(value)}H${width - RIGHT}` });
    put(text, { x: LEFT - 8, y: up(value) + 4.5 });
  }
  const every = Math.ceil((22 * layers.length) / (width - LEFT - RIGHT));
  parts.names.forEach((text, k) => {
    put(text, { x: across(k), y: bottom + 18, display: k === state.layer || (k % every === 0 && Math.abs(k - state.layer) >= every) ? "inline" : "none" });
    text.classList.toggle("strong", k === state.layer);
  });
  put(parts.label, { x: (LEFT + width - RIGHT) / 2, y: bottom + 36 });
  parts.legend.forEach(({ mark, back, text }, k) => {
    const y = bottom + 54 + 20 * k;
    if (mark) put(mark, { d: `M${LEFT} ${y}h34` });
    if (back) put(back, { d: `M${LEFT} ${y - 7}h34v14h-34Z` });
    put(text, { x: LEFT + 42, y: y + 4.5 });
  });
}

function makeBars(svg, { colors }) {
  const text = (kind) => node(svg, "text", { class: kind });
  const legend = [colors.first, colors.second].map((fill) => ({ mark: node(svg, "rect", { fill, width: 14, height: 14 }), text: text("start") }));
  const groups = [0, 1].map(() => ({
    title: text("title start"),
    count: text("start"),
    axis: node(svg, "path", { class: "axis" }),
    rows: Array.from({ length: BARS.most }, () => ({
      name: text("start name"),
      bars: [colors.first, colors.second].map((fill) => ({ bar: node(svg, "rect", { fill, height: 12 }), text: text("start number") })),
    })),
  }));
  return { where: text("title start"), legend, groups };
}

function drawBars(svg, parts, state) {
  const { width, row, left, text: room, most } = BARS;
  const group = 46 + row * most + 12;
  put(svg, { viewBox: `0 0 ${width} ${48 + 2 * group}`, width, height: 48 + 2 * group });
  parts.where.textContent = `${state.where}: at the sign, more than elsewhere`;
  put(parts.where, { x: 4, y: 18 });
  parts.legend.forEach(({ mark, text }, k) => {
    text.textContent = state.names[k];
    put(mark, { x: 4 + 160 * k, y: 28 });
    put(text, { x: 24 + 160 * k, y: 40 });
  });
  state.groups.forEach((said, g) => {
    const shapes = parts.groups[g];
    const top = 56 + group * g;
    const shares = said.bars.flatMap(({ shares }) => shares);
    const [below, above] = [Math.max(0, ...shares.map((x) => -x)), Math.max(0, ...shares)];
    const each = (width - left - room * (below > 0 ? 2 : 1)) / (below + above || 1);
    const zero = left + (below > 0 ? room : 0) + below * each;
    shapes.title.textContent = said.title;
    shapes.count.textContent = said.count;
    put(shapes.title, { x: 4, y: top + 12 });
    put(shapes.count, { x: 4, y: top + 32 });
    put(shapes.axis, { d: said.bars.length ? `M${zero} ${top + 40}v${row * said.bars.length}` : "" });
    shapes.rows.forEach(({ name, bars }, r) => {
      const bar = said.bars[r];
      const y = top + 42 + row * r;
      name.textContent = bar ? bar.name : "";
      put(name, { x: 4, y: y + 18 });
      bars.forEach((shape, k) => {
        const share = bar ? bar.shares[k] : 0;
        const end = zero + share * each;
        put(shape.bar, { x: Math.min(zero, end), y: y + 14 * k, width: Math.abs(end - zero), display: bar ? "inline" : "none" });
        shape.text.textContent = bar ? bar.texts[k] : "";
        put(shape.text, { x: share < 0 ? end - 5 : end + 5, y: y + 14 * k + 10.5, style: `text-anchor: ${share < 0 ? "end" : "start"}; font-size: 12px` });
      });
    });
  });
}

function render({ model, el }) {
  el.classList.add("course-semicolons");
  const stage = document.createElement("div");
  stage.className = "stage";
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.append(words, stage);
  const drawing = model.get("drawing");
  const holder = document.createElement("div");
  holder.className = "chart";
  stage.append(holder);
  const chart = node(holder, "svg", { role: "img", class: "layers" });
  const parts = makeChart(chart, drawing);
  const bars = node(stage, "svg", { role: "img", class: "bars" });
  const shapes = makeBars(bars, drawing);

  function arrange() {
    const width = Math.max(NARROWEST, Math.min(WIDEST, holder.clientWidth || WIDEST));
    drawChart(chart, parts, model.get("state"), drawing, width);
  }
  function update() {
    const state = model.get("state");
    chart.setAttribute("aria-label", state.words);
    bars.setAttribute("aria-label", state.neuron_words);
    drawBars(bars, shapes, state);
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
