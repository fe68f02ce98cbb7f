#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/report/league_duel.h"
#include "sim/report/league_result.h"

// The league as one page without scripts: for each trace what each contestant costs against whom it
// fails, over all settings that were tried.
namespace tidegate::sim {
namespace {

constexpr double kWidth = 420, kHeight = 260, kLeft = 46, kBottom = 30, kTop = 8;
constexpr double kMostCost = 12;
constexpr const char* kColors[] = {"#888888", "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728",
                                   "#9467bd", "#8c564b", "#17becf", "#bcbd22", "#e377c2"};

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

// Both axes are logarithmic: cost from 1 to kMostCost, bad requests from 0.001 % to all.
double X(double cost) {
  const double part = std::log(std::clamp(cost, 1.0, kMostCost)) / std::log(kMostCost);
  return kLeft + part * (kWidth - kLeft - 8);
}
double Y(double bad) {
  const double part =
      std::log(std::clamp(bad, kLeastTold, 1.0) / kLeastTold) / std::log(1 / kLeastTold);
  return kHeight - kBottom - part * (kHeight - kBottom - kTop);
}

std::string Axes(double objective) {
  std::string svg;
  for (const double cost : {1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0}) {
    svg += fmt::format(
        "<line class=g x1={0:.1f} x2={0:.1f} y1={1} y2={2}/><text x={0:.1f} y={3} "
        "text-anchor=middle>{4:g}x</text>",
        X(cost), kTop, kHeight - kBottom, kHeight - kBottom + 14, cost);
  }
  for (const double bad : {1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0}) {
    svg += fmt::format(
        "<line class={5} x1={0} x2={1} y1={2:.1f} y2={2:.1f}/><text x={3} y={2:.1f} "
        "text-anchor=end>{4:g} %</text>",
        kLeft, kWidth - 8, Y(bad), kLeft - 4, bad * 100, bad == objective ? "o" : "g");
  }
  return svg;
}

std::string CurveOf(const LeagueCurve& curve, double oracle, const char* color) {
  std::vector<LeagueRun> runs = curve.runs;
  std::ranges::stable_sort(runs, {}, &LeagueRun::replica_seconds);
  std::string points, marks;
  for (const LeagueRun& run : runs) {
    const double cost = run.replica_seconds / oracle;
    points += fmt::format("{:.1f},{:.1f} ", X(cost), Y(run.bad));
    const bool by_default = run.knob == curve.runs[curve.at_default].knob;
    marks += fmt::format(
        "<circle cx={:.1f} cy={:.1f} r={} fill=\"{}\"><title>{} {} {:.4g}: {:.3f} % bad, "
        "{:.2f}x</title></circle>",
        X(cost), Y(run.bad), by_default ? 4 : 2, color, Escaped(curve.contestant),
        Escaped(curve.knob), run.knob, run.bad * 100, cost);
  }
  return fmt::format("<polyline points=\"{}\" stroke=\"{}\"/>{}", points, color, marks);
}

const char* ColorOf(std::size_t i) { return kColors[i % std::size(kColors)]; }

std::string Legend(const League& league) {
  std::string html = "<p class=l>";
  for (std::size_t i = 0; i < league.contestants.size(); ++i) {
    html += fmt::format("<span style=\"color:{}\">&#9679; {}</span> ", ColorOf(i),
                        Escaped(league.contestants[i]));
  }
  return html + "</p>";
}

std::string StandingsTable(const League& league) {
  std::string html =
      "<table><tr><th>contestant<th>kept at default<th>mean cost<th>kept by some setting<th>mean "
      "cost</tr>";
  for (const LeagueStanding& standing : Standings(league)) {
    html += fmt::format("<tr><td>{}<td>{} of {}<td>{}<td>{} of {}<td>{}</tr>",
                        Escaped(standing.contestant), standing.kept, league.traces.size(),
                        CostText(standing.mean_cost, 1), standing.reached, league.traces.size(),
                        CostText(standing.best_cost, 1));
  }
  return html + "</table>";
}

std::string TracesTable(const League& league) {
  std::string html =
      "<table><tr><th>trace<th>contestant<th>bad<th>worst minute<th>cost<th>moves<th>short of "
      "capacity<th>best knob<th>best cost</tr>";
  for (const LeagueTrace& trace : league.traces) {
    for (const LeagueCurve& curve : trace.curves) {
      const LeagueRun& run = curve.runs[curve.at_default];
      html += fmt::format("<tr><td>{}<td>{}<td>{:.3f} %<td>{:.1f} %<td>{:.2f}x<td>{}<td>{:.0f} s",
                          Escaped(trace.name), Escaped(curve.contestant), run.bad * 100,
                          run.worst_minute * 100, run.replica_seconds / trace.oracle_seconds,
                          run.moves, run.short_seconds);
      if (curve.best) {
        const LeagueRun& best = curve.runs[*curve.best];
        html += fmt::format("<td>{:.4g}<td>{:.2f}x</tr>", best.knob,
                            best.replica_seconds / trace.oracle_seconds);
      } else {
        html += "<td>-<td>-</tr>";
      }
    }
  }
  return html + "</table>";
}

constexpr const char* kHead =
    "<!doctype html><html lang=en><meta charset=utf-8><title>tidesim league</title>"
    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
    "'unsafe-inline'\"><style>body{font:14px sans-serif;margin:2em;max-width:1400px}"
    "figure{display:inline-block;margin:8px}figcaption{font-weight:bold}"
    "svg text{font-size:10px;fill:#555}svg polyline{fill:none;stroke-width:1.2;opacity:.7}"
    ".g{stroke:#ddd}.o{stroke:#c00;stroke-dasharray:4}table{border-collapse:collapse}"
    "td,th{padding:2px 10px;text-align:right;border-bottom:1px solid #eee}"
    "td:first-child,th:first-child{text-align:left}</style>";

}  // namespace

std::string ToHtml(const std::vector<League>& leagues) {
  std::string html = kHead;
  html += "<h1>What each policy costs, and whom it fails</h1>";
  for (const League& league : leagues) {
    html += fmt::format(
        "<h2>Scrapes every {}</h2><p>Across: replica-hours over the oracle's. Up: bad requests; "
        "the "
        "dashed line is the objective, {:g} %. Large dots are defaults. Costs over {:g}x and "
        "shares under {:g} % are drawn at the edge; tables and dots' titles have the numbers.</p>",
        FormatDuration(league.scrape), league.objective * 100, kMostCost, kLeastTold * 100);
    html += Legend(league) + StandingsTable(league);
    for (const LeagueTrace& trace : league.traces) {
      html += fmt::format("<figure><figcaption>{}</figcaption><svg width={} height={}>",
                          Escaped(trace.name), kWidth, kHeight);
      html += Axes(league.objective);
      for (std::size_t i = 0; i < trace.curves.size(); ++i)
        html += CurveOf(trace.curves[i], trace.oracle_seconds, ColorOf(i));
      html += "</svg></figure>";
    }
    html += TracesTable(league);
  }
  return html + "</html>\n";
}

}  // namespace tidegate::sim
