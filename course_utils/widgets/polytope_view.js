// Feature directions as a solid in plain SVG, and beside it the D_i as bars. A new state makes the
// shapes; turning only moves them, in well under a millisecond. Python says every number and colour
// but those that depend on where one looks from.
const SVG = "http://www.w3.org/2000/svg";
const SIZE = 424; // of the solid's picture, which is square
const UNIT = 136; // pixels for a length of 1
const LONGEST = 1.27; // longer arrows shrink the whole picture
const CAMERA = 5; // its distance: perspective is slight
const LIGHT = [-0.45, 0.65, 0.61]; // from the upper left, before the solid
const STEP = Math.PI / 30; // of an arrow key
const WIDTH = 400; // of the picture beside it
const LEFT = 46;
const BARS = { top: 134, bottom: 284, right: 392, step: 44 };
const SUM = { top: 350, height: 22, unit: 101 };

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

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const minus = (a, b) => a.map((value, k) => value - b[k]);
const mean = (all) => [0, 1, 2].map((k) => all.reduce((sum, v) => sum + v[k], 0) / all.length);
const stub = (v) => Math.hypot(...v) <= 0.15; // too short to have a head or a name
function across([a, b, c], [d, e, f]) {
  const v = [b * f - c * e, c * d - a * f, a * e - b * d];
  const length = Math.hypot(...v) || 1;
  return v.map((value) => value / length);
}

// A rotation, as three rows: about the screen's vertical axis, then about its horizontal one.
function rotation(right, down) {
  const [c, s, d, t] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
  return [[c, 0, s], [t * s, d, -t * c], [-d * s, t, d * c]];
}
function product(A, B) {
  const columns = [0, 1, 2].map((k) => B.map((row) => row[k]));
  return A.map((row) => columns.map((column) => dot(row, column)));
}
const START = rotation(0.19, 0.34); // from here no usual solid has one corner behind another

// The solid. `shapes` makes what it consists of, `turned` puts it where it is seen.

function shapes(scene, marks, { names, colors, faces, edges }) {
  scene.replaceChildren();
  marks.replaceChildren();
  const touching = (...corners) => faces.flatMap((face, k) => corners.every((i) => face.includes(i)) ? k : []);
  return {
    origin: node(scene, "circle", { r: 3, class: "origin" }),
    faces: faces.map(() => node(scene, "polygon", { class: "face" })),
    edges: edges.map((ends) => ({ line: node(scene, "line", { class: "edge" }), ends, of: touching(...ends) })),
    arrows: names.map((name, i) => ({
      shaft: node(scene, "line", { stroke: colors[i], class: "shaft" }),
      head: node(scene, "circle", { fill: colors[i], class: "head", "data-feature": i }),
      mark: node(marks, "text", { class: "mark" }, name),
      of: touching(i),
    })),
  };
}

function turned(scene, parts, { vertices, faces, colors }, seen) {
  const longest = Math.max(...vertices.map((v) => Math.hypot(...v)), 1);
  const unit = UNIT * Math.min(1, LONGEST / longest);
  const at = vertices.map((v) => seen.map((row) => dot(row, v)));
  const near = (z) => CAMERA / (CAMERA - z);
  const spots = at.map(([x, y, z]) => [SIZE / 2 + x * unit * near(z), SIZE / 2 - 8 - y * unit * near(z)]);
  const share = (z) => 0.5 + z / (2 * longest); // 0 at the very back, 1 at the very front
  const order = []; // [layer, depth, shape]: the back of the solid, its inside, its front

  const used = [...new Set(faces.flat())];
  const middle = mean(used.map((i) => at[i]));
  const front = faces.map((face, k) => {
    const corners = face.map((i) => at[i]);
    const centre = mean(corners);
    let out = across(minus(corners[1], corners[0]), minus(corners[2], corners[0]));
    const towards = faces.length > 1 ? minus(centre, middle) : minus([0, 0, CAMERA], centre);
    if (dot(out, towards) < 0) out = out.map((value) => -value);
    const facing = dot(out, minus([0, 0, CAMERA], centre)) > 0;
    const light = facing ? Math.max(0, dot(out, LIGHT)) : 0.15;
    parts.faces[k].style.fill = `hsl(214 32% ${(30 + 54 * light).toFixed(1)}%)`;
    put(parts.faces[k], {
      points: face.map((i) => spots[i].map((value) => value.toFixed(2)).join()).join(" "),
      "fill-opacity": facing ? 0.42 : 0.25,
    });
    order.push([facing ? 3 : 0, centre[2], parts.faces[k]]);
    return facing;
  });
  for (const { line, ends: [i, j], of } of parts.edges) {
    const depth = (at[i][2] + at[j][2]) / 2;
    const before = of.some((k) => front[k]);
    put(line, {
      x1: spots[i][0], y1: spots[i][1], x2: spots[j][0], y2: spots[j][1],
      "stroke-width": before ? 1.3 + 1.1 * share(depth) : 0.9,
      "stroke-opacity": before ? 0.5 + 0.4 * share(depth) : 0.35,
    });
    order.push([before ? 4 : 1, depth, line]);
  }
  order.push([2, 0, parts.origin]);
  put(parts.origin, { cx: SIZE / 2, cy: SIZE / 2 - 8 });
  parts.arrows.forEach(({ shaft, head, of }, i) => {
    const depth = at[i][2];
    const [x, y] = spots[i];
    const faint = 0.5 + 0.5 * share(depth);
    put(shaft, {
      x1: SIZE / 2, y1: SIZE / 2 - 8, x2: x, y2: y,
      "stroke-width": 1.6 + 2 * share(depth), "stroke-opacity": faint,
    });
    put(head, { cx: x, cy: y, r: 4.5 + 4 * share(depth), opacity: stub(at[i]) ? 0 : 1 });
    // Faint and yet not transparent, or one would see the lines that meet behind it.
    head.style.fill = `color-mix(in srgb, ${colors[i]} ${(100 * faint).toFixed()}%, var(--jp-layout-color0, #888))`;
    order.push([2, Math.min(depth, depth / 2) - 0.01, shaft]); // never over its own head
    order.push([of.some((k) => front[k]) ? 5 : 2, depth, head]);
  });
  // Only what is out of its place is moved: a browser styles anew whatever is.
  let place = scene.firstChild;
  for (const [, , shape] of order.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (shape === place) place = place.nextSibling;
    else scene.insertBefore(shape, place);
  }
  label(parts.arrows, at, spots, share);
}

// A name stands beyond its arrow's end. Where two meet the one in front stays, and the arrow of the
// other keeps its colour.
function label(arrows, at, spots, share) {
  const taken = [];
  const hits = (x, y, width, height) => ([u, v]) => Math.abs(u - x) < width && Math.abs(v - y) < height;
  const nearest = at.map((_, i) => i).sort((i, j) => at[j][2] - at[i][2]);
  nearest.forEach((i, rank) => {
    const [x, y] = spots[i];
    const out = [x - SIZE / 2, y - (SIZE / 2 - 8) - 6]; // up when it points at the eye
    const beyond = 1 / (Math.hypot(...out) || 1);
    const [u, v] = [x + 20 * out[0] * beyond, y + 16 * out[1] * beyond]; // a name is wide
    const heads = nearest.slice(0, rank).map((j) => spots[j]);
    const free = !taken.some(hits(u, v, 24, 15)) && !heads.some(hits(u, v, 17, 14));
    const shown = free && !stub(at[i]);
    if (shown) taken.push([u, v]);
    put(arrows[i].mark, { x: u, y: v + 5, opacity: shown ? 0.7 + 0.3 * share(at[i][2]) : 0 });
  });
}

// The picture beside it, made anew for every state.

function beside(svg, { names, colors, title, bars, total, mark, missing }) {
  svg.replaceChildren();
  const write = (text, x, y, kind) => node(svg, "text", { x, y, class: kind }, text);
  const line = (d, kind) => node(svg, "path", { d, class: kind });
  const middle = (LEFT + BARS.right) / 2;
  title.forEach((text, k) => write(text, middle, 50 + (k - (title.length - 1) / 2) * 30, "name"));

  write("dimensionality Dᵢ of each feature", middle, 102, "title");
  const height = BARS.bottom - BARS.top;
  for (const [value, text] of [[0, "0"], [0.5, "½"], [1, "1"]]) {
    const y = BARS.bottom - value * height;
    line(`M${LEFT} ${y}H${BARS.right}`, { 0: "axis", 0.5: "guide", 1: "grid" }[value]);
    write(text, LEFT - 14, y + 5, "tick");
  }
  const step = Math.min(BARS.step, (BARS.right - LEFT) / names.length);
  const first = middle - (step * names.length) / 2;
  bars.forEach(({ value, text }, i) => {
    const x = first + i * step;
    const top = BARS.bottom - value * height;
    const place = { x: x + 0.14 * step, width: 0.72 * step, y: top, height: value * height };
    node(svg, "rect", { ...place, fill: colors[i], class: "bar" });
    write(text, x + step / 2, top - 6, "number");
    write(names[i], x + step / 2, BARS.bottom + 18, "tick");
  });

  write(`Σ Dᵢ = ${total.text}`, middle, 338, "title");
  let x = LEFT;
  bars.forEach(({ value }, i) => {
    const width = value * SUM.unit;
    const place = { x, y: SUM.top, width: Math.max(0, width - 1), height: SUM.height };
    node(svg, "rect", { ...place, fill: colors[i], class: "part" });
    x += width;
  });
  const bottom = SUM.top + SUM.height;
  line(`M${LEFT} ${bottom + 0.5}H${LEFT + 3 * SUM.unit}`, "axis");
  for (let k = 0; k <= 3; k++) {
    const here = LEFT + k * SUM.unit;
    line(`M${here} ${bottom}v5`, "axis");
    write(k === mark.value ? mark.text : k, here, bottom + 19, "tick");
  }
  line(`M${LEFT + mark.value * SUM.unit} ${SUM.top - 6}V${bottom}`, "mark-line");
  if (missing.length) write(`not represented: ${missing.join(", ")}`, middle, 416, "tick");
}

function render({ model, el }) {
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  el.classList.add("course-polytope");
  const stage = document.createElement("div");
  stage.className = "stage";
  el.append(stage, words);

  // An application, so that screen readers leave the arrow keys to it. What it looks like is said
  // of the picture beside it: it is the same from every side.
  const solid = node(stage, "svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "application", tabindex: 0, class: "solid" });
  solid.setAttribute("aria-roledescription", "solid");
  solid.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys
  const round = UNIT / Math.sqrt(1 - 1 / CAMERA ** 2); // how large a unit sphere is seen
  const sphere = node(solid, "circle", { cx: SIZE / 2, cy: SIZE / 2 - 8, class: "sphere" });
  const scene = node(solid, "g");
  const marks = node(solid, "g");
  node(solid, "text", { x: SIZE / 2, y: SIZE - 5, class: "tick" }, "turn it: drag, or arrow keys; Home: back");
  const chart = node(stage, "svg", { viewBox: `0 0 ${WIDTH} ${SIZE}`, role: "img" });

  let [state, parts, seen] = [{}, null, START];
  function look(next) {
    seen = next;
    if (parts) turned(scene, parts, state, seen);
  }
  function update() {
    state = model.get("state");
    stage.style.display = state.names ? "" : "none"; // nothing has been trained yet
    if (!state.names) return;
    const longest = Math.max(...state.vertices.map((v) => Math.hypot(...v)), LONGEST);
    sphere.setAttribute("r", (round * LONGEST) / longest);
    parts = shapes(scene, marks, state);
    look(seen);
    beside(chart, state);
    chart.setAttribute("aria-label", state.words);
    solid.setAttribute("aria-label", `${state.title.join(" ")}: arrow keys turn it, Home turns it back`);
  }
  function say() {
    words.textContent = model.get("words");
  }

  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  solid.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = KEYS[event.key];
    if (!by && event.key !== "Home") return;
    event.preventDefault();
    const step = STEP * (event.shiftKey ? 4 : 1);
    look(by ? product(rotation(by[0] * step, by[1] * step), seen) : START);
  });
  // The front of the sphere follows the pointer.
  let held = [0, 0];
  solid.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = [event.clientX, event.clientY];
    solid.setPointerCapture(event.pointerId);
    solid.focus({ preventScroll: true });
  });
  solid.addEventListener("pointermove", (event) => {
    if (!solid.hasPointerCapture(event.pointerId)) return;
    const pixels = (UNIT * solid.clientWidth) / SIZE;
    const [x, y] = [event.clientX, event.clientY];
    look(product(rotation((x - held[0]) / pixels, (y - held[1]) / pixels), seen));
    held = [x, y];
  });
  model.on("change:state", update);
  model.on("change:words", say);
  update();
  say();
}

export default { render };
