// A labelled box for a text, what Python says of it, and a button for each thing that it finds.
function render({ model, el }) {
  el.classList.add("course-search");
  const form = document.createElement("div");
  const label = document.createElement("label");
  label.textContent = `${model.get("label")} `;
  const input = document.createElement("input");
  input.type = "text";
  // JupyterLab would take some keys for its own commands.
  input.dataset.lmSuppressShortcuts = "true";
  label.append(input);
  const button = document.createElement("button");
  button.textContent = model.get("action");
  button.dataset.lmSuppressShortcuts = "true";
  form.append(label, button);
  const words = document.createElement("p");
  words.setAttribute("role", "status"); // read out when it changes
  const list = document.createElement("ul");
  el.append(form, words, list);

  const send = () => {
    words.textContent = model.get("waiting");
    model.send({ text: input.value });
  };
  button.addEventListener("click", send);
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    send();
  });
  function update() {
    list.replaceChildren(...model.get("results").map(({ number, text }) => {
      const item = document.createElement("li");
      const found = document.createElement("button");
      found.textContent = text;
      found.dataset.lmSuppressShortcuts = "true";
      found.addEventListener("click", () => model.send({ go: number }));
      item.append(found);
      return item;
    }));
  }
  function say() {
    words.textContent = model.get("words");
  }
  // The same sentence again is no change of the words, but "Looking ..." must go.
  model.on("msg:custom", say);
  model.on("change:results", update);
  model.on("change:words", say);
  update();
  say();
}

export default { render };
