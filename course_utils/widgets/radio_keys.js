// JupyterLab would take the arrow keys for moving from cell to cell.
function render({ el }) {
  el.style.display = "none";
  const begin = () => {
    if (!el.parentElement) return requestAnimationFrame(begin); // not in the page yet
    el.parentElement.addEventListener("focusin", ({ target }) => {
      if (target.type === "radio") target.dataset.lmSuppressShortcuts = "true";
    });
  };
  begin();
}

export default { render };
