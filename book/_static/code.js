// Folds the code of pages, and adds a button to the header that shows or hides the code of the whole book. The browser
// remembers the choice. Without this script, all code is visible.
(() => {
  "use strict";
  const KEY = "paperlib-code";
  const remembered = () => { try { return localStorage.getItem(KEY) === "shown"; } catch { return false; } };
  const remember = (shown) => { try { localStorage.setItem(KEY, shown ? "shown" : "folded"); } catch { /* private window */ } };

  // a link to something folded opens it
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest("details");
    if (fold && !fold.open) { fold.open = true; target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", reveal);

  document.addEventListener("DOMContentLoaded", () => {
    reveal();
    const folds = [...document.querySelectorAll("details.code-fold")];
    const show = (shown) => folds.forEach((fold) => { fold.open = shown; });
    show(remembered());
    document.documentElement.classList.remove("folding");
    const place = document.querySelector(".article-header-buttons");
    if (!folds.length || !place) return;
    const button = document.createElement("button");
    button.className = "btn btn-sm code-switch";
    const label = (shown) => {
      button.textContent = "</>";
      button.title = shown ? "Hide all code" : "Show all code";
      button.setAttribute("aria-label", button.title);
      button.setAttribute("aria-pressed", String(shown));
    };
    label(remembered());
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      remember(shown);
      show(shown);
      label(shown);
    });
    place.prepend(button);
  });
})();
