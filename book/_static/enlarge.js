// A click on a figure, or Enter on it, shows its SVG in a window over the page, which scrolls where the screen is smaller;
// Escape, the button or a click beside the figure closes it. Without this script, the link opens the SVG.
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    const links = [...document.querySelectorAll("a.enlarge")];
    if (!links.length || !window.HTMLDialogElement) return;
    const dialog = document.createElement("dialog");
    dialog.className = "enlarged";
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    const frame = document.createElement("div");
    frame.tabIndex = 0; // the arrow keys scroll it
    frame.setAttribute("role", "group");
    const picture = document.createElement("img");
    frame.append(picture);
    dialog.append(close, frame);
    document.body.append(dialog);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    for (const link of links) {
      link.setAttribute("aria-haspopup", "dialog");
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab or window, as for every link
        event.preventDefault();
        picture.src = link.href;
        picture.alt = link.querySelector("img").alt;
        dialog.setAttribute("aria-label", "Enlarged figure");
        frame.setAttribute("aria-label", "Figure, scrolls");
        dialog.showModal();
      });
    }
  });
})();
