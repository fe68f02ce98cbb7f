// Builds the page from the data in it.

const report = JSON.parse(document.getElementById("data").textContent);
const NAMES = report.runs.map((run, r) => (report.runs.length > 1 ? `${"AB"[r]}: ${run.name}` : run.name));


// What the charts show. `steps`: the value holds until the next one.
const CHARTS = [
  { id: "demand", title: "Demand and capacity", format: short,
    text: "Requests per second that arrive, and that ready replicas can serve.",
    lines: [
      { key: "demand", label: "demand", colour: "demand", area: true },
      { key: "capacity", label: "capacity", colour: "capacity", steps: true },
    ] },
  { id: "replicas", title: "Replicas", format: short, counts: true, height: 210,
    text: "By phase, with the size that the scaler wants.",
    lines: [
      { key: "ready", label: "ready", colour: "ready", steps: true, area: true },
      { key: "starting", label: "starting", colour: "starting", steps: true, area: true },
      { key: "draining", label: "draining", colour: "draining", steps: true, area: true },
      { key: "failed", label: "failed", colour: "failed", steps: true, optional: true },
      { key: "desired", label: "desired", colour: "desired", steps: true, dash: [4, 3], width: 1.25 },
    ] },
  { id: "decisions" },
  { id: "view", title: "The scaler's view", format: short, draw: drawBlind,
    text: "Request rate as the scaler read it, against the true demand. Red below: no reading that it could use.",
    missing: "The scaler of this pool reads no request rate, so its view is not drawn.",
    needs: "view",
    lines: [
      { key: "demand", label: "true demand", colour: "demand" },
      { key: "view", label: "as read", colour: "view", steps: true },
    ] },
  { id: "lost", title: "Failures", format: short,
    text: "Requests given up, per second.",
    missing: "No request was lost.",
    needs: "lost",
    more: failureText,
    lines: [{ key: "lost", label: "lost per second", colour: "lost", area: true }] },
  { id: "backlog", title: "Waiting", format: short, counts: true,
    text: "Requests that wait or are in progress.",
    missing: "No request had to wait.",
    needs: "backlog",
    lines: [{ key: "backlog", label: "requests", colour: "backlog", area: true }] },
  { id: "latency", title: "Latency", format: wait,
    text: "From arrival to answer, of requests answered in each stretch.",
    missing: "No latency percentiles: a fluid has no single requests.",
    needs: "p50",
    lines: [
      { key: "p50", label: "median", colour: "p50" },
      { key: "p90", label: "90 %", colour: "p90" },
      { key: "p99", label: "99 %", colour: "p99" },
    ] },
  { pair: [
    { id: "surge", title: "Surge budget", format: short, counts: true, height: 150,
      text: "The limit bounds live replicas above the size and, at rolling pace, how many start at once.",
      lines: [
        { key: "starting", label: "starting", colour: "starting", steps: true },
        { key: "surge", label: "above the size", colour: "used", steps: true, area: true },
        { key: "surgeLimit", label: "limit", colour: "limit", steps: true, dash: [4, 3] },
      ] },
    { id: "unavailable", title: "Unavailable budget", format: short, counts: true, height: 150,
      text: "Missing from the desired size. Growth opens the gap; no drain may widen it past the limit.",
      lines: [
        { key: "unavailable", label: "missing", colour: "used", steps: true, area: true },
        { key: "unavailableLimit", label: "limit", colour: "limit", steps: true, dash: [4, 3] },
      ] },
  ] },
  { id: "cost", title: "Cost", format: short,
    text: "Replica-hours so far: starting, ready and draining.",
    lines: [
      { key: "cost", label: "replica-hours", colour: "cost", area: true },
      { key: "oracle", label: "the least that keeps the objective, in all", colour: "limit", dash: [4, 3] },
    ],
    more: costText },
];

const TOTALS = [
  ["breaches", "broken promises", grouped, true],
  ["lostShare", "requests lost", percent, true],
  ["badShare", "waited too long, or lost", percent, false],
  ["arrived", "requests arrived", grouped, false],
  ["p50", "median latency", wait, false],
  ["p99", "99 % of latencies", wait, false],
  ["retries", "retries", grouped, false],
  ["shortSeconds", "demand above capacity", span, true],
  ["longestWaitSeconds", "longest wait", span, false],
  ["replicaHours", "replica-hours", short, false],
  ["timesOracle", "of the oracle's cost", (v) => `${v.toFixed(2)} ×`, false],
  ["peakLive", "most live replicas", grouped, false],
  ["leastReady", "fewest ready", grouped, false],
  ["starts", "starts", grouped, false],
  ["drains", "drains", grouped, false],
];

// Marks at the bottom where a run's scaler had no usable reading.
function drawBlind(plot) {
  const { left, top, width, height } = plot.bbox;
  const thick = 4 * devicePixelRatio;
  plot.ctx.save();
  plot.ctx.fillStyle = colour("failed");
  for (const [r, run] of current.runs.entries()) {
    if (!run || !run.series.blind) continue;
    const blind = run.series.blind.hi || run.series.blind.lo;
    for (let i = 0; i < blind.length; ++i) {
      if (!blind[i]) continue;
      const edge = (time) => Math.min(Math.max(plot.valToPos(time, "x", true), left), left + width);
      const from = edge(run.t[i]);
      const to = edge(i + 1 < run.t.length ? run.t[i + 1] : run.t[i]);
      plot.ctx.fillRect(from, top + height - thick * (r * 1.5 + 1), to - from, thick);
    }
  }
  plot.ctx.restore();
}

// Which failures there were in all, where the run knew single requests.
function failureText() {
  return current.runs.map((run, r) => {
    const kinds = Object.entries(run && run.failures ? run.failures : {}).filter(([, count]) => count > 0);
    if (kinds.length === 0) return "";
    const name = current.runs.length > 1 ? `${"AB"[r]}: ` : "";
    return `${name}${kinds.map(([kind, count]) => `${grouped(count)} ${kind}`).join(", ")}.`;
  }).filter(Boolean).join("\n");
}

// The cost against the oracle's, in words, for each run.
function costText() {
  return current.runs.map((run, r) => {
    if (!run || !run.yardstick) return "";
    const yardstick = run.yardstick;
    const name = current.runs.length > 1 ? `${"AB"[r]}: ` : "";
    const objective = `at most ${percent(yardstick.objective)} ${yardstick.ofAnswers ? "take" : "wait"} over ${span(yardstick.waitSeconds)} or are lost`;
    if (!yardstick.reachable) {
      return `${name}the objective (${objective}) is out of reach: the least is ${percent(yardstick.leastBadShare)}.`;
    }
    const cost = `${name}${run.totals.timesOracle.toFixed(2)} times what a clairvoyant pays at least to keep the ` +
      `objective (${objective}). `;
    const bad = percent(run.totals.badShare);
    return cost + (yardstick.kept ? `It was kept: ${bad} did.`
      : `It was missed: ${bad} did; ${yardstick.timesSameLoss.toFixed(2)} times the least for that.`);
  }).filter(Boolean).join("\n");
}

const current = { runs: [], board: null };

function poolIds() {
  return [...new Set(report.runs.flatMap((run) => run.pools.map((pool) => pool.id)))];
}

function addFigure(parent, spec) {
  const { runs, board } = current;
  const lines_ = spec.lines.filter((line) =>
    runs.some((run) => run && run.series[line.key]) &&
    !(line.optional && runs.every((run) => !run || most(run.series[line.key].hi || run.series[line.key].lo) === 0)));
  const hasData = (run) => run && run.series[spec.needs] &&
    (most(run.series[spec.needs].hi || run.series[spec.needs].lo) || 0) > 0;
  if (lines_.length === 0 || (spec.needs && !runs.some(hasData))) {
    parent.append(make("p", { className: "note", id: `${spec.id}-missing` }, spec.missing));
    return;
  }
  const text = spec.more ? `${spec.text}\n${spec.more()}`.trim() : spec.text;
  addChart(parent, board, runs, { ...spec, text, lines: lines_ });
}

function show(poolId) {
  const runs = report.runs.map((run) => run.pools.find((pool) => pool.id === poolId) || null);
  const board = new Board(runs.length, Math.max(...report.runs.map((run) => run.seconds)));
  Object.assign(current, { runs, board });
  showTotals(runs);
  const charts = document.getElementById("charts");
  charts.replaceChildren();
  const { panel, show: showDecision } = decisionPanel(runs, NAMES);
  for (const spec of CHARTS) {
    if (spec.id === "decisions") {
      addDecisions(charts, board, runs, NAMES);
      charts.append(panel);
    } else if (spec.pair) {
      const pair = make("div", { className: "pair" });
      charts.append(pair);
      for (const half of spec.pair) addFigure(pair, half);
    } else {
      addFigure(charts, spec);
    }
  }
  board.onCursor = showDecision;
  board.onRange = (range, all) => {
    document.getElementById("range").textContent = all ? "" : `${clock(range.min)} to ${clock(range.max)}`;
  };
  board.onRange(board.range, true);
  showDecision(null);
  showDetails(runs, board);
}

function showTotals(runs) {
  const box = document.getElementById("totals");
  box.replaceChildren();
  const rows = TOTALS.filter(([key]) => runs.some((run) => run && run.totals[key] !== undefined));
  if (runs.length === 1) {
    const tiles = make("div", { className: "tiles" });
    for (const [key, label, format, bad] of rows) {
      const value = runs[0].totals[key];
      tiles.append(make("div", { className: bad && value > 0 ? "tile bad" : "tile" },
        make("b", {}, format(value)), make("span", {}, label)));
    }
    box.append(tiles);
    return;
  }
  const head = make("tr", {}, make("td"));
  for (const [r, name] of NAMES.entries()) {
    head.append(make("th", { scope: "col" }, make("i", { className: r ? "sample second" : "sample" }), name));
  }
  head.append(make("th", { scope: "col" }, "B − A"));
  const body = make("tbody");
  for (const [key, label, format] of rows) {
    const values = runs.map((run) => (run ? run.totals[key] : undefined));
    const row = make("tr", {}, make("th", { scope: "row" }, label));
    for (const value of values) row.append(make("td", {}, value === undefined ? "–" : format(value)));
    const both = values.every((value) => value !== undefined);
    row.append(make("td", {}, both ? difference(values[1] - values[0], format) : "–"));
    body.append(row);
  }
  box.append(make("div", { className: "card" }, make("table", {}, make("thead", {}, head), body)));
}

function difference(change, format) {
  if (change === 0) return "=";
  return (change > 0 ? "+" : "−") + format(Math.abs(change));
}

function showDetails(runs, board) {
  const box = document.getElementById("details");
  box.replaceChildren();
  for (const [r, run] of runs.entries()) {
    if (run && run.breaches.length > 0) box.append(breachList(board, run, NAMES[r]));
    if (run && run.decisions.length > 0) box.append(decisionList(board, run, NAMES[r]));
  }
  for (const [r, run] of report.runs.entries()) {
    const facts = make("dl");
    for (const [name, value] of [...run.facts, ["digest of the end", run.digest]]) facts.append(make("dt", {}, name), make("dd", {}, value));
    box.append(make("details", { className: "card" }, make("summary", {}, `What was run: ${NAMES[r]}`), facts));
  }
}

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").textContent = dark ? "Light" : "Dark";
  document.getElementById("theme").setAttribute("aria-label", dark ? "Use light colours" : "Use dark colours");
  if (current.board) for (const plot of current.board.plots) plot.redraw(false, true);
}

function start() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  setTheme(system.matches);
  system.addEventListener("change", (event) => setTheme(event.matches));
  document.getElementById("theme").addEventListener("click", () =>
    setTheme(document.documentElement.dataset.theme !== "dark"));
  document.getElementById("zoom-in").addEventListener("click", () => current.board.zoom(0.5));
  document.getElementById("zoom-out").addEventListener("click", () => current.board.zoom(2));
  document.getElementById("zoom-all").addEventListener("click", () => current.board.setRange(0, current.board.end));

  const title = report.runs.map((run) => run.name).join(" and ");
  document.title = `${title}: tidesim report`;
  document.getElementById("title").textContent = title;
  document.getElementById("subtitle").textContent =
    [...new Set(report.runs.map((run) => `${span(run.seconds)} simulated`))].join(" and ") +
    (report.note ? `. ${report.note}` : "");
  const choice = document.getElementById("pool");
  const ids = poolIds();
  for (const id of ids) choice.append(make("option", { value: id }, id));
  document.getElementById("pool-choice").hidden = ids.length < 2;
  choice.addEventListener("change", () => show(choice.value));
  show(ids[0]);
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.state = "drawn";
  }));
}

start();
