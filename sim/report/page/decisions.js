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

function drawMark(context, kind, x, y, size) {
  context.beginPath();
  if (kind === "grow" || kind === "shrink") {
    const up = kind === "grow" ? 1 : -1;
    context.moveTo(x, y - up * size);
    context.lineTo(x + size, y + up * size * 0.8);
    context.lineTo(x - size, y + up * size * 0.8);
    context.closePath();
  } else if (kind === "held") {
    context.rect(x - size * 0.75, y - size * 0.75, size * 1.5, size * 1.5);
  } else {
    context.arc(x, y, size * (kind === "steps" ? 0.8 : 0.5), 0, 2 * Math.PI);
  }
  context.fillStyle = colour(MARKS[kind].colour);
  context.fill();
}

// Marks of each run in a row of their own.
function drawMarks(plot, runs) {
  const context = plot.ctx;
  const size = 5 * devicePixelRatio;
  const { left, top, width, height } = plot.bbox;
  context.save();
  context.beginPath();
  context.rect(left - size, top, width + 2 * size, height);
  context.clip();
  for (const [r, run] of runs.entries()) {
    if (!run) continue;
    const y = top + (height * (r + 0.5)) / runs.length;
    context.fillStyle = colour("grid");
    context.fillRect(left, y, width, devicePixelRatio);
    // What matters most is drawn last, on top.
    for (const kinds of [["note"], ["steps", "held"], ["grow", "shrink"]]) {
      for (const decision of run.decisions) {
        if (kinds.includes(decision.kind)) {
          drawMark(context, decision.kind, plot.valToPos(decision.t, "x", true), y, size);
        }
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

  const options = plotOptions(board, 300, 62 + 22 * runs.length, () => "");
  options.axes[1].values = (plot, splits) => splits.map(() => "");
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
      body.append(make("pre", {}, decision.text));
    }
  };
  return { panel, show };
}

// All of them, as buttons that bring the charts there. Filled when it is opened.
function decisionList(board, run, name) {
  const leftOut = run.decisionsLeftOut > 0 ? ` (${grouped(run.decisionsLeftOut)} smaller ones left out)` : "";
  const list = make("ol", { className: "list" });
  const details = make("details", { className: "card" },
    make("summary", {}, `${grouped(run.decisions.length)} decisions of ${name}${leftOut}`), list);
  details.addEventListener("toggle", () => {
    if (!details.open || list.childElementCount > 0) return;
    for (const decision of run.decisions) {
      const button = make("button", { type: "button" }, `${clock(decision.t)}  ${decision.summary}`);
      button.addEventListener("click", () => board.goTo(decision.t));
      list.append(make("li", {}, button));
    }
  });
  return details;
}
