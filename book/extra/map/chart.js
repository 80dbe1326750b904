// The time series of a pixel, as a chart and as a table.
"use strict";

(() => {
  const {element, shape, table} = window.webmap;

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

  /** The series of a pixel as lines by band, with NDVI below; `facts` are those of contents._series. */
  function chart(series, facts, width, title) {
    const days = facts.dates.map((text) => new Date(`${text}T00:00Z`));
    const [margin, gap] = [{left: 58, right: 12, top: 12, bottom: 44}, 22];
    const span = Math.max(days.at(-1) - days[0], 864e5);
    const x = (day) => margin.left + 6 + ((day - days[0]) / span) * (width - margin.left - margin.right - 12);
    const {bands, styles} = facts;
    const lines = bands.map((band, number) => [band, series.reflectance[number], styles[number]]);
    const panels = [{name: facts.unit, lines, height: 190}];
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
          const hint = `${name}, ${facts.dates[index]}: ${value.toFixed(4)}${remark}`;
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
  function chartLegend(facts) {
    const items = facts.bands.map((band, number) => {
      const [stroke, dash] = facts.styles[number];
      const line = shape("line", {x1: 0, x2: 26, y1: 6, y2: 6, stroke, "stroke-width": 2, "stroke-dasharray": dash});
      return element("li", {}, shape("svg", {width: 26, height: 12, "aria-hidden": "true"}, line), band);
    });
    return element("ul", {class: "webmap-lines"}, ...items);
  }

  function seriesTable(series, facts) {
    const show = (value) => (value === null ? "no data" : value.toFixed(4));
    const head = ["date", ...facts.bands, ...(series.ndvi ? ["NDVI"] : []), "used"];
    const body = facts.dates.map((day, index) => [
      day,
      ...series.reflectance.map((line) => show(line[index])),
      ...(series.ndvi ? [show(series.ndvi[index])] : []),
      series.used[index] ? "yes" : "no",
    ]);
    return table(`${facts.unit[0].toUpperCase()}${facts.unit.slice(1)} by band and date`, head, body);
  }

  Object.assign(window.webmap, {chart, chartLegend, seriesTable});
})();
