// Tables of the book: clicking a column heading, or pressing Enter on it, sorts the table; a button below saves it as CSV.
// Supports plain and styled tables of pandas and Markdown tables. `window.sortable(table, name)` and
// `window.hinted(frame, name)` apply to tables made later.
(() => {
  "use strict";
  const MISSING = /^(|–|-|NA|N\/A|nan|NaN|NaT|None|<NA>|inf)$/;
  const NUMBER = /^([-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[-+]?\d+)?)\s*(?:%|k|s|min|h|±.*)?$/i;
  const LAST = /^(Total|Mean)\b/; // summary rows stay at the foot
  const words = (cell) => cell.querySelector("abbr[title]")?.title ?? // the full name
    (cell.querySelector("details") ? cell.textContent : cell.innerText) ?? cell.textContent; // folded text too
  const text = (cell) => (cell ? words(cell) : "").trim().replace(/\s+/g, " ");

  function number(content) {
    const match = /\d/.test(content) && NUMBER.exec(content);
    return match ? Number(match[1].replace(/,/g, "").replace("−", "-")) : NaN;
  }

  // Cells by row and column; a cell that spans several rows or columns is repeated in each of them.
  function grid(rows) {
    const cells = rows.map(() => []);
    rows.forEach((row, y) => {
      let x = 0;
      for (const cell of row.cells) {
        while (cells[y][x]) x += 1;
        for (let down = 0; down < Math.min(cell.rowSpan, rows.length - y); down += 1)
          for (let right = 0; right < cell.colSpan; right += 1) cells[y + down][x + right] = cell;
        x += cell.colSpan;
      }
    });
    return cells;
  }

  function csv(table) {
    const head = grid([...(table.tHead?.rows ?? [])]);
    const body = grid(bodyRows(table));
    const width = Math.max(...[...head, ...body].map((row) => row.length));
    const names = Array.from({ length: width }, (_, x) =>
      head.map((row) => text(row[x])).filter((name, y, all) => name && name !== all[y - 1]).join(" "));
    const value = (cell) => {
      const content = text(cell);
      if (MISSING.test(content)) return "";
      return /^[-+−]?[\d,]+(\.\d+)?$/.test(content) && !Number.isNaN(number(content))
        ? content.replace(/,/g, "").replace("−", "-") : content;
    };
    const line = (fields) =>
      fields.map((field) => (/[",\n]/.test(field) ? `"${field.replace(/"/g, '""')}"` : field)).join(",") + "\r\n";
    return line(names) + body.map((row) => line(Array.from({ length: width }, (_, x) => value(row[x])))).join("");
  }

  const bodyRows = (table) => [...table.tBodies].flatMap((body) => [...body.rows]);

  // Rows that share a heading form a block and are sorted within it; sums and means stay at the foot.
  function blocks(rows, cells) {
    const result = [];
    let left = 0;
    rows.forEach((row, y) => {
      if (left === 0) {
        left = row.cells[0]?.rowSpan ?? 1;
        result.push({ heading: left > 1 ? row.cells[0] : null, free: [], foot: [] });
      }
      const label = cells[y].find((cell) => cell !== result.at(-1).heading);
      result.at(-1)[LAST.test(text(label)) ? "foot" : "free"].push({ row, cells: cells[y] });
      left -= 1;
    });
    // rows without a common heading form one block
    return result.some((block) => block.heading) ? result : [result.reduce((first, second) => ({
      heading: null, free: [...first.free, ...second.free], foot: [...first.foot, ...second.foot],
    }))];
  }

  function compare(first, second) {
    const numbers = [number(first), number(second)];
    if (numbers.every((value) => !Number.isNaN(value))) return numbers[0] - numbers[1];
    if (numbers.some((value) => !Number.isNaN(value))) return Number.isNaN(numbers[0]) ? 1 : -1;
    return first.localeCompare(second, "en", { numeric: true });
  }

  function sort(parts, column, direction) {
    for (const { heading, free, foot } of parts) {
      const key = new Map(free.map((entry) => [entry, text(entry.cells[column])]));
      const order = [...free];
      if (direction) order.sort((first, second) => {
        const missing = [first, second].map((entry) => MISSING.test(key.get(entry)));
        if (missing[0] || missing[1]) return missing[0] - missing[1]; // missing values come last in both directions
        return direction * compare(key.get(first), key.get(second));
      });
      for (const { row } of [...order, ...foot]) row.parentNode.append(row);
      if (heading) (order[0] ?? foot[0]).row.prepend(heading);
    }
  }

  function sortable(table, name) {
    const rows = bodyRows(table);
    if (!table.tHead || !text(table.tHead) || rows.length < 2 || table.dataset.sortable) return;
    table.dataset.sortable = "yes";
    const heads = grid([...table.tHead.rows]);
    const bodies = grid(rows);
    const parts = blocks(rows, bodies);
    const status = document.createElement("p");
    status.className = "table-status";
    status.setAttribute("role", "status");
    const width = Math.max(...heads.map((row) => row.length));
    const sorted = [];
    for (let x = 0; x < width; x += 1) {
      const values = bodies.map((row) => row[x]).filter((cell) => cell && !MISSING.test(text(cell)));
      if (values.length && values.every((cell) => cell.tagName === "TD" && !Number.isNaN(number(text(cell)))))
        for (const row of [...heads, ...bodies]) row[x]?.colSpan === 1 && row[x].classList.add("number");
      const cell = heads.map((row) => row[x]).reverse().find((head) => head && head.colSpan === 1 && text(head));
      if (!cell || (bodies[0]?.[x]?.rowSpan ?? 1) > 1) continue;
      const label = text(cell);
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      button.title = "Sort by this column";
      cell.append(button);
      cell.setAttribute("aria-sort", "none");
      if (!cell.hasAttribute("scope") && cell.tagName === "TH") cell.scope = "col";
      sorted.push(cell);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[cell.getAttribute("aria-sort")];
        for (const head of sorted) head.setAttribute("aria-sort", head === cell ? next : "none");
        sort(parts, x, { ascending: 1, descending: -1, none: 0 }[next]);
        status.textContent = next === "none" ? "Original order of rows." : `Sorted by ${label}, ${next}.`;
      });
    }
    const tools = document.createElement("div");
    tools.className = "table-tools";
    const save = document.createElement("button");
    save.type = "button";
    save.textContent = "CSV";
    save.setAttribute("aria-label", `CSV: save ${name.replace(/-/g, " ")} of this page`);
    save.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv" }));
      const page = location.pathname.split("/").pop().replace(/\.html$/, "") || "index";
      link.download = `${page}-${name}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
    const prefix = document.createElement("span");
    prefix.textContent = "Save as ";
    tools.append(prefix, save, status);
    const scrolls = table.closest(".table-scroll, .webmap-scroll") ?? table;
    (scrolls.nextElementSibling?.matches(".table-hint") ? scrolls.nextElementSibling : scrolls).after(tools);
  }

  // A table too wide for the text takes the right margin too, or else scrolls in its frame, which the keyboard can focus.
  function framed(table, name) {
    const frame = document.createElement("div");
    frame.className = "table-scroll";
    table.before(frame);
    frame.append(table);
    hinted(frame, name);
    sortable(table, name);
    if (frame.closest(".full-width, .tag_full-width, details")) return;
    const contents = document.querySelector(".bd-sidebar-secondary"); // they make room for what takes the margin
    let width = 0;
    const widen = () => {
      if (width === frame.parentElement.clientWidth) return;
      width = frame.parentElement.clientWidth;
      frame.classList.remove("wide", "full-width");
      if (frame.scrollWidth > frame.clientWidth + 1) frame.classList.add("wide", ...(contents ? ["full-width"] : []));
    };
    widen();
    new ResizeObserver(() => requestAnimationFrame(widen)).observe(frame.parentElement);
  }

  // A line below a frame says that there are more columns, while there are; then the frame can be focused.
  function hinted(frame, name) {
    const hint = document.createElement("p");
    hint.className = "table-hint";
    hint.textContent = "More columns: scroll the table sideways \u2192";
    frame.after(hint);
    const reach = () => {
      const wide = frame.scrollWidth > frame.clientWidth + 1;
      hint.hidden = !wide;
      for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", `${name.replace(/-/g, " ")}, scrolls`]])
        wide ? frame.setAttribute(key, value) : frame.removeAttribute(key);
    };
    new ResizeObserver(reach).observe(frame);
  }

  Object.assign(window, { sortable, hinted });
  document.addEventListener("DOMContentLoaded", () => {
    const tables = [...document.querySelectorAll(".bd-article table")]
      .filter((table) => !table.closest(".xr-wrap, .webmap, .highlight, nav"));
    tables.forEach((table, index) => framed(table, `table-${index + 1}`));
  }, { capture: true }); // before the theme looks for what takes the margin
})();
