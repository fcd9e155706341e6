// A FigureWidget measures its width before JupyterLab has placed it, and never again. Responsive
// figures measure anew when the window is resized, so whatever changes the panel's size says so.
function render({ el }) {
  const observer = new ResizeObserver(() => window.dispatchEvent(new Event("resize")));
  requestAnimationFrame(() => observer.observe(el.closest(".widget-vbox") ?? el));
  return () => observer.disconnect();
}

export default { render };
