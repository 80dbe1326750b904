// The interactive map of paperlib.pages.webmap: two sides with a swipe between them, and information about a pixel. Requires
// `ol` (vendor/ol) and the JSON that webmap.py writes into the page, where its keys are described.
"use strict";

(() => {
  const root = document.querySelector(".webmap");
  const app = root.querySelector(".webmap-app");
  const data = JSON.parse(document.getElementById("webmap-data").textContent);
  const [rows, columns] = data.size;
  const [left, bottom, right, top_] = data.extent;
  const [pixelX, pixelY] = [(right - left) / columns, (top_ - bottom) / rows];
  const covers = new Map(data.legend.map((cover) => [cover.code, cover]));
  const DASHES = {train: undefined, validation: [10, 5], test: [2, 5]}; // outline of a polygon by its set
  const composites = Object.keys(data.images);
  const dates = Object.keys(data.images[composites[0]]);

  // -- small helpers ------------------------------------------------------------------------------------------------

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
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
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

  /** A class as a coloured square and its name. */
  function named(code) {
    const cover = covers.get(code);
    if (!cover) return "no data";
    const swatch = element("i", {class: "webmap-swatch"});
    swatch.style.background = cover.colour;
    return element("span", {}, swatch, cover.name);
  }

  // -- layers -------------------------------------------------------------------------------------------------------

  const projection = new ol.Projection({code: "scene", units: "m", extent: data.extent});
  const loaded = new Map(); // sources by name: each image is created once

  function source(name, make) {
    if (!loaded.has(name)) {
      const loader = () => make().then((image) => ({image, extent: data.extent, resolution: [pixelX, pixelY]}));
      loaded.set(name, new ol.ImageSource({projection, interpolate: false, loader}));
    }
    return loaded.get(name);
  }

  async function photograph(uri) {
    const image = new Image();
    image.src = uri;
    await image.decode();
    return image;
  }

  /** A canvas that shows each number of `values` in the colour `colour(value)`, transparent where there is none. */
  async function painted(values, colour) {
    const canvas = element("canvas", {width: columns, height: rows});
    const context = canvas.getContext("2d");
    const picture = context.createImageData(columns, rows);
    const known = new Map();
    values.forEach((value, index) => {
      if (!known.has(value)) {
        const text = colour(value);
        known.set(value, text ? [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16)) : null);
      }
      if (known.get(value)) picture.data.set([...known.get(value), 255], 4 * index);
    });
    context.putImageData(picture, 0, 0);
    return canvas;
  }

  /** One side of the swipe: a composite with an optional map on top. */
  function makeSide(image, date, map) {
    const side = {image, date, map, base: new ol.ImageLayer(), top: new ol.ImageLayer()};
    side.refresh = () => {
      side.base.setSource(source(`${side.image} ${side.date}`, () => photograph(data.images[side.image][side.date])));
      const [kind, name] = side.map.split("/");
      const one = data.maps.find((map) => map.name === name);
      side.top.setVisible(Boolean(one));
      if (!one) return;
      const colour = kind === "classes" ? (code) => covers.get(code)?.colour : (percent) => data.ramp[percent];
      side.top.setSource(source(side.map, () => painted(one.values[kind], colour)));
    };
    /** Text description of what is shown, and of the map's value at a pixel if given, for screen readers. */
    side.describe = (row, column) => {
      const [kind, name] = side.map.split("/");
      if (!name) return `${side.image}, ${side.date}`;
      const title = kind === "classes" ? name : `confidence of ${name}`;
      if (row === undefined) return title;
      const value = data.maps.find((map) => map.name === name).values[kind][row * columns + column];
      const label = kind === "classes" ? covers.get(value)?.name : value <= 100 ? `${value} %` : undefined;
      return `${title}: ${label ?? "no data"}`;
    };
    return side;
  }

  // -- the pixel ----------------------------------------------------------------------------------------------------

  const centre = (row, column) => [left + (column + 0.5) * pixelX, top_ - (row + 0.5) * pixelY];

  function polygonAt(row, column, polygons) {
    return polygons.getFeaturesAtCoordinate(centre(row, column))[0];
  }

  /** Rows of the table of a pixel: class and confidence in every map. */
  function answers(row, column) {
    const index = row * columns + column;
    const truth = data.maps.find((map) => map.name === "truth")?.values.classes[index];
    return data.maps.map(({name, values}) => {
      const code = values.classes[index];
      const percent = values.confidence?.[index];
      const cells = [name, named(code), percent === undefined || percent === 255 ? "–" : String(percent)];
      if (truth !== undefined) cells.push(name === "truth" ? "–" : code === truth ? "yes" : "no");
      return cells;
    });
  }

  /** Values by band and date, and whether a date is used; null outside the square that has series. */
  function seriesAt(row, column) {
    const {row: first, column: start, size, bands, dates: days, values, mask, scale} = data.series;
    const [y, x] = [row - first, column - start];
    if (y < 0 || x < 0 || y >= size[0] || x >= size[1]) return null;
    const [area, place] = [size[0] * size[1], y * size[1] + x];
    const stored = (band, day) => values[(band * days.length + day) * area + place];
    const reflectance = bands.map((_, band) =>
      days.map((_, day) => (stored(band, day) === -32768 ? null : stored(band, day) / scale)));
    const [red, infrared] = [data.series.red, data.series.infrared].map((place) => reflectance[place]);
    const ratio = (a, b) => (a === null || b === null || a + b === 0 ? null : (b - a) / (a + b));
    return {
      reflectance,
      ndvi: red && infrared ? days.map((_, day) => ratio(red[day], infrared[day])) : null,
      used: days.map((_, day) => mask[day * area + place] === 0),
    };
  }

  /** Table of the share of each class in the rectangle between two pixels, in every map. */
  function shares([row1, column1], [row2, column2]) {
    const [top, bottom] = [Math.min(row1, row2), Math.max(row1, row2)];
    const [start, end] = [Math.min(column1, column2), Math.max(column1, column2)];
    const counts = data.maps.map(({values}) => {
      const found = new Map();
      for (let row = top; row <= bottom; row++)
        for (let column = start; column <= end; column++) {
          const code = values.classes[row * columns + column];
          found.set(code, (found.get(code) ?? 0) + 1);
        }
      return found;
    });
    const pixels = (bottom - top + 1) * (end - start + 1);
    const present = data.legend.filter(({code}) => counts.some((found) => found.has(code)));
    const body = present.map(({code}) =>
      [named(code), ...counts.map((found) => ((100 * (found.get(code) ?? 0)) / pixels).toFixed(1))]);
    const made = table(`Share of each class in ${bottom - top + 1} x ${end - start + 1} pixels (%)`,
      ["class", ...data.maps.map((map) => map.name)], body);
    made.className = "webmap-legend webmap-shares";
    return made;
  }

  // -- the chart ----------------------------------------------------------------------------------------------------

  /** Rounded tick values from below `low` to above `high`. */
  function ticks(low, high, count) {
    const rough = (high - low) / count || 0.1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999);
    const found = [];
    for (let index = Math.floor(low / step + 1e-6); ; index++) {
      found.push(Number((index * step).toPrecision(6)));
      if (index * step >= high - 1e-9) return found;
    }
  }

  /** First days of months along the axis, at most `count`, evenly spaced. */
  function months(start, end, count) {
    const found = [];
    for (let day = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), 1)); day <= end; ) {
      if (day >= start) found.push(day);
      day = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1));
    }
    const step = Math.ceil(found.length / count);
    return found.filter((_, index) => index % step === 0);
  }

  function chart(series, width, title) {
    const days = data.series.dates.map((text) => new Date(`${text}T00:00Z`));
    const [margin, gap] = [{left: 58, right: 12, top: 12, bottom: 44}, 22];
    const span = Math.max(days.at(-1) - days[0], 864e5);
    const x = (day) => margin.left + 6 + ((day - days[0]) / span) * (width - margin.left - margin.right - 12);
    const {bands, styles} = data.series;
    const lines = bands.map((band, number) => [band, series.reflectance[number], styles[number]]);
    const panels = [{name: data.series.unit, lines, height: 190}];
    const green = ["#1a9a2e", ""];
    if (series.ndvi) panels.push({name: "NDVI (-1 to 1)", lines: [["NDVI", series.ndvi, green]], height: 110});
    const height = panels.reduce((sum, one) => sum + one.height + gap, margin.top + margin.bottom - gap);
    const picture = shape("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title});
    const text = (content, attributes) => picture.append(shape("text", attributes, content));
    let above = margin.top;
    for (const panel of panels) {
      const values = panel.lines.flatMap(([, line]) => line).filter((value) => value !== null);
      const marks = ticks(Math.min(0, ...values), Math.max(...values, 0.1), 4);
      const [low, high, floor] = [marks[0], marks.at(-1), above + panel.height];
      const y = (value) => floor - ((value - low) / (high - low)) * panel.height;
      for (const mark of marks) {
        const ends = {x1: margin.left, x2: width - margin.right, y1: y(mark), y2: y(mark)};
        picture.append(shape("line", {...ends, class: "grid"}));
        text(String(mark), {x: margin.left - 6, y: y(mark) + 4, "text-anchor": "end"});
      }
      const middle = (above + floor) / 2;
      text(panel.name, {transform: `translate(14 ${middle}) rotate(-90)`, "text-anchor": "middle"});
      for (const [name, line, [stroke, dash]] of panel.lines) {
        const used = days.flatMap((day, index) => (series.used[index] && line[index] !== null ? [index] : []));
        const points = used.map((index) => `${x(days[index]).toFixed(1)},${y(line[index]).toFixed(1)}`).join(" ");
        picture.append(shape("polyline", {points, stroke, "stroke-dasharray": dash, "data-name": name}));
        line.forEach((value, index) => {
          if (value === null) return;
          const fill = series.used[index] ? stroke : "#fff";
          const remark = series.used[index] ? "" : ", not used";
          const hint = `${name}, ${data.series.dates[index]}: ${value.toFixed(4)}${remark}`;
          const point = {cx: x(days[index]), cy: y(value), r: 2.6, stroke, fill};
          picture.append(shape("circle", point, shape("title", {}, hint)));
        });
      }
      above = floor + gap;
    }
    const foot = above - gap;
    for (const month of months(days[0], days.at(-1), width / 80)) {
      picture.append(shape("line", {x1: x(month), x2: x(month), y1: foot, y2: foot + 5, class: "axis"}));
      text(month.toISOString().slice(0, 7), {x: x(month), y: foot + 18, "text-anchor": "middle"});
    }
    picture.append(shape("line", {x1: margin.left, x2: width - margin.right, y1: foot, y2: foot, class: "axis"}));
    text("date (year-month)", {x: (margin.left + width - margin.right) / 2, y: foot + 37, "text-anchor": "middle"});
    return picture;
  }

  /** Names of the lines, each with its colour and dashes. */
  function chartLegend() {
    const items = data.series.bands.map((band, number) => {
      const [stroke, dash] = data.series.styles[number];
      const line = shape("line", {x1: 0, x2: 26, y1: 6, y2: 6, stroke, "stroke-width": 2, "stroke-dasharray": dash});
      return element("li", {}, shape("svg", {width: 26, height: 12, "aria-hidden": "true"}, line), band);
    });
    return element("ul", {class: "webmap-lines"}, ...items);
  }

  function seriesTable(series) {
    const show = (value) => (value === null ? "no data" : value.toFixed(4));
    const head = ["date", ...data.series.bands, ...(series.ndvi ? ["NDVI"] : []), "used"];
    const body = data.series.dates.map((day, index) => [
      day,
      ...series.reflectance.map((line) => show(line[index])),
      ...(series.ndvi ? [show(series.ndvi[index])] : []),
      series.used[index] ? "yes" : "no",
    ]);
    return table(`${data.series.unit[0].toUpperCase()}${data.series.unit.slice(1)} by band and date`, head, body);
  }

  // -- controls -----------------------------------------------------------------------------------------------------

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

  function sideControls(title, key, side, changed) {
    const change = (what) => (value) => {
      side[what] = value;
      changed();
    };
    const sure = data.maps.filter((map) => map.values.confidence);
    const kinds = [
      ["", [["none", "none"]]],
      ["Classes", data.maps.map(({name}) => [`classes/${name}`, name])],
      ["Confidence", sure.map(({name}) => [`confidence/${name}`, `confidence of ${name}`])],
    ];
    const plain = (names) => [["", names.map((name) => [name, name])]];
    return element("fieldset", {},
      element("legend", {}, title),
      labelled("Map", select(`${key}-map`, kinds, side.map, change("map"))),
      labelled("Image below", select(`${key}-image`, plain(composites), side.image, change("image"))),
      labelled("Date of the image", select(`${key}-date`, plain(dates), side.date, change("date"))));
  }

  function range(name, value, change) {
    const made = element("input", {type: "range", name, min: 0, max: 100, value});
    made.addEventListener("input", () => change(Number(made.value)));
    return made;
  }

  /** Class areas as a table. */
  function areas() {
    const shown = (value) => value.toLocaleString("en", {minimumFractionDigits: 1, maximumFractionDigits: 1});
    const body = data.legend.map((cover, index) => [
      named(cover.code), ...data.maps.map((map) => shown(map.hectares[index])),
    ]);
    const made = table("Class areas of the part shown (ha)", ["class", ...data.maps.map((map) => map.name)], body);
    made.className = "webmap-legend";
    return scrolled(made, "Class areas");
  }

  /** Legend of colours and outlines. */
  function legend() {
    const ramp = element("div", {class: "webmap-ramp", "aria-hidden": "true"});
    ramp.style.background = `linear-gradient(to right, ${data.ramp.filter((_, index) => index % 10 === 0).join(", ")})`;
    const outline = (name) => {
      const dash = DASHES[name]?.join(" ") ?? "";
      const line = shape("line", {x1: 0, x2: 36, y1: 6, y2: 6, "stroke-width": 2.5, "stroke-dasharray": dash});
      return element("li", {}, shape("svg", {width: 36, height: 12, "aria-hidden": "true"}, line), name);
    };
    const classes = data.legend.map(({code}) => element("li", {}, named(code)));
    return element("div", {class: "webmap-keys"},
      element("ul", {class: "webmap-lines"}, ...classes),
      element("div", {}, "Confidence (%): 0 ", ramp, " 100"),
      element("div", {}, "Polygons: ", element("ul", {class: "webmap-lines"}, ...Object.keys(DASHES).map(outline))));
  }

  // -- start ----------------------------------------------------------------------------------------------------

  async function start() {
    for (const map of data.maps) {
      map.values = {classes: await unpack(map.classes)};
      if (map.confidence) map.values.confidence = await unpack(map.confidence);
    }
    data.series.values = await unpack(data.series.values, true);
    data.series.mask = await unpack(data.series.mask);

    const middle = dates[Math.floor(dates.length / 2)];
    const sides = [
      makeSide(composites[0], middle, "none"),
      makeSide(composites[0], middle, `classes/${data.maps.at(data.maps[0].name === "truth" ? 1 : 0).name}`),
    ];
    const polygons = new ol.VectorSource({features: new ol.GeoJSON().readFeatures(data.polygons)});
    const line = (color, width, lineDash) => new ol.Style({stroke: new ol.Stroke({color, width, lineDash})});
    const outlines = new ol.VectorLayer({
      source: polygons,
      style: (feature) => [
        line("#000", 4),
        line(covers.get(feature.get("code"))?.colour ?? "#fff", 2, DASHES[feature.get("set")]),
      ],
    });
    const {row: first, column: begin, size} = data.series;
    const square = [left + begin * pixelX, top_ - (first + size[0]) * pixelY];
    const frame = new ol.Feature(ol.fromExtent([...square, square[0] + size[1] * pixelX, square[1] + size[0] * pixelY]));
    const marks = new ol.VectorSource({features: [frame]});
    frame.setStyle([line("#000", 3), line("#fff", 1.5, [6, 6])]);
    const cross = new ol.Feature();
    cross.setStyle([line("#000", 5), line("#fff", 2)]);

    const canvas = element("div", {
      class: "webmap-map", tabindex: "0", role: "application",
      "aria-label": "Map. Arrow keys move the mark by a pixel, with Shift by ten; Enter shows the pixel; plus and minus zoom.",
    });
    const divider = element("div", {class: "webmap-divider"});
    const tags = [element("div", {class: "webmap-tag left"}), element("div", {class: "webmap-tag right"})];
    canvas.append(divider, ...tags);
    const status = element("p", {class: "webmap-status", role: "status"});
    const panel = element("div", {class: "webmap-pixel", "aria-live": "polite"});

    let share = 50; // per cent of the map's width left of the swipe
    const map = new ol.Map({
      layers: [sides[0].base, sides[0].top, sides[1].base, sides[1].top, outlines, new ol.VectorLayer({source: marks})],
      controls: ol.controls({rotate: false, attribution: false}).extend([new ol.ScaleLine()]),
      interactions: ol.interactions({onFocusOnly: true, altShiftDragRotate: false, pinchRotate: false, doubleClickZoom: false}),
      view: new ol.View({projection, extent: data.extent, showFullExtent: true, smoothExtentConstraint: false,
        center: [(left + right) / 2, (bottom + top_) / 2], resolution: (right - left) / 500,
        minResolution: pixelX / 32, maxResolution: (right - left) / 100}),
    });
    for (const layer of [sides[1].base, sides[1].top]) { // the right side is drawn over the left and clipped at the swipe
      layer.on("prerender", ({context, ...event}) => {
        const [width, height] = map.getSize();
        const corner = (x, y) => ol.getRenderPixel({context, ...event}, [x, y]);
        const [[x0, y0], [x1, y1]] = [corner((width * share) / 100, 0), corner(width, height)];
        context.save();
        context.beginPath();
        context.rect(x0, y0, x1 - x0, y1 - y0);
        context.clip();
      });
      layer.on("postrender", ({context}) => context.restore());
    }

    function changed() {
      sides.forEach((side, number) => {
        side.refresh();
        tags[number].textContent = side.describe();
      });
    }

    // What is shown stands in the address, so that it can be sent and kept: layers, swipe, mark and view.
    const link = new URLSearchParams(location.hash.slice(1));
    const keys = ["left", "right"];

    function remember() {
      const [x, y] = map.getView().getCenter();
      const state = new URLSearchParams({swipe: share, mark: mark.join(), view: [x, y, map.getView().getResolution()].map((one) => one.toFixed(1)).join()});
      sides.forEach((side, number) => state.set(keys[number], [side.map, side.image, side.date].join("|")));
      history.replaceState(null, "", `#${state}`);
    }

    function chosenLayer() {
      changed();
      remember();
    }

    /** Take over layers of the address that exist here. */
    function recallLayers() {
      sides.forEach((side, number) => {
        const [name, image, date] = (link.get(keys[number]) ?? "").split("|");
        const known = ["none", ...data.maps.flatMap((one) => [`classes/${one.name}`, ...(one.confidence ? [`confidence/${one.name}`] : [])])];
        if (known.includes(name)) side.map = name;
        if (composites.includes(image)) side.image = image;
        if (dates.includes(date)) side.date = date;
      });
    }

    /** Take over swipe, view and mark of the address. */
    function recallPlace() {
      const numbers = (key, count) => {
        const found = (link.get(key) ?? "").split(",").map(Number);
        return link.has(key) && found.length === count && found.every(Number.isFinite) ? found : null;
      };
      const [swiped] = numbers("swipe", 1) ?? [];
      if (swiped >= 0 && swiped <= 100) { swipe.value = swiped; moved(swiped); }
      const seen = numbers("view", 3);
      if (seen) { map.getView().setCenter(seen.slice(0, 2)); map.getView().setResolution(seen[2]); }
      const marked = numbers("mark", 2);
      if (marked && inside(marked)) { place(...marked.map(Math.floor)); show(); }
    }

    let chosen = null; // row and column of the pixel shown
    let mark = [first + Math.floor(size[0] / 2), begin + Math.floor(size[1] / 2)];

    function place(row, column) {
      mark = [Math.max(0, Math.min(rows - 1, row)), Math.max(0, Math.min(columns - 1, column))];
      const [x, y] = centre(...mark);
      cross.setGeometry(ol.fromExtent([x - pixelX / 2, y - pixelY / 2, x + pixelX / 2, y + pixelY / 2]));
      if (!marks.hasFeature(cross)) marks.addFeature(cross);
      const [seenX, seenY] = map.getPixelFromCoordinate([x, y]) ?? [0, 0];
      const [width, height] = map.getSize();
      if (seenX < 0 || seenY < 0 || seenX > width || seenY > height) map.getView().setCenter([x, y]);
      const said = sides.filter((side) => side.map.includes("/")).map((side) => side.describe(...mark)).join("; ");
      const where = `Mark at row ${mark[0] + data.offset[0]}, column ${mark[1] + data.offset[1]}`;
      status.textContent = said ? `${where}. ${said}` : where;
    }

    function show() {
      chosen = mark;
      const [row, column] = mark;
      const title = `Pixel in row ${row + data.offset[0]}, column ${column + data.offset[1]} of the scene`;
      const [east, north] = centre(row, column).map((metres) => metres.toLocaleString("en", {maximumFractionDigits: 1}));
      const polygon = polygonAt(row, column, polygons);
      const known = polygon
        ? ["In polygon ", String(polygon.get("polygon")), " of the set ", polygon.get("set"), ": ", named(polygon.get("code"))]
        : ["In no polygon"];
      const head = ["map", "class", "confidence (%)", ...(data.maps[0].name === "truth" ? ["as the truth"] : [])];
      const said = table("What each map says", head, answers(row, column));
      said.className = "webmap-answers";
      const series = seriesAt(row, column);
      const width = Math.min(760, Math.max(280, panel.clientWidth));
      panel.replaceChildren(
        element("h3", {}, title),
        element("p", {}, `Easting ${east} m, northing ${north} m. `, ...known, "."),
        scrolled(said, "What each map says"),
        ...(series
          ? [
              chartLegend(),
              element("div", {class: "webmap-chart"}, chart(series, width, `Time series. ${title}`)),
              element("p", {class: "webmap-note"}, "Hollow: cloud or no data on that date, not used."),
              element("details", {}, element("summary", {}, "The values"), scrolled(seriesTable(series), "The values")),
            ]
          : [element("p", {class: "webmap-note"}, "Only pixels inside the dashed square come with their time series.")]));
    }

    let corner = null; // first corner of a rectangle, where one is being drawn
    const box = new ol.Feature();
    box.setStyle([line("#000", 4), line("#ffd400", 2)]);

    /** Take the mark as a corner; the second one shows the shares of classes in the rectangle. */
    function measure() {
      if (corner === null) {
        corner = mark;
        status.textContent = "First corner set. Choose the opposite corner.";
        return;
      }
      const [[y1, y2], [x1, x2]] = [0, 1].map((axis) => [corner[axis], mark[axis]].sort((a, b) => a - b));
      box.setGeometry(ol.fromExtent([left + x1 * pixelX, top_ - (y2 + 1) * pixelY, left + (x2 + 1) * pixelX, top_ - y1 * pixelY]));
      if (!marks.hasFeature(box)) marks.addFeature(box);
      panel.replaceChildren(scrolled(shares(corner, mark), "Shares of classes"));
      [corner, chosen] = [null, null];
    }
    const act = () => (measured.checked ? measure() : show());

    const pixelOf = ([x, y]) => [Math.floor((top_ - y) / pixelY), Math.floor((x - left) / pixelX)];
    const inside = ([row, column]) => row >= 0 && column >= 0 && row < rows && column < columns;
    const tell = (pixel) => sides.forEach((side, number) => { tags[number].textContent = side.describe(...pixel); });
    map.on("pointermove", ({coordinate}) => tell(inside(pixelOf(coordinate)) ? pixelOf(coordinate) : []));
    canvas.addEventListener("pointerleave", () => tell([]));
    map.on("click", ({coordinate}) => {
      const [row, column] = pixelOf(coordinate);
      if (!inside([row, column])) return;
      place(row, column);
      act();
      remember();
    });
    const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
    canvas.addEventListener("keydown", (event) => { // before OpenLayers, whose arrow keys move the map
      if (event.target !== canvas || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key in steps) {
        const [down, across] = steps[event.key].map((step) => step * (event.shiftKey ? 10 : 1));
        place(mark[0] + down, mark[1] + across);
      } else if (event.key === "Enter") {
        place(...mark);
        act();
        remember();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }, true);

    const moved = (value) => {
      share = value;
      divider.style.left = `${share}%`;
      map.render();
    };
    const swipe = range("swipe", share, (value) => { moved(value); remember(); });
    const opacity = range("opacity", 100, (value) => sides.forEach((side) => side.top.setOpacity(value / 100)));
    const outlined = element("input", {type: "checkbox", name: "polygons", checked: ""});
    outlined.addEventListener("change", () => outlines.setVisible(outlined.checked));
    const measured = element("input", {type: "checkbox", name: "rectangle"});
    measured.addEventListener("change", () => { corner = null; });
    recallLayers();
    const [whole, cut] = [data.whole.join(" x "), data.size.join(" x ")];
    app.append(
      element("div", {class: "webmap-sides"},
        sideControls("Left of the swipe", "left", sides[0], chosenLayer),
        sideControls("Right of the swipe", "right", sides[1], chosenLayer)),
      element("div", {class: "webmap-row"},
        labelled("Opacity of the maps", opacity), element("label", {class: "webmap-check"}, outlined, " polygons"),
        element("label", {class: "webmap-check"}, measured, " class shares of a rectangle: choose two corners")),
      canvas,
      element("label", {class: "webmap-swipe"}, element("span", {}, "Swipe"), swipe),
      status,
      legend(),
      element("p", {class: "webmap-note"},
        whole === cut ? `The whole scene: ${whole} pixels. ` : `Shown: ${cut} of the scene's ${whole} pixels. `,
        "Click a pixel, or move the mark with the arrow keys and press Enter. Pixels inside the dashed square come with " +
        "their time series."),
      panel,
      areas());
    divider.style.left = `${share}%`;
    app.hidden = false; // a map needs its size
    map.setTarget(canvas);
    map.getView().fit(data.extent, {size: map.getSize()});
    changed();
    recallPlace();
    map.on("moveend", () => location.hash.includes("swipe=") && remember());
    root.querySelector(".webmap-still").remove();
    window.addEventListener("resize", () => chosen && show());
    root.map = map; // for tests, and for whoever opens the console
  }

  start().catch((error) => {
    app.hidden = true;
    root.append(element("p", {}, `The interactive map cannot be shown in this browser (${error.message}).`));
    throw error;
  });
})();
