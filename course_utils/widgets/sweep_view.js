// Curves over the expansion; below the features of one autoencoder by their best cosine, a bar of
// its latents, in plain SVG. The shapes are made once. Python says every number, name and colour.
const SVG = "http://www.w3.org/2000/svg";
const [NARROWEST, WIDEST] = [460, 640]; // of each picture; text keeps its size
const [LEFT, RIGHT] = [58, 16];
const SWEEP = { top: 82, high: 240, pad: 26, row: 22, apart: 17 };
const RUN = { top: 46, high: 150, bar: 26, row: 20 };
const SIGNS = { circle: "●", square: "■", diamond: "◆" };
const SHAPES = Object.keys(SIGNS);

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

function line(points) {
  return points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

// A shape with its middle at x, y.
function shape(kind, x, y, r) {
  if (kind === "square") return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`;
  if (kind === "diamond") return `M${x} ${y - 1.35 * r}l${1.35 * r} ${1.35 * r}l${-1.35 * r} ${1.35 * r}l${-1.35 * r} ${-1.35 * r}Z`;
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

function makeSweep(svg, { expansions, ticks, axis, meant, curves }) {
  const text = (kind, words = "") => node(svg, "text", { class: kind }, words);
  return {
    meant: node(svg, "path", { class: "meant" }),
    ticks: ticks.map(({ value, text: words }) => ({ value, line: node(svg, "path", { class: value ? "grid" : "axis" }), text: text("end", words) })),
    now: node(svg, "path", { class: "now" }),
    curves: curves.map(({ color }) => ({
      band: node(svg, "path", { class: "band", fill: color }),
      curve: node(svg, "path", { class: "curve", stroke: color }),
      points: node(svg, "path", { class: "points", fill: color }),
    })),
    dots: curves.map(({ name, color }) => node(svg, "path", { class: `mark dot ${name}`, fill: color })),
    numbers: curves.map(({ color }, c) => {
      const shown = text("number strong");
      const sign = document.createElementNS(SVG, "tspan");
      put(sign, { fill: color });
      sign.textContent = `${SIGNS[SHAPES[c]]} `;
      const words = document.createElementNS(SVG, "tspan");
      shown.append(sign, words);
      return { text: shown, words };
    }),
    title: text("title"),
    meantName: text("end", meant.text),
    names: expansions.map(({ text: words }) => text("tick", words)),
    axis: text("label", axis),
    legend: curves.map(({ color }) => ({
      band: node(svg, "path", { class: "band", fill: color }),
      mark: node(svg, "path", { class: "curve", stroke: color }),
      point: node(svg, "path", { fill: color }),
      text: text("start legend"),
    })),
  };
}

function drawSweep(svg, parts, state, { expansions, meant }, width) {
  const { top, high, pad, row, apart } = SWEEP;
  const bottom = top + high;
  const height = bottom + 58 + row * parts.legend.length;
  const [first, last] = [expansions[0].value, expansions[expansions.length - 1].value].map(Math.log);
  const across = (e) => LEFT + pad + ((Math.log(e) - first) / (last - first)) * (width - LEFT - RIGHT - 2 * pad);
  const up = (v) => bottom - v * high;
  const xs = expansions.map(({ value }) => across(value));
  put(svg, { viewBox: `0 0 ${width} ${height}`, width, height });
  parts.title.textContent = state.title;
  put(parts.title, { x: (LEFT + width - RIGHT) / 2, y: 18 });

  // The sizes that are meant, as far as they are on the axis.
  const [from, to] = [across(meant.from), across(meant.to)].map((x) => Math.max(LEFT, Math.min(width - RIGHT, x)));
  put(parts.meant, { d: to > from ? `M${from} ${top - 41}H${to}V${bottom}H${from}Z` : "" });
  put(parts.meantName, { x: to, y: top - 46, display: to > from ? "inline" : "none" });

  for (const { value, line: grid, text } of parts.ticks) {
    put(grid, { d: `M${LEFT} ${up(value)}H${width - RIGHT}` });
    put(text, { x: LEFT - 8, y: up(value) + 4.5 });
  }
  put(parts.now, { d: `M${xs[state.at]} ${top - 18}V${bottom}` });
  const dots = state.curves.map(({ mean, low, high: most }, c) => {
    const points = mean.map((v, k) => [xs[k], up(v)]);
    const { band, curve, points: small } = parts.curves[c];
    put(band, { d: `${line([...most.map((v, k) => [xs[k], up(v)]), ...low.map((v, k) => [xs[k], up(v)]).reverse()])}Z` });
    put(curve, { d: line(points) });
    put(small, { d: points.map(([x, y]) => shape(SHAPES[c], x, y, 3)).join("") });
    put(parts.dots[c], { d: shape(SHAPES[c], ...points[state.at], 6) });
    return points[state.at];
  });

  // Each number above its dot; where two are close, the higher one goes up.
  let free = Infinity;
  const order = dots.map(([, y], c) => [y, c]).sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  for (const [y, c] of order) {
    const { text, words } = parts.numbers[c];
    const at = Math.min(y - 11, free - apart);
    free = at;
    words.textContent = state.curves[c].text;
    put(text, { x: dots[c][0], y: at });
  }

  // Of the names that are too close, the one chosen stays, and of the others the first.
  const room = (k, j) => Math.abs(xs[k] - xs[j]) >= 30;
  let before = null;
  parts.names.forEach((text, k) => {
    const shown = k === state.at || (room(k, state.at) && (before === null || room(k, before)));
    if (shown) before = k;
    put(text, { x: xs[k], y: bottom + 18, display: shown ? "inline" : "none" });
    text.classList.toggle("strong", k === state.at);
  });
  put(parts.axis, { x: (LEFT + width - RIGHT) / 2, y: bottom + 38 });
  parts.legend.forEach(({ band, mark, point, text }, c) => {
    const y = bottom + 58 + row * c;
    put(band, { d: `M${LEFT} ${y - 7}h34v14h-34Z` });
    put(mark, { d: `M${LEFT} ${y}h34` });
    put(point, { d: shape(SHAPES[c], LEFT + 17, y, 5) });
    text.textContent = state.curves[c].legend;
    put(text, { x: LEFT + 44, y: y + 4.5 });
  });
}

function makeRun(svg, { cosine, features, kinds, colors }) {
  const text = (kind, words = "") => node(svg, "text", { class: kind }, words);
  return {
    title: text("title"),
    found: node(svg, "path", { class: "found", fill: colors.found }),
    missed: node(svg, "path", { class: "missed" }),
    ticks: cosine.ticks.map(({ value, text: words }) => ({ value, line: node(svg, "path", { class: value ? "grid" : "axis" }), text: text("end", words) })),
    threshold: node(svg, "path", { class: "threshold" }),
    thresholdName: text("end strong", cosine.threshold.text),
    above: text("start strong above"),
    axis: text("label", cosine.axis),
    barTitle: text("start title bar-title"),
    segments: kinds.map(({ color }) => node(svg, "rect", { class: "segment", fill: color, height: RUN.bar })),
    features: node(svg, "path", { class: "features" }),
    featuresName: text("start", features),
    legend: kinds.map(({ color }) => ({ mark: node(svg, "rect", { fill: color, width: 14, height: 14 }), text: text("start legend") })),
  };
}

function drawRun(svg, parts, state, { cosine, n_features: n, most }, width) {
  const { top, high, bar, row } = RUN;
  const bottom = top + high;
  const up = (v) => bottom - ((v - cosine.from) / (1 - cosine.from)) * high;
  const wide = (width - LEFT - RIGHT) / n;
  const steps = (from, to) => {
    if (to <= from) return "";
    const tops = state.cosines.slice(from, to).flatMap((v, k) => [[LEFT + (from + k) * wide, up(v)], [LEFT + (from + k + 1) * wide, up(v)]]);
    return `${line([[LEFT + from * wide, up(0)], ...tops, [LEFT + to * wide, up(0)]])}Z`;
  };
  put(parts.title, { x: (LEFT + width - RIGHT) / 2, y: 18 });
  parts.title.textContent = state.cosine_title;
  put(parts.found, { d: steps(0, state.found) });
  put(parts.missed, { d: steps(state.found, n) });
  for (const { value, line: grid, text } of parts.ticks) {
    put(grid, { d: `M${LEFT} ${up(value)}H${width - RIGHT}` });
    put(text, { x: LEFT - 8, y: up(value) + 4.5 });
  }
  const limit = up(cosine.threshold.value);
  put(parts.threshold, { d: `M${LEFT} ${limit}H${width - RIGHT}` });
  put(parts.thresholdName, { x: LEFT - 8, y: limit + 4.5 });
  parts.above.textContent = state.found_text;
  put(parts.above, { x: LEFT + 8, y: bottom - 10 });
  put(parts.axis, { x: (LEFT + width - RIGHT) / 2, y: bottom + 18 });

  // One scale for all expansions: a larger autoencoder has a longer bar.
  const y = bottom + 58;
  const each = (width - LEFT - RIGHT) / Math.max(most, n);
  parts.barTitle.textContent = state.bar_title;
  put(parts.barTitle, { x: LEFT, y: y - 8 });
  let x = LEFT;
  parts.segments.forEach((segment, k) => {
    const length = state.counts[k] * each;
    put(segment, { x, y, width: length, display: length ? "inline" : "none" });
    x += length;
  });
  const end = LEFT + n * each;
  put(parts.features, { d: `M${end} ${y - 4}v${bar + 14}` });
  const late = end > width - RIGHT - 100; // no room to its right
  put(parts.featuresName, { x: late ? end - 6 : end + 6, y: y + bar + 13, style: `text-anchor: ${late ? "end" : "start"}` });
  parts.legend.forEach(({ mark, text }, k) => {
    const at = y + bar + 26 + row * k;
    text.textContent = state.texts[k];
    put(mark, { x: LEFT, y: at });
    put(text, { x: LEFT + 22, y: at + 11.5 });
  });
  const height = y + bar + 30 + row * parts.legend.length;
  put(svg, { viewBox: `0 0 ${width} ${height}`, width, height });
}

function render({ model, el }) {
  el.classList.add("course-sweep");
  const stage = document.createElement("div");
  stage.className = "stage";
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.append(stage, words);
  const drawing = model.get("drawing");
  const pictures = [
    { kind: "sweep", make: makeSweep, draw: drawSweep, words: "words" },
    { kind: "run", make: makeRun, draw: drawRun, words: "latent_words" },
  ].map((picture) => {
    const holder = document.createElement("div");
    holder.className = "chart";
    stage.append(holder);
    const svg = node(holder, "svg", { role: "img", class: picture.kind });
    return { ...picture, holder, svg, parts: picture.make(svg, drawing) };
  });

  function arrange() {
    const state = model.get("state");
    const widths = pictures.map(({ holder }) => holder.clientWidth || WIDEST); // before any change
    pictures.forEach(({ svg, parts, draw }, k) => {
      draw(svg, parts, state, drawing, Math.max(NARROWEST, Math.min(WIDEST, widths[k])));
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
