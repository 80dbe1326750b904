// Elements, controls and decoded numbers for the map of the page explore: webmap.js and chart.js take them from `webmap`.
"use strict";

window.webmap = {};
(() => {
  /** An HTML element with attributes and children; strings are never parsed as HTML. */
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /** An SVG element with attributes and children. */
  function shape(tag, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /** Decode numbers written by `webmap.pack`: Uint8Array, or Int16Array stored as two planes of bytes. */
  async function unpack(text, wide = false) {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let index = 0; index < bytes.length; index++) bytes[index] = letters.charCodeAt(index);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const plain = new Uint8Array(await new Response(stream).arrayBuffer());
    if (!wide) return plain;
    const count = plain.length / 2;
    return Int16Array.from({length: count}, (_, index) => plain[index] | (plain[count + index] << 8));
  }

  const table = (caption, head, body) =>
    element("table", {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", {scope: "col"}, text)))),
      element("tbody", {}, ...body.map(([first, ...rest]) =>
        element("tr", {}, element("th", {scope: "row"}, first), ...rest.map((cell) => element("td", {}, cell))))));

  const scrolled = (inner, label) => {
    const frame = element("div", {class: "webmap-scroll", tabindex: "0", role: "region", "aria-label": label}, inner);
    queueMicrotask(() => { // book/_static/tables.js
      if (frame.isConnected) window.hinted?.(frame, label);
      window.sortable?.(inner, label.toLowerCase().replaceAll(" ", "-"));
    });
    return frame;
  };

  function labelled(text, control) {
    return element("label", {}, element("span", {}, text), control);
  }

  function select(name, groups, chosen, change) {
    const made = element("select", {name});
    for (const [label, options] of groups) {
      const parent = label ? element("optgroup", {label}) : made;
      for (const [value, text] of options) parent.append(element("option", {value}, text));
      if (label) made.append(parent);
    }
    made.value = chosen;
    made.addEventListener("change", () => change(made.value));
    return made;
  }

  function range(name, value, change) {
    const made = element("input", {type: "range", name, min: 0, max: 100, value});
    made.addEventListener("input", () => change(Number(made.value)));
    return made;
  }

  Object.assign(window.webmap, {element, shape, unpack, table, scrolled, labelled, select, range});
})();
