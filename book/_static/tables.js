// Tables of the book: a click, or Enter, on a column's heading sorts; a button below saves the table as CSV.
// Works on what pandas writes, plain or styled, and on tables of text; `window.sortable(table, name)` dresses one made later.
(() => {
  "use strict";
  const MISSING = /^(|–|-|NA|N\/A|nan|NaN|NaT|None|<NA>|inf)$/;
  const NUMBER = /^([-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[-+]?\d+)?)\s*(?:%|k|s|min|h|±.*)?$/i;
  const LAST = /^(Total|Mean)\b/; // rows that sum the others up stay at the foot
  const text = (cell) => (cell ? cell.innerText ?? cell.textContent : "").trim().replace(/\s+/g, " ");

  function number(words) {
    const found = /\d/.test(words) && NUMBER.exec(words);
    return found ? Number(found[1].replace(/,/g, "").replace("−", "-")) : NaN;
  }

  // Cells by row and column; a cell over several rows or columns stands in each of them.
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
      head.map((row) => text(row[x])).filter((one, y, all) => one && one !== all[y - 1]).join(" "));
    const value = (cell) => {
      const words = text(cell);
      if (MISSING.test(words)) return "";
      return /^[-+−]?[\d,]+(\.\d+)?$/.test(words) && !Number.isNaN(number(words))
        ? words.replace(/,/g, "").replace("−", "-") : words;
    };
    const line = (fields) =>
      fields.map((one) => (/[",\n]/.test(one) ? `"${one.replace(/"/g, '""')}"` : one)).join(",") + "\r\n";
    return line(names) + body.map((row) => line(Array.from({ length: width }, (_, x) => value(row[x])))).join("");
  }

  const bodyRows = (table) => [...table.tBodies].flatMap((body) => [...body.rows]);

  // Rows that one heading spans belong together and are sorted among themselves, with sums and means left at the foot.
  function blocks(rows, cells) {
    const found = [];
    let left = 0;
    rows.forEach((row, y) => {
      if (left === 0) {
        left = row.cells[0]?.rowSpan ?? 1;
        found.push({ heading: left > 1 ? row.cells[0] : null, free: [], foot: [] });
      }
      const label = cells[y].find((cell) => cell !== found.at(-1).heading);
      found.at(-1)[LAST.test(text(label)) ? "foot" : "free"].push({ row, cells: cells[y] });
      left -= 1;
    });
    // rows without a common heading make one block
    return found.some((block) => block.heading) ? found : [found.reduce((one, other) => ({
      heading: null, free: [...one.free, ...other.free], foot: [...one.foot, ...other.foot],
    }))];
  }

  function compare(one, other) {
    const numbers = [number(one), number(other)];
    if (numbers.every((value) => !Number.isNaN(value))) return numbers[0] - numbers[1];
    if (numbers.some((value) => !Number.isNaN(value))) return Number.isNaN(numbers[0]) ? 1 : -1;
    return one.localeCompare(other, "en", { numeric: true });
  }

  function sort(parts, column, direction) {
    for (const { heading, free, foot } of parts) {
      const key = new Map(free.map((one) => [one, text(one.cells[column])]));
      const order = [...free];
      if (direction) order.sort((one, other) => {
        const gone = [one, other].map((entry) => MISSING.test(key.get(entry)));
        if (gone[0] || gone[1]) return gone[0] - gone[1]; // what is missing comes last either way
        return direction * compare(key.get(one), key.get(other));
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
    const said = document.createElement("p");
    said.className = "table-said";
    said.setAttribute("role", "status");
    const width = Math.max(...heads.map((row) => row.length));
    const sorted = [];
    for (let x = 0; x < width; x += 1) {
      const values = bodies.map((row) => row[x]).filter((one) => one && !MISSING.test(text(one)));
      if (values.length && values.every((one) => one.tagName === "TD" && !Number.isNaN(number(text(one)))))
        for (const row of [...heads, ...bodies]) row[x]?.colSpan === 1 && row[x].classList.add("number");
      const cell = heads.map((row) => row[x]).reverse().find((one) => one && one.colSpan === 1 && text(one));
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
        for (const one of sorted) one.setAttribute("aria-sort", one === cell ? next : "none");
        sort(parts, x, { ascending: 1, descending: -1, none: 0 }[next]);
        said.textContent = next === "none" ? "Rows in their first order." : `Sorted by ${label}, ${next}.`;
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
    const words = document.createElement("span");
    words.textContent = "Save as ";
    tools.append(words, save, said);
    (table.closest(".table-scroll, .webmap-scroll") ?? table).after(tools);
  }

  // A wide table scrolls in its own frame, which the keyboard reaches.
  function framed(table, name) {
    const frame = document.createElement("div");
    frame.className = "table-scroll";
    table.before(frame);
    frame.append(table);
    const reach = () => {
      const wide = frame.scrollWidth > frame.clientWidth + 1;
      for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", `${name.replace(/-/g, " ")}, scrolls`]])
        wide ? frame.setAttribute(key, value) : frame.removeAttribute(key);
    };
    new ResizeObserver(reach).observe(frame);
  }

  window.sortable = sortable;
  document.addEventListener("DOMContentLoaded", () => {
    const tables = [...document.querySelectorAll(".bd-article table")]
      .filter((one) => !one.closest(".xr-wrap, .webmap, .highlight, nav"));
    tables.forEach((table, place) => {
      framed(table, `table-${place + 1}`);
      sortable(table, `table-${place + 1}`);
    });
  });
})();
