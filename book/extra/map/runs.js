// The runs of the map page: the first is shown when the page opens, the others when they are chosen. Each is built once.
"use strict";

(() => {
  const {element, labelled, select, build} = window.webmap;
  const root = document.querySelector(".webmap");
  const runs = new Map([...document.querySelectorAll(".webmap-data")].map((one) => [one.dataset.run, one]));
  const link = new URLSearchParams(location.hash.slice(1));
  const first = runs.has(link.get("run")) ? link.get("run") : runs.keys().next().value;
  const built = new Map(); // what `build` gives by key, with its element

  /** The data of a run, from the page or from the file that the page names. */
  async function read({textContent, dataset: {file}}) {
    if (!file) return JSON.parse(textContent);
    await new Promise((done, failed) => {
      const script = element("script", {src: file});
      Object.assign(script, {onload: done, onerror: () => failed(new Error(`${file} is missing`))});
      document.head.append(script);
    });
    return window.webmap.loaded;
  }

  async function show(key) {
    for (const {app} of built.values()) app.hidden = true;
    if (built.has(key)) built.get(key).app.hidden = false;
    else {
      const app = root.appendChild(element("div", {class: "webmap-app"}));
      const own = key === first ? link : new URLSearchParams();
      built.set(key, {app, ...(await build(app, await read(runs.get(key)), own, key))});
    }
    root.map = built.get(key).map; // for tests, and for whoever opens the console
    root.querySelector(".webmap-still")?.remove();
  }

  function failed(error) {
    root.append(element("p", {}, `The interactive map cannot be shown in this browser (${error.message}).`));
    throw error;
  }

  if (runs.size > 1) {
    const options = [...runs].map(([key, one]) => [key, one.dataset.title]);
    const change = (key) => show(key).then(() => built.get(key).remember()).catch(failed);
    root.prepend(element("div", {class: "webmap-run"}, labelled("Run", select("run", [["", options]], first, change))));
  }
  const usable = () => performance.mark("webmap"); // benchmarks/pages.py waits for it
  show(first).then(() => root.map.once("rendercomplete", usable)).catch(failed);
})();
