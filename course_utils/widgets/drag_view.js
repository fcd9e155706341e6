// A toy model in plain SVG whose arrows can be moved, with the pointer or with keys. An arrow moves
// here and at once; Python is asked for all the rest, says every number and colour, and is never
// asked twice at a time. The shapes are made once; a new state only moves them.
const SVG = "http://www.w3.org/2000/svg";
const UNIT = 118; // pixels for a length of 1 among the arrows
const LONGEST = 1.4;
const REACH = 1.45 * UNIT;
const CENTRE = { x: 224, y: 222 };
const GRID = { x: 46, y: 36, side: 240, cell: 56 }; // at most
const BARS = { x: 44, y: 206, width: 234, height: 156, step: 78 };
const SUM = { x: 44, y: 266, height: 24, unit: 117 }; // pixels a dimension
const LOSS = { x: 2, y: 52, width: 280, height: 14, least: 0.5, most: 50 };
const LINE = { x: 62, y: 34, width: 188, height: 48 };
const SECONDS = 1.5; // of an animation
const QUIET = 400; // milliseconds without a change after which the sentence below is read out
// Where the parts stand: in one row, or in two where there is little room.
const WIDE = {
  plane: [0, 0], gram: [446, 0], dims: [804, 0], loss: [448, 346], line: [764, 346], size: [1092, 458],
};
const NARROW = {
  plane: [0, 0], gram: [8, 456], dims: [430, 0], loss: [430, 336], line: [390, 456], size: [716, 780],
};
const ENOUGH = 840; // pixels for one row

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

function write(parent, text, x, y, kind) {
  return node(parent, "text", { x, y, class: kind }, text);
}

function turned(parent, text, x, y) {
  node(parent, "text", { transform: `translate(${x} ${y}) rotate(-90)`, class: "label" }, text);
}

function makePlane(g, names) {
  const { x, y } = CENTRE;
  write(g, "columns of W: drag their ends", x, 20, "title");
  node(g, "circle", { cx: x, cy: y, r: UNIT, class: "guide" });
  node(g, "path", { d: `M${x - REACH} ${y}h${2 * REACH}M${x} ${y - REACH}v${2 * REACH}`, class: "axis" });
  for (const at of [-1, 1]) {
    const text = at < 0 ? "−1" : "1";
    node(g, "path", { d: `M${x + at * UNIT} ${y + REACH}v5M${x - REACH - 5} ${y - at * UNIT}h5`, class: "axis" });
    write(g, text, x + at * UNIT, y + REACH + 18, "tick");
    write(g, text, x - REACH - 17, y - at * UNIT + 5, "tick");
  }
  write(g, "hidden number 0", x, y + REACH + 42, "label");
  turned(g, "hidden number 1", 17, y);
  return {
    shafts: names.map(() => node(g, "line", { x1: x, y1: y, class: "shaft" })),
    marks: names.map((name) => write(g, name, 0, 0, "mark")),
  };
}

// The ends of the arrows, in front of everything: sliders for a screen reader and for the keyboard.
function makeHeads(g, names, colors) {
  return names.map((name, i) => {
    const head = node(g, "g", { class: "head", role: "slider", tabindex: 0 });
    put(head, { "aria-label": `feature ${name}`, "aria-valuemin": 0, "aria-valuemax": 360 });
    head.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys
    node(head, "circle", { r: 18, class: "hit" });
    node(head, "circle", { r: 13, class: "ring" });
    node(head, "circle", { r: 8, fill: colors[i], class: "dot" });
    return head;
  });
}

function makeGram(g, names) {
  const n = names.length;
  const cell = Math.min(GRID.cell, GRID.side / n);
  const { x, y } = GRID;
  const side = n * cell;
  const bias = x + side + 12;
  write(g, "WᵀW and bias b", x + side / 2 + 20, 20, "title");
  names.forEach((name, i) => {
    const middle = (i + 0.5) * cell;
    write(g, name, x + middle, y + side + 18, "tick");
    write(g, name, x - 14, y + middle + 5, "tick");
  });
  write(g, "b", bias + cell / 2, y + side + 18, "tick");
  write(g, "feature going in", x + side / 2, y + side + 42, "label");
  turned(g, "feature coming out", x - 36, y + side / 2);
  const columns = names.map((_, j) => x + j * cell).concat(bias);
  return names.flatMap((_, i) =>
    columns.map((left) => {
      const top = y + i * cell;
      const size = { width: cell - 1, height: cell - 1 };
      const square = node(g, "rect", { x: left, y: top, ...size, class: "cell" });
      return { square, text: write(g, "", left + cell / 2, top + cell / 2 + 5, "number") };
    }),
  );
}

function makeDims(g, names, colors) {
  const { x, y, width, height } = BARS;
  const step = Math.min(BARS.step, width / names.length);
  write(g, "dimensionalities Dᵢ", x + width / 2, 20, "title");
  for (const [at, text] of [[0, "0"], [0.5, "1/2"], [1, "1"]]) {
    node(g, "path", { d: `M${x} ${y - at * height}h${width}`, class: at ? "guide" : "axis" });
    write(g, text, x - 18, y - at * height + 5, "tick");
  }
  const bars = names.map((name, i) => {
    const left = x + i * step;
    write(g, name, left + step / 2, y + 18, "tick");
    const bar = node(g, "rect", { x: left + 6, width: step - 12, fill: colors[i], class: "bar" });
    return { bar, text: write(g, "", left + step / 2, 0, "number") };
  });
  const total = write(g, "", SUM.x, SUM.y - 11, "title start strong");
  const end = SUM.x + 2 * SUM.unit;
  write(g, "2 dimensions", end + 4, SUM.y - 11, "limit");
  node(g, "rect", { x: SUM.x, y: SUM.y, width: 2 * SUM.unit, height: SUM.height, class: "room" });
  const pieces = names.map((name, i) => ({
    piece: node(g, "rect", { y: SUM.y, height: SUM.height, fill: colors[i], class: "piece" }),
    text: write(g, name, 0, SUM.y + SUM.height + 17, "tick"),
  }));
  node(g, "path", { d: `M${end} ${SUM.y - 6}v${SUM.height + 12}`, class: "mark-line" });
  return { bars, total, pieces };
}

// Doublings of the loss, from the best: 1 stands for it, and no bar is left there.
function along(ratio) {
  const { x, width, least, most } = LOSS;
  const kept = Math.min(Math.max(ratio ?? Infinity, least), most);
  return x + (width * Math.log(kept / least)) / Math.log(most / least);
}

function makeLoss(g) {
  const { x, y, width, height } = LOSS;
  const loss = write(g, "", x, 18, "title start strong");
  const words = write(g, "", x, 40, "start");
  node(g, "path", { d: `M${x} ${y + height}h${width}`, class: "axis" });
  const bar = node(g, "rect", { y, height, class: "excess" });
  for (const at of [1, 2, 5, 10, 20, 50]) {
    node(g, "path", { d: `M${along(at)} ${y + height}v5`, class: "axis" });
    const text = at === 1 ? "best" : `${at} ×`;
    write(g, text, Math.min(along(at), x + width - 12), y + height + 20, "tick");
  }
  node(g, "path", { d: `M${along(1)} ${y - 4}v${height + 8}`, class: "mark-line" });
  const end = node(g, "circle", { cy: y + height / 2, r: 6, class: "now" });
  return { loss, words, bar, end };
}

function makeLine(g) {
  const { x, y, width, height } = LINE;
  write(g, "loss while it trains", x, 18, "title start");
  node(g, "path", { d: `M${x} ${y - 4}v${height + 8}h${width}`, class: "axis" });
  write(g, "step →", x + width / 2, y + height + 22, "label");
  return {
    hint: write(g, "let go to see it fall", x + width / 2, y + height / 2 + 5, "label hint"),
    best: node(g, "path", { class: "guide" }),
    name: write(g, "best", x - 8, 0, "tick end"),
    path: node(g, "path", { class: "trace" }),
    dot: node(g, "circle", { r: 4.5, class: "now" }),
    from: write(g, "", x - 8, 0, "number end"),
    to: write(g, "", 0, 0, "number start"),
  };
}

function draw(parts, { cells, dimensionality, total, loss }) {
  cells.forEach(({ fill, text }, k) => {
    parts.gram[k].square.setAttribute("fill", fill);
    parts.gram[k].text.textContent = text;
  });
  const { bars, pieces } = parts.dims;
  let left = SUM.x;
  dimensionality.forEach(({ value, text }, i) => {
    const height = value * BARS.height;
    const width = value * SUM.unit;
    put(bars[i].bar, { y: BARS.y - height, height });
    bars[i].text.setAttribute("y", BARS.y - height - 6);
    bars[i].text.textContent = text;
    put(pieces[i].piece, { x: left, width });
    put(pieces[i].text, { x: left + width / 2, opacity: width < 20 ? 0 : 1 }); // no room for a name
    left += width;
  });
  parts.dims.total.textContent = total.text;
  const [from, to] = [along(1), along(loss.ratio)].sort((a, b) => a - b);
  put(parts.loss.bar, { x: from, width: to - from });
  put(parts.loss.end, { cx: along(loss.ratio) });
  parts.loss.loss.textContent = `loss ${loss.text}`;
  parts.loss.words.textContent = loss.words;
}

// The losses of the frames up to number k; without frames, an invitation.
function drawLine({ hint, best, name, path, dot, from, to }, frames, k, least) {
  const shown = frames ? 1 : 0;
  put(hint, { opacity: 1 - shown });
  for (const part of [best, name, path, dot, from, to]) put(part, { opacity: shown });
  if (!frames) return;
  const losses = frames.map(({ loss }) => loss.value);
  const low = Math.min(...losses, least);
  const range = Math.max(Math.max(...losses) - low, least / 4, 1e-9); // else noise looks like news
  const x = (j) => LINE.x + (LINE.width * j) / Math.max(losses.length - 1, 1);
  const y = (value) => LINE.y + LINE.height * (1 - (value - low) / range);
  const point = (value, j) => `${x(j).toFixed(1)} ${y(value).toFixed(1)}`;
  const points = losses.slice(0, k + 1).map(point);
  put(path, { d: `M${points.join("L")}` });
  put(best, { d: `M${LINE.x} ${y(least)}h${LINE.width}` });
  const apart = Math.abs(y(least) - y(losses[0])) > 16; // else its name would cover a number
  put(name, { y: y(least) + 5, opacity: apart ? 1 : 0 });
  put(dot, { cx: x(k), cy: y(losses[k]) });
  put(from, { y: y(losses[0]) + 5 });
  put(to, { x: x(k) + 9, y: y(losses[k]) + 5, opacity: k ? 1 : 0 });
  from.textContent = frames[0].loss.text;
  to.textContent = frames[k].loss.text;
}

function render({ model, el }) {
  const svg = node(el, "svg", { role: "group", "aria-label": "A toy model with arrows to move" });
  const help = document.createElement("p");
  const words = document.createElement("p");
  help.className = "help";
  help.textContent =
    "Drag the end of an arrow. Or press Tab to reach it: ← and → turn it (with Shift, further), " +
    "↑ and ↓ change its length, 0 makes it nothing, Home makes it 1 long.";
  words.setAttribute("role", "status"); // read out when it changes
  el.classList.add("course-model", "course-drag");
  el.append(help, words);

  let names, parts, heads, picture; // of the present number of features
  let arrows = []; // as they are drawn, which may be newer than Python's
  let angles = []; // kept for an arrow that has no length
  let held = null; // { i, pointer, dx, dy } while an arrow is dragged
  let moved = false; // since Python was asked last
  let asked = 0; // the number of that question
  let playing = 0; // the frame requested for an animation
  let saying;

  function build(state) {
    names = state.names;
    held = null;
    moved = false;
    svg.replaceChildren();
    picture = node(svg, "g", { role: "img" });
    parts = {};
    const groups = {};
    for (const name of ["plane", "gram", "dims", "loss", "line"])
      groups[name] = node(picture, "g", { class: name });
    parts.plane = makePlane(groups.plane, names);
    parts.gram = makeGram(groups.gram, names);
    parts.dims = makeDims(groups.dims, names, state.colors);
    parts.loss = makeLoss(groups.loss);
    parts.line = makeLine(groups.line);
    parts.groups = groups;
    const front = (groups.heads = node(svg, "g"));
    heads = makeHeads(front, names, state.colors);
    heads.forEach(listen);
    arrange();
  }

  function arrange() {
    if (!parts) return;
    const wide = el.clientWidth >= ENOUGH || !el.clientWidth;
    const places = wide ? WIDE : NARROW;
    el.classList.toggle("narrow", !wide);
    put(svg, { viewBox: `0 0 ${places.size.join(" ")}` });
    for (const [name, group] of Object.entries(parts.groups))
      put(group, { transform: `translate(${places[name] ?? places.plane})` });
  }

  function place(i) {
    const [u, v] = arrows[i];
    const x = CENTRE.x + u * UNIT;
    const y = CENTRE.y - v * UNIT;
    const length = Math.hypot(u, v);
    if (length > 1e-9) angles[i] = Math.atan2(v, u);
    put(parts.plane.shafts[i], { x2: x, y2: y });
    put(heads[i], { transform: `translate(${x} ${y})` });
    // The name stands beyond the end; a stub of an arrow has none, for they would cover each other.
    const beyond = 25 / (length || 1);
    const opacity = length > 0.15 ? 1 : 0;
    put(parts.plane.marks[i], { x: x + u * beyond, y: y - v * beyond + 5, opacity });
  }

  function follow(state) {
    arrows = state.arrows.map((arrow) => [...arrow]);
    angles.length = arrows.length;
    arrows.forEach((_, i) => place(i));
  }

  function settle(state) {
    picture.setAttribute("aria-label", state.words);
    state.spoken.forEach(({ angle, text }, i) =>
      put(heads[i], { "aria-valuenow": angle, "aria-valuetext": text }),
    );
    draw(parts, state);
    drawLine(parts.line, state.frames, (state.frames?.length ?? 0) - 1, state.best);
  }

  // Moving

  function move(i, x, y) {
    stop();
    const length = Math.hypot(x, y);
    const kept = length > LONGEST ? LONGEST / length : 1;
    arrows[i] = [x * kept, y * kept];
    place(i);
    moved = true;
    ask();
    say();
  }

  function waiting() {
    return model.get("answered") < asked;
  }

  function ask() {
    if (!moved || waiting()) return;
    moved = false;
    asked = model.get("answered") + 1;
    model.set("moved", { count: asked, arrows: arrows.map((arrow) => [...arrow]) });
    model.save_changes();
  }

  function listen(head, i) {
    const at = ({ clientX, clientY }) => {
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(
        parts.groups.heads.getScreenCTM().inverse(),
      );
      return [(x - CENTRE.x) / UNIT, (CENTRE.y - y) / UNIT];
    };
    const drop = ({ pointerId }) => {
      if (held?.pointer !== pointerId) return;
      held = null;
      head.classList.remove("held");
      say();
    };
    head.addEventListener("pointerdown", (event) => {
      if (held || event.button) return;
      event.preventDefault(); // no text is selected
      head.focus({ preventScroll: true });
      head.setPointerCapture(event.pointerId);
      head.classList.add("held");
      if (playing) move(i, ...arrows[i]); // it stays as it was when it was grabbed
      const [x, y] = at(event);
      held = { pointer: event.pointerId, dx: arrows[i][0] - x, dy: arrows[i][1] - y };
    });
    head.addEventListener("pointermove", (event) => {
      if (held?.pointer !== event.pointerId) return;
      const [x, y] = at(event);
      move(i, x + held.dx, y + held.dy);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
      head.addEventListener(name, drop);
    head.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const turn = ((event.shiftKey ? 15 : 3) * Math.PI) / 180;
      const length = Math.hypot(...arrows[i]);
      const to = {
        ArrowLeft: [length, -turn],
        ArrowRight: [length, turn],
        ArrowUp: [length + 0.05, 0],
        ArrowDown: [Math.max(length - 0.05, 0), 0],
        Home: [1, 0],
        Delete: [0, 0],
        0: [0, 0],
      }[event.key];
      if (!to) return;
      event.preventDefault();
      event.stopPropagation();
      const angle = (angles[i] ?? 0) + to[1];
      angles[i] = angle;
      move(i, to[0] * Math.cos(angle), to[0] * Math.sin(angle));
    });
  }

  // Training

  function play({ frames, best }) {
    say();
    let began;
    const next = (now) => {
      began ??= now;
      // Slowly at first, for most happens there.
      const share = ((now - began) / (1000 * SECONDS)) ** 2;
      const k = Math.min(Math.floor(share * frames.length), frames.length - 1);
      follow(frames[k]);
      draw(parts, frames[k]);
      drawLine(parts.line, frames, k, best);
      if (k < frames.length - 1) playing = requestAnimationFrame(next);
      else {
        playing = 0;
        settle(model.get("state"));
        say();
      }
    };
    playing = requestAnimationFrame(next);
  }

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
  }

  // What Python says

  function update() {
    const state = model.get("state");
    if (!state.names) return; // nothing could be measured yet
    stop();
    const first = !parts;
    if (first || state.names.length !== names.length) build(state);
    if (first || state.frames || !(held || moved || waiting())) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (state.frames && !first && !still) return play(state);
      follow(state);
    }
    settle(state);
    say();
  }

  // Not at every step of a drag: that would be sixty sentences a second.
  function say() {
    clearTimeout(saying);
    words.textContent = ""; // what it said was of the picture before
    saying = setTimeout(() => {
      if (held || playing || waiting()) return; // the end of it says
      words.textContent = model.get("trouble") || model.get("state").summary || "";
    }, QUIET);
  }

  const watcher = new ResizeObserver(arrange);
  watcher.observe(el);
  model.on("change:state", update);
  model.on("change:answered", () => {
    ask();
    say();
  });
  model.on("change:trouble", say);
  update();
  words.textContent = model.get("trouble") || model.get("state").summary || "";
  return () => {
    watcher.disconnect();
    stop();
    clearTimeout(saying);
  };
}

export default { render };
