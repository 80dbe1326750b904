// The interactive map of one run: two sides with a swipe between them, and information about a pixel or a rectangle.
// Requires `ol` (vendor/ol), parts.js and chart.js. `data`: see paperlib.pages.explore.contents; a run may lack images, polygons,
// series and probabilities. runs.js calls it.
"use strict";

/** Build the map of a run in the element `app`; `link`: what the address says of it; `run`: its key in the address. */
window.webmap.build = async (app, data, link, run) => {
  const {element, shape, unpack, table, scrolled, labelled, select, range} = window.webmap;
  const {chart, chartLegend, seriesTable} = window.webmap;
  const [rows, columns] = data.size;
  const [left, bottom, right, top_] = data.extent;
  const [pixelX, pixelY] = [(right - left) / columns, (top_ - bottom) / rows];
  const covers = new Map(data.legend.map((cover) => [cover.code, cover]));
  const DASHES = {train: undefined, validation: [10, 5], test: [2, 5]}; // outline of a polygon by its set
  const composites = Object.keys(data.images);
  const dates = Object.keys(data.images[composites[0]] ?? {});
  const sure = data.maps.filter((map) => map.confidence);
  const guessed = data.maps.filter((map) => map.probabilities); // with the probability of every class

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
    const pixels = new Uint32Array(picture.data.buffer); // red comes first in memory
    const known = Array.from({length: 256}, (_, value) => {
      const text = colour(value);
      const [red, green, blue] = [1, 3, 5].map((start) => parseInt(text?.slice(start, start + 2), 16));
      return text ? ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0 : 0;
    });
    values.forEach((value, index) => { pixels[index] = known[value]; });
    context.putImageData(picture, 0, 0);
    return canvas;
  }

  /** One side of the swipe: a composite with an optional map on top. */
  function makeSide(image, date, map) {
    const side = {image, date, map, base: new ol.ImageLayer(), top: new ol.ImageLayer()};
    side.refresh = () => {
      const {image, date} = side;
      if (image) side.base.setSource(source(`${image} ${date}`, () => photograph(data.images[image][date])));
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
      if (!name) return side.image ? `${side.image}, ${side.date}` : "no map";
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

  /** Table of a pixel: class and confidence in every map. */
  function answers(row, column) {
    const index = row * columns + column;
    const truth = data.maps.find((map) => map.name === "truth")?.values.classes[index];
    const head = ["map", "class"];
    if (sure.length) head.push("confidence (%)");
    if (truth !== undefined) head.push("as the truth");
    const body = data.maps.map(({name, values}) => {
      const code = values.classes[index];
      const percent = values.confidence?.[index];
      const cells = [name, named(code)];
      if (sure.length) cells.push(percent === undefined || percent === 255 ? "–" : String(percent));
      if (truth !== undefined) cells.push(name === "truth" ? "–" : code === truth ? "yes" : "no");
      return cells;
    });
    const made = table("What each map says", head, body);
    made.className = "webmap-answers";
    return made;
  }

  /** Unpack the probabilities of all maps, when they are first asked for. */
  const unpacked = () => Promise.all(guessed.map(async (map) => {
    map.values.probabilities ??= await unpack(map.probabilities);
  }));

  /** Table of a pixel: the probability of every class by every model. That of the class on the map is its confidence. */
  function chances(row, column) {
    const index = row * columns + column;
    const body = data.legend.map((cover, number) => [named(cover.code), ...guessed.map(({values}) => {
      const [chosen, percent] = [values.classes[index], values.confidence[index]];
      if (percent === 255) return "–";
      const share = chosen === cover.code ? percent : data.step * values.probabilities[number * rows * columns + index];
      const cell = element(chosen === cover.code ? "strong" : "span", {class: "webmap-chance"}, String(share));
      cell.style.setProperty("--share", `${share}%`);
      return cell;
    })]);
    const made = table("Probability of each class (%)", ["class", ...guessed.map((map) => map.name)], body);
    made.className = "webmap-legend webmap-chances";
    return made;
  }

  /** Values by band and date, and whether a date is used; null outside the square that has series. */
  function seriesAt(row, column) {
    if (!data.series) return null;
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
      const found = new Uint32Array(256);
      for (let row = top; row <= bottom; row++)
        for (let column = start; column <= end; column++) found[values.classes[row * columns + column]] += 1;
      return found;
    });
    const pixels = (bottom - top + 1) * (end - start + 1);
    const present = data.legend.filter(({code}) => counts.some((found) => found[code]));
    const body = present.map(({code}) =>
      [named(code), ...counts.map((found) => ((100 * found[code]) / pixels).toFixed(1))]);
    const made = table(`Share of each class in ${bottom - top + 1} x ${end - start + 1} pixels (%)`,
      ["class", ...data.maps.map((map) => map.name)], body);
    made.className = "webmap-legend webmap-shares";
    return made;
  }

  // -- controls -----------------------------------------------------------------------------------------------------

  function sideControls(title, key, side, changed) {
    const change = (what) => (value) => {
      side[what] = value;
      changed();
    };
    const kinds = [
      ["", [["none", "none"]]],
      ["Classes", data.maps.map(({name}) => [`classes/${name}`, name])],
      ...(sure.length ? [["Confidence", sure.map(({name}) => [`confidence/${name}`, `confidence of ${name}`])]] : []),
    ];
    const plain = (names) => [["", names.map((name) => [name, name])]];
    return element("fieldset", {},
      element("legend", {}, title),
      labelled("Map", select(`${key}-map`, kinds, side.map, change("map"))),
      ...(composites.length
        ? [
            labelled("Image below", select(`${key}-image`, plain(composites), side.image, change("image"))),
            labelled("Date of the image", select(`${key}-date`, plain(dates), side.date, change("date"))),
          ]
        : []));
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
      ...(sure.length ? [element("div", {}, "Confidence (%): 0 ", ramp, " 100")] : []),
      ...(data.polygons.features.length
        ? [element("div", {}, "Polygons: ", element("ul", {class: "webmap-lines"}, ...Object.keys(DASHES).map(outline)))]
        : []));
  }

  // -- start ----------------------------------------------------------------------------------------------------

  async function open(object, name, packed, wide) {
    if (packed) object[name] = await unpack(packed, wide);
  }
  for (const map of data.maps) map.values = {};
  await Promise.all([
    ...data.maps.flatMap((map) => ["classes", "confidence"].map((name) => open(map.values, name, map[name]))),
    ...(data.series ? [open(data.series, "values", data.series.values, true), open(data.series, "mask", data.series.mask)] : []),
  ]);

  const middle = dates[Math.floor(dates.length / 2)];
  const firstModel = data.maps.at(data.maps[0].name === "truth" ? 1 : 0).name;
  const sides = [
    makeSide(composites[0], middle, composites.length ? "none" : `classes/${data.maps[0].name}`),
    makeSide(composites[0], middle, `classes/${firstModel}`),
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
  const marks = new ol.VectorSource();
  const {row: first, column: begin, size} = data.series ?? {row: 0, column: 0, size: data.size};
  /** The extent of the pixels from one row and column to another. */
  const around = ([row1, column1], [row2, column2]) => ol.fromExtent([
    left + Math.min(column1, column2) * pixelX, top_ - (Math.max(row1, row2) + 1) * pixelY,
    left + (Math.max(column1, column2) + 1) * pixelX, top_ - Math.min(row1, row2) * pixelY]);
  if (data.series) { // the square that has series
    const frame = new ol.Feature(around([first, begin], [first + size[0] - 1, begin + size[1] - 1]));
    frame.setStyle([line("#000", 3), line("#fff", 1.5, [6, 6])]);
    marks.addFeature(frame);
  }
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

  // What is shown stands in the address, so that it can be sent and kept: run, layers, swipe, mark and view.
  const keys = ["left", "right"];

  function remember() {
    const [x, y] = map.getView().getCenter();
    const view = [x, y, map.getView().getResolution()].map((one) => one.toFixed(1)).join();
    const state = new URLSearchParams({...(run ? {run} : {}), swipe: share, mark: mark.join(), view});
    sides.forEach((side, number) => state.set(keys[number], [side.map, side.image ?? "", side.date ?? ""].join("|")));
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
      const known = ["none", ...data.maps.map((one) => `classes/${one.name}`), ...sure.map((one) => `confidence/${one.name}`)];
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
    cross.setGeometry(around(mark, mark));
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
      ? ["In polygon ", String(polygon.get("polygon")), " of the set ", polygon.get("set"), ": ", named(polygon.get("code")), "."]
      : data.polygons.features.length ? ["In no polygon."] : [];
    const series = seriesAt(row, column);
    const probable = element("div");
    if (guessed.length)
      unpacked().then(() => probable.replaceChildren(
        scrolled(chances(row, column), "Probability of each class"),
        element("p", {class: "webmap-note"}, "Bold: the class on the map",
          data.step > 1 ? `, exact to 1 %; others to the nearest ${data.step} %.` : ".")));
    else probable.append(element("p", {class: "webmap-note"}, "Of this run, the classes are kept and no probabilities."));
    const width = Math.min(760, Math.max(280, panel.clientWidth));
    panel.replaceChildren(
      element("h3", {}, title),
      element("p", {}, `Easting ${east} m, northing ${north} m. `, ...known),
      scrolled(answers(row, column), "What each map says"),
      probable,
      ...(series
        ? [
            chartLegend(data.series),
            element("div", {class: "webmap-chart"}, chart(series, data.series, width, `Time series. ${title}`)),
            element("p", {class: "webmap-note"}, "Hollow: cloud or no data on that date, not used."),
            element("details", {}, element("summary", {}, "The values"),
              scrolled(seriesTable(series, data.series), "The values")),
          ]
        : data.series
          ? [element("p", {class: "webmap-note"}, "Only pixels inside the dashed square come with their time series.")]
          : []));
  }

  let corner = null; // first corner of a rectangle, where one is being drawn
  const box = new ol.Feature();
  box.setStyle([line("#000", 4), line("#ffd400", 2)]);

  /** Draw the rectangle between its first corner and a pixel. */
  function stretch(pixel) {
    box.setGeometry(around(corner, pixel));
    if (!marks.hasFeature(box)) marks.addFeature(box);
  }

  /** Take the mark as a corner; the second one shows the shares of classes in the rectangle. */
  function measure() {
    if (corner === null) {
      corner = mark;
      stretch(mark);
      status.textContent = "First corner set. Choose the opposite corner.";
      return;
    }
    stretch(mark);
    panel.replaceChildren(scrolled(shares(corner, mark), "Shares of classes"));
    [corner, chosen] = [null, null];
  }
  const act = () => (measured.checked ? measure() : show());

  const pixelOf = ([x, y]) => [Math.floor((top_ - y) / pixelY), Math.floor((x - left) / pixelX)];
  const inside = ([row, column]) => row >= 0 && column >= 0 && row < rows && column < columns;
  const tell = (pixel) => sides.forEach((side, number) => { tags[number].textContent = side.describe(...pixel); });
  map.on("pointermove", ({coordinate}) => {
    const pixel = pixelOf(coordinate);
    tell(inside(pixel) ? pixel : []);
    if (corner && inside(pixel)) stretch(pixel);
  });
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
      if (corner) stretch(mark);
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
  measured.addEventListener("change", () => {
    corner = null;
    if (marks.hasFeature(box)) marks.removeFeature(box);
  });
  recallLayers();
  const [whole, cut] = [data.whole.join(" x "), data.size.join(" x ")];
  app.append(
    element("div", {class: "webmap-sides"},
      sideControls("Left of the swipe", "left", sides[0], chosenLayer),
      sideControls("Right of the swipe", "right", sides[1], chosenLayer)),
    element("div", {class: "webmap-row"},
      ...(composites.length ? [labelled("Opacity of the maps", opacity)] : []),
      ...(data.polygons.features.length ? [element("label", {class: "webmap-check"}, outlined, " polygons")] : []),
      element("label", {class: "webmap-check"}, measured, " class shares of a rectangle: choose two corners")),
    canvas,
    element("label", {class: "webmap-swipe"}, element("span", {}, "Swipe"), swipe),
    status,
    legend(),
    element("p", {class: "webmap-note"},
      whole === cut ? `The whole scene: ${whole} pixels. ` : `Shown: ${cut} of the scene's ${whole} pixels. `,
      "Click or tap a pixel, or move the mark with the arrow keys and press Enter. ",
      data.series ? "Pixels inside the dashed square come with their time series. " : "",
      "The address of this page holds what is shown: copy it to send it or to come back."),
    panel,
    areas());
  divider.style.left = `${share}%`;
  app.hidden = false; // a map needs its size
  map.setTarget(canvas);
  map.getView().fit(data.extent, {size: map.getSize()});
  changed();
  recallPlace();
  map.on("moveend", () => !app.hidden && location.hash.includes("swipe=") && remember());
  window.addEventListener("resize", () => chosen && !app.hidden && show());
  return {map, remember};
};
