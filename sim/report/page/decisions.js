// Decisions as marks on a time line, and the whole text of the one under the cursor.

const MARKS = {
  grow: { colour: "ready", name: "grow" },
  shrink: { colour: "draining", name: "shrink" },
  steps: { colour: "starting", name: "steps at the same size" },
  held: { colour: "failed", name: "held: no usable reading" },
  note: { colour: "limit", name: "another reason" },
};

// The last decision that is not after `time`; the first one before all of them.
const inForce = (decisions, time) => decisions[indexAt(decisions.map((d) => d.t), time)];

// A growth is a bar upwards and a shrink one downwards, as long as the change is large; with room
// between them they get a point. What left the size alone is a mark in the middle.
function drawMark(context, decision, x, y, bar, room) {
  const ratio = devicePixelRatio;
  const kind = decision.kind;
  context.fillStyle = colour(MARKS[kind].colour);
  context.beginPath();
  if (kind === "grow" || kind === "shrink") {
    const up = kind === "grow" ? -1 : 1;
    const wide = Math.min(Math.max(room / 3, 1), 3) * ratio;
    context.fillRect(x - wide / 2, Math.min(y, y + up * bar), wide, bar);
    if (room > 7) {
      context.moveTo(x, y + up * (bar + 4 * ratio));
      context.lineTo(x + 5 * ratio, y + up * (bar - 4 * ratio));
      context.lineTo(x - 5 * ratio, y + up * (bar - 4 * ratio));
    }
  } else if (kind === "held") {
    context.rect(x - 3.5 * ratio, y - 3.5 * ratio, 7 * ratio, 7 * ratio);
  } else {
    context.arc(x, y, (kind === "steps" ? 3.5 : 2.5) * ratio, 0, 2 * Math.PI);
  }
  context.fill();
}

// The decisions of each run in a lane of their own.
function drawMarks(plot, runs) {
  const context = plot.ctx;
  const ratio = devicePixelRatio;
  const { left, top, width, height } = plot.bbox;
  const lane = height / runs.length;
  context.save();
  context.beginPath();
  context.rect(left - 5 * ratio, top, width + 10 * ratio, height);
  context.clip();
  for (const [r, run] of runs.entries()) {
    if (!run) continue;
    const y = top + lane * (r + 0.5);
    context.fillStyle = colour("line");
    context.fillRect(left, y - ratio / 2, width, ratio);
    const { min, max } = plot.scales.x;
    const seen = run.decisions.filter((decision) => decision.t >= min && decision.t <= max);
    const largest = Math.max(1, ...seen.map((decision) => Math.abs(decision.by)));
    const room = width / ratio / Math.max(seen.length, 1);
    // What matters most is drawn last, on top.
    for (const kinds of [["note"], ["steps", "held"], ["grow", "shrink"]]) {
      for (const decision of seen) {
        if (!kinds.includes(decision.kind)) continue;
        const bar = Math.max(0.3, Math.abs(decision.by) / largest) * (lane / 2 - 6 * ratio);
        drawMark(context, decision, plot.valToPos(decision.t, "x", true), y, bar, room);
      }
    }
  }
  context.restore();
}

function laneLegend(runs) {
  const used = new Set(runs.flatMap((run) => (run ? run.decisions.map((d) => d.kind) : [])));
  const legend = make("div", { className: "legend" });
  for (const [kind, mark] of Object.entries(MARKS)) {
    if (!used.has(kind)) continue;
    const symbol = make("span", {}, { grow: "▲", shrink: "▼", steps: "●", held: "■", note: "•" }[kind]);
    symbol.style.color = `var(--${mark.colour})`;
    legend.append(make("span", { className: "key" }, symbol, mark.name));
  }
  return legend;
}

// The lane, and the panel that follows the cursor.
function addDecisions(parent, board, runs, names) {
  const times = [...new Set(runs.flatMap((run) => (run ? run.decisions.map((d) => d.t) : [])))].sort((a, b) => a - b);
  if (times.length === 0) return;
  const text = "Each mark is a decision that changed something; its text is shown while the cursor is on it.";
  const box = make("div", { className: "plot" });
  const figure = make("figure", { id: "decisions", tabIndex: 0 },
    make("figcaption", {}, make("h2", {}, "Decisions"), make("p", {}, text)), laneLegend(runs), box);
  figure.setAttribute("aria-label", `Decisions. ${text} Arrow keys go from one to the next.`);
  parent.append(figure);

  const options = plotOptions(board, 40 + 56 * runs.length, () => "", false);
  options.axes[1].splits = () => runs.map((run, r) => 1 - (r + 0.5) / runs.length);
  options.axes[1].values = () => (runs.length > 1 ? ["A", "B"] : [""]);
  options.axes[1].grid = { show: false };
  options.axes[1].ticks = { show: false };
  options.scales.y.range = () => [0, 1];
  options.series.push({ paths: () => null, points: { show: false } });
  options.cursor.points = { show: false };
  options.hooks.draw = [(plot) => drawMarks(plot, runs)];
  options.hooks.setCursor = [(plot) => {
    if (plot.cursor.event) board.moved(plot.cursor.left < 0 ? null : plot.posToVal(plot.cursor.left, "x"));
  }];
  mount(board, options, [times, times.map(() => 0.5)], box);
  figure.dataset.points = runs.map((run) => (run ? run.decisions.length : 0)).join(" ");
  figure.dataset.colours = [...new Set(runs.flatMap((run) => (run ? run.decisions.map((d) => MARKS[d.kind].colour) : [])))].join(" ");
  steerByKeys(figure, board, times, (index) =>
    runs.map((run, r) => run && `${names[r]}: ${inForce(run.decisions, times[index]).text.split("\n")[0]}`)
      .filter(Boolean).join("; "));
}

// Lines that are too long go on below themselves, a little further in.
function textOf(decision) {
  const block = make("div", { className: "text" });
  for (const line of decision.text.trimEnd().split("\n")) {
    const indent = line.length - line.trimStart().length;
    const row = make("div", {}, line.trimStart().replaceAll("->", "→"));
    row.style.paddingLeft = `${indent + 2}ch`;
    block.append(row);
  }
  return block;
}

function decisionPanel(runs, names) {
  const title = make("h2", {}, "Decision");
  const when = make("p", { className: "quiet" });
  const body = make("div");
  const panel = make("aside", { id: "decision", tabIndex: 0 }, title, when, body);
  panel.setAttribute("aria-label", "Text of the decision at the cursor");
  const show = (time) => {
    when.textContent = time === null
      ? "The first one. Move over a chart to see which decision held at a time, and why."
      : `In force at ${clock(time)}`;
    body.replaceChildren();
    for (const [r, run] of runs.entries()) {
      if (!run || run.decisions.length === 0) continue;
      const decision = inForce(run.decisions, time === null ? 0 : time);
      if (runs.length > 1) body.append(make("p", { className: "run" }, names[r]));
      body.append(textOf(decision));
    }
  };
  return { panel, show };
}

// What happened at times, as buttons that bring the charts there. Filled when it is opened.
function timedList(board, title, entries) {
  const list = make("ol", { className: "list" });
  const details = make("details", { className: "card" }, make("summary", {}, title), list);
  details.addEventListener("toggle", () => {
    if (!details.open || list.childElementCount > 0) return;
    for (const [time, text] of entries) {
      const button = make("button", { type: "button" }, `${clock(time)}  ${text}`);
      button.addEventListener("click", () => board.goTo(time));
      list.append(make("li", {}, button));
    }
  });
  return details;
}

function decisionList(board, run, name) {
  const leftOut = run.decisionsLeftOut > 0 ? ` (${grouped(run.decisionsLeftOut)} smaller ones left out)` : "";
  return timedList(board, `${grouped(run.decisions.length)} decisions of ${name}${leftOut}`,
    run.decisions.map((decision) => [decision.t, decision.summary]));
}

function breachList(board, run, name) {
  const shown = run.breaches.length < run.totals.breaches ? `, the first ${run.breaches.length}` : "";
  return timedList(board, `${grouped(run.totals.breaches)} broken promises of ${name}${shown}`,
    run.breaches.map((breach) => [breach.t, breach.what]));
}
