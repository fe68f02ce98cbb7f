// One uPlot per figure. All share the time range and the cursor; colours come from the style sheet,
// so that a redraw is all that a change of theme takes.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const faded = (name, percent) => `color-mix(in srgb, ${colour(name)} ${percent}%, transparent)`;

const SECOND_DASH = [7, 5];
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
  86400, 172800, 345600];

// The charts on the page, and what they have in common.
class Board {
  constructor(runCount, end) {
    this.runCount = runCount;
    this.end = Math.max(end, 1);
    this.range = { min: 0, max: this.end };
    this.plots = [];
    this.sync = uPlot.sync("time");
    this.onCursor = () => {};
    this.onRange = () => {};
    this.moving = false;
  }

  add(plot) {
    this.plots.push(plot);
    this.sync.sub(plot);
  }

  setRange(min, max) {
    const least = Math.min(2, this.end);
    const width = Math.min(Math.max(max - min, least), this.end);
    const from = Math.min(Math.max(min, 0), this.end - width);
    this.range = { min: from, max: from + width };
    this.moving = true;
    for (const plot of this.plots) plot.setScale("x", this.range);
    this.moving = false;
    this.onRange(this.range, width >= this.end);
  }

  // By a factor, around the cursor if there is one.
  zoom(factor) {
    const { min, max } = this.range;
    const width = (max - min) * factor;
    const at = this.time !== null && this.time >= min && this.time <= max ? this.time : (min + max) / 2;
    const share = (at - min) / (max - min);
    this.setRange(at - share * width, at - share * width + width);
  }

  // Puts the cursor of all charts on a time, moving the range if it is outside.
  goTo(time) {
    const { min, max } = this.range;
    if (time < min || time > max) this.setRange(time - (max - min) / 2, time + (max - min) / 2);
    for (const plot of this.plots) {
      plot.setCursor({ left: plot.valToPos(time, "x"), top: 10 }, true, false);
    }
    this.moved(time);
  }

  moved(time) {
    this.time = time;
    this.onCursor(time);
  }
}
Board.prototype.time = null;

// What two ends of many looks mean is in the legend: "120–150".
function rangeText(lo, hi, format) {
  if (lo === null || lo === undefined) return "–";
  const low = format(lo);
  const high = hi === null || hi === undefined ? low : format(hi);
  return low === high ? low : `${low}–${high}`;
}

const COUNT_STEPS = [1, 2, 5].flatMap((n) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((e) => n * 10 ** e)).sort((a, b) => a - b);

function axes(yFormat, counts) {
  const shared = {
    stroke: () => colour("quiet"),
    grid: { stroke: () => colour("grid"), width: 1 },
    ticks: { stroke: () => colour("grid"), width: 1, size: 4 },
    font: "12px system-ui, sans-serif",
  };
  return [
    { ...shared, space: 64, incrs: TIME_STEPS, size: 30,
      values: (plot, splits, axis, space, step) => splits.map((at) => tick(at, step)) },
    { ...shared, space: counts ? 24 : 32, size: 52, values: (plot, splits) => splits.map(yFormat),
      ...(counts ? { incrs: COUNT_STEPS } : {}) },
  ];
}

// From zero, with a little room above.
const fromZero = (plot, min, max) => (max > 0 ? uPlot.rangeNum(0, max, 0.08, true) : [0, 1]);

function plotOptions(board, height, yFormat, counts) {
  return {
    width: 300,
    height,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      sync: { key: "time", scales: ["x", null] },
      drag: { x: true, y: false, dist: 6 },
      points: { size: 7 },
    },
    scales: {
      x: { time: false, range: () => [board.range.min, board.range.max] },
      y: { range: fromZero },
    },
    axes: axes(yFormat, counts),
    series: [{}],
    bands: [],
    hooks: {
      // A drag or a double click changes one chart's range; the board changes that of all.
      setSelect: [(plot) => {
        const { left, width: wide } = plot.select;
        if (wide < 6) return;
        board.setRange(plot.posToVal(left, "x"), plot.posToVal(left + wide, "x"));
        plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      }],
    },
  };
}

// The columns of all runs on one time axis, and the series that show them. A line whose rows stand
// for many looks becomes two lines, the ends, with the space between them filled.
function layOut(lines_, runs, options) {
  const tables = [];
  const shown = [];
  for (const [r, run] of runs.entries()) {
    if (!run) continue;
    const table = [run.t];
    for (const line of lines_) {
      const column = run.series[line.key];
      if (!column) continue;
      const ends = column.hi ? [column.hi, column.lo] : [column.lo];
      const first = options.series.length;
      for (const [i, end] of ends.entries()) {
        table.push(end);
        options.series.push(uSeries(line, r, i === ends.length - 1, runs.length, ends.length));
      }
      if (ends.length === 2) {
        options.bands.push({ series: [first, first + 1], fill: () => faded(line.colour, 22) });
      }
      shown.push({ line, run: r, lo: first + ends.length - 1, hi: first });
    }
    tables.push(table);
  }
  const data = tables.length === 1 ? tables[0] : uPlot.join(tables);
  return { data, shown };
}

// With two runs the first is drawn solid and the second dashed, whatever the line is.
function uSeries(line, run, last, runCount, ends) {
  const dash = run === 1 ? SECOND_DASH : runCount === 1 ? line.dash : undefined;
  const area = line.area && run === 0 && last;
  return {
    scale: "y",
    stroke: () => colour(line.colour),
    width: ends === 2 ? 1 : line.width || 1.75,
    dash,
    fill: area ? () => faded(line.colour, 14) : undefined,
    paths: line.steps ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
    points: { show: false },
  };
}

// One line of a legend: what it is, and its value at the cursor for each run.
class Legend {
  constructor(lines_, shown, runCount, format) {
    this.format = format;
    this.shown = shown;
    this.values = new Map();
    this.element = make("div", { className: "legend" });
    for (const line of lines_) {
      const mine = shown.filter((entry) => entry.line === line);
      if (mine.length === 0) continue;
      const swatch = make("i", { className: "swatch" });
      swatch.style.background = `var(--${line.colour})`;
      const key = make("span", { className: "key" }, swatch, line.label);
      for (const entry of mine) {
        const value = make("span", { className: "value" });
        this.values.set(entry, value);
        if (runCount > 1) key.append(make("span", { className: "quiet" }, entry.run === 0 ? "A" : "B"));
        key.append(value);
      }
      this.element.append(key);
    }
  }

  // Without a cursor: the most that each line reaches.
  show(plot, data, index) {
    for (const entry of this.shown) {
      const text = index === null
        ? `max ${this.format(most(data[entry.hi]))}`
        : rangeText(lastKnown(data[entry.lo], index), lastKnown(data[entry.hi], index), this.format);
      this.values.get(entry).textContent = text;
    }
  }
}

const most = (column) => column.reduce((top, v) => (typeof v === "number" && (top === null || v > top) ? v : top), null);
const known = (column) => column.reduce((n, v) => n + (typeof v === "number" ? 1 : 0), 0);

// Rows of another run have no value of their own in between: `undefined`. Null is a true gap.
function lastKnown(column, index) {
  let i = index;
  while (i > 0 && column[i] === undefined) --i;
  return column[i];
}

// A figure with a title, a sentence, a legend and a chart. `spec`: {id, title, text, lines, format,
// height, draw}.
function addChart(parent, board, runs, spec) {
  const plotBox = make("div", { className: "plot" });
  const caption = make("figcaption", {}, make("h2", {}, spec.title), make("p", {}, spec.text));
  const figure = make("figure", { id: spec.id, tabIndex: 0 }, caption);
  figure.setAttribute("aria-label", `${spec.title}. ${spec.text} Arrow keys move through time.`);
  parent.append(figure);
  const options = plotOptions(board, spec.height || 190, spec.format, spec.counts);
  const { data, shown } = layOut(spec.lines, runs, options);
  const legend = new Legend(spec.lines, shown, board.runCount, spec.format);
  figure.append(legend.element, plotBox);
  options.hooks.setCursor = [(plot) => {
    legend.show(plot, data, plot.cursor.idx === undefined ? null : plot.cursor.idx);
    if (plot.cursor.event) board.moved(plot.cursor.idx === null ? null : data[0][plot.cursor.idx]);
  }];
  if (spec.draw) options.hooks.draw = [spec.draw];
  const plot = mount(board, options, data, plotBox);
  legend.show(plot, data, null);
  figure.dataset.points = shown.map((entry) => known(data[entry.lo])).join(" ");
  figure.dataset.colours = shown.map((entry) => entry.line.colour).join(" ");
  steerByKeys(figure, board, data[0], (index) =>
    `${clock(data[0][index])}: ` + shown.map((entry) =>
      `${entry.line.label} ${rangeText(lastKnown(data[entry.lo], index), lastKnown(data[entry.hi], index), spec.format)}`)
      .join(", "));
  return plot;
}

// Makes the plot as wide as its box, whenever that changes.
function mount(board, options, data, box) {
  options.width = Math.max(box.clientWidth, 120);
  const plot = new uPlot(options, data, box);
  board.add(plot);
  plot.over.addEventListener("dblclick", () => board.setRange(0, board.end));
  new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== plot.width) {
      plot.setSize({ width: box.clientWidth, height: options.height });
    }
  }).observe(box);
  followTouch(plot, board);
  return plot;
}

// A finger that moves sideways moves the cursor; up and down it scrolls the page as ever.
function followTouch(plot, board) {
  plot.over.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") return;
    const left = event.clientX - plot.over.getBoundingClientRect().left;
    board.goTo(Math.min(Math.max(plot.posToVal(left, "x"), board.range.min), board.range.max));
  });
}

// Index of the last time that is not after `time`.
function indexAt(times, time) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= time) low = middle; else high = middle - 1;
  }
  return low;
}

function steerByKeys(figure, board, times, describe) {
  const say = (index) => {
    board.goTo(times[index]);
    document.getElementById("live").textContent = describe(index);
  };
  figure.addEventListener("keydown", (event) => {
    if (event.target !== figure || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = board.time === null ? -1 : indexAt(times, board.time);
    const stride = event.shiftKey ? 10 : 1;
    const last = times.length - 1;
    switch (event.key) {
      case "ArrowRight": say(Math.min(now + stride, last)); break;
      case "ArrowLeft": say(Math.max(now - stride, 0)); break;
      case "Home": say(indexAt(times, board.range.min)); break;
      case "End": say(indexAt(times, board.range.max)); break;
      case "+": case "=": board.zoom(0.5); break;
      case "-": board.zoom(2); break;
      case "0": board.setRange(0, board.end); break;
      default: return;
    }
    event.preventDefault();
  });
}
