// A native range input: keyboard, pointer and screen readers work as the browser knows them.
// The readout follows every movement; Python hears of a value when it is let go or a key is hit.
function render({ model, el }) {
  // Random and not counted: every widget has a copy of this module, and each would count from 1.
  const id = `course-slider-${Math.random().toString(36).slice(2)}`;
  const label = document.createElement("label");
  const input = document.createElement("input");
  const readout = document.createElement("output");
  label.htmlFor = input.id = id;
  readout.htmlFor = id;
  input.type = "range";
  input.min = 0;
  input.step = 1;
  el.classList.add("course-slider");
  // JupyterLab would take the arrow keys for moving from cell to cell.
  input.dataset.lmSuppressShortcuts = "true";
  el.append(label, input, readout);

  const say = () => {
    const words = model.get("labels")[input.value] ?? "";
    readout.textContent = words;
    input.setAttribute("aria-valuetext", words);
  };
  const draw = () => {
    label.textContent = model.get("name");
    input.max = model.get("labels").length - 1;
    input.value = model.get("index");
    say();
  };
  input.addEventListener("input", say);
  input.addEventListener("change", () => {
    model.set("index", Number(input.value));
    model.save_changes();
  });
  model.on("change:name change:labels change:index", draw);
  draw();
}

export default { render };
