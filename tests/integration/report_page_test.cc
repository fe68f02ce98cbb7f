// The report's page in a real browser: wide and narrow, light and dark. With TIDEGATE_SCREENSHOTS
// set to a folder, pictures of it are left there.

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/report/html.h"
#include "sim/runner/cli.h"
#include "tests/testing/browser.h"
#include "tests/testing/child_process.h"

namespace tidegate::sim {
namespace {

using testing::Browser;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Viewport;

constexpr const char* kFlashCrowd = TIDEGATE_SOURCE_DIR "/sim/scenarios/flash_crowd.yaml";
constexpr const char* kBlindScaler = TIDEGATE_SOURCE_DIR "/sim/scenarios/blind_scaler.yaml";

// What is wrong with the charts, as a list of texts: each series must have points, and each of its
// colours must be on the canvas in earnest, in the theme at hand.
constexpr const char* kFaults = R"js((() => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (text) => {
    probe.fillStyle = text;
    probe.fillRect(0, 0, 1, 1);
    return probe.getImageData(0, 0, 1, 1).data;
  };
  const faults = [];
  for (const figure of document.querySelectorAll("figure")) {
    if (!/^[1-9][0-9]*( [1-9][0-9]*)*$/.test(figure.dataset.points)) {
      faults.push(`${figure.id}: points "${figure.dataset.points}"`);
    }
    const canvas = figure.querySelector("canvas");
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const pixels = copy.getContext("2d", { willReadFrequently: true });
    pixels.drawImage(canvas, 0, 0);
    const all = pixels.getImageData(0, 0, copy.width, copy.height).data;
    for (const name of new Set(figure.dataset.colours.split(" "))) {
      const [r, g, b] = rgb(getComputedStyle(document.documentElement).getPropertyValue("--" + name));
      let found = 0;
      for (let i = 0; i < all.length; i += 4) {
        if (all[i + 3] > 200 && Math.abs(all[i] - r) < 16 && Math.abs(all[i + 1] - g) < 16 &&
            Math.abs(all[i + 2] - b) < 16) ++found;
      }
      if (found < 8) faults.push(`${figure.id}: ${found} pixels of ${name}`);
    }
  }
  return faults;
})())js";

// Ids of the charts, and of the sentences that stand in for one.
constexpr const char* kCharts = R"js(
  [...document.querySelectorAll("figure, .note[id]")].map((e) => e.id).join(" "))js";

// Whether nothing sticks out sideways; innerWidth would not do, a phone's grows with what does.
constexpr const char* kFits =
    "document.documentElement.scrollWidth <= document.documentElement.clientWidth";

class ReportPageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto browser = Browser::Start();
    ASSERT_TRUE(browser) << browser.error().message;
    browser_ = *std::move(browser);
  }

  // Runs the program.
  std::filesystem::path ReportOf(const std::vector<const char*>& scenarios,
                                 const char* command = "run") {
    const auto file = dir_.path() / "report.html";
    const std::string path = file.string();
    std::vector<const char*> arguments{"tidesim", command, "--report", path.c_str()};
    arguments.insert(arguments.end(), scenarios.begin(), scenarios.end());
    std::ostringstream out, err;
    EXPECT_EQ(Main(static_cast<int>(arguments.size()), arguments.data(), out, err), 0) << err.str();
    return file;
  }

  std::string Ask(const std::string& expression) {
    const auto value = browser_->Evaluate(expression);
    return value ? *value : value.error().message;
  }

  void Open(const std::filesystem::path& file, const Viewport& viewport) {
    const auto opened = browser_->Open(file, viewport);
    ASSERT_TRUE(opened) << opened.error().message;
    const auto drawn = browser_->WaitFor("document.documentElement.dataset.state === 'drawn'");
    ASSERT_TRUE(drawn) << drawn.error().message << ::testing::PrintToString(browser_->complaints());
  }

  // Everything that must hold whichever way the page is looked at.
  void Look(const std::filesystem::path& file, const std::string& name) {
    for (const bool dark : {false, true}) {
      for (const int width : {1'400, 400}) {
        SCOPED_TRACE(fmt::format("{} wide, {}", width, dark ? "dark" : "light"));
        ASSERT_NO_FATAL_FAILURE(Open(file, {.width = width, .height = 900, .dark = dark}));
        EXPECT_THAT(browser_->complaints(), IsEmpty());
        EXPECT_THAT(browser_->requests(), ElementsAre("file://" + file.string()));
        EXPECT_EQ(Ask(kFaults), "[]");
        EXPECT_EQ(Ask("document.documentElement.dataset.theme"), dark ? "\"dark\"" : "\"light\"");
        EXPECT_EQ(Ask(kFits), "true");
        if (const char* folder = std::getenv("TIDEGATE_SCREENSHOTS")) {
          const auto kept = browser_->Screenshot(
              fmt::format("{}/{}-{}-{}.png", folder, name, width, dark ? "dark" : "light"));
          EXPECT_TRUE(kept) << kept.error().message;
        }
      }
    }
  }

  testing::TempDir dir_;
  std::unique_ptr<Browser> browser_;
};

// A day in which everything happens, in two pools.
RunSummary EventfulDay(double shift) {
  RunSummary run{.scenario = "</script><script>document.title = 'injected'</script>",
                 .length = Duration(86'400'000),
                 .pools = {},
                 .digest = "0123456789abcdef"};
  for (const char* name : {"edge", "inner"}) {
    PoolResult pool;
    pool.id = {"istio-system", name};
    pool.arrived = 1e7;
    pool.lost = 1e4;
    pool.replica_seconds = 9e5;
    pool.yardstick = {.bad_fraction = 0.01,
                      .oracle = {.replica_seconds = 7e5},
                      .same_loss = {.replica_seconds = 6e5}};
    for (int i = 0; i < 86'400; ++i) {
      const double wave = 1 + std::sin(i / 9'000.0 + shift);
      Moment moment{.at = Duration(1'000) * i};
      moment.demand = 400 * wave + i % 50;
      moment.capacity = 450 * wave + 100;
      moment.backlog = i % 20'000 < 3'000 ? 200 : 5;
      moment.lost = i % 20'000 < 1'000 ? 30 * wave : 0;
      moment.ready = static_cast<Replicas>(9 * wave) + 3;
      moment.desired = moment.ready + 1;
      moment.starting = i % 5'000 < 1'500 ? 2 : 0;
      moment.draining = i % 7'000 < 1'500 ? 1 : 0;
      moment.failed = i % 30'000 < 4'000 ? 1 : 0;
      moment.replica_seconds = 10.0 * i;
      moment.blind = i % 40'000 < 5'000;
      if (!moment.blind) moment.view = 350 * wave;
      moment.surge = i % 9'000 < 3'000 ? 3 : 1;
      moment.surge_limit = 4;
      moment.unavailable = i % 11'000 < 3'000 ? 1 : 0;
      moment.unavailable_limit = 2;
      moment.latency = {0.05 * wave + 0.01, 0.1 * wave + 0.05, 0.3 * wave + 0.2};
      pool.time_line.Add(moment);
    }
    run.pools.push_back(std::move(pool));
  }
  return run;
}

std::vector<decision::Decision> Decisions(const RunSummary& run) {
  std::vector<decision::Decision> decisions;
  for (int i = 0; i < 60; ++i) {
    for (const PoolResult& pool : run.pools) {
      decision::Decision decision;
      decision.at = Instant(Duration(1'200'000) * (i + 1));
      decision.pool = pool.id;
      decision.current = 10;
      decision.desired.replicas = 10 + i % 5 - 2;
      if (i % 5 == 2 && i % 2 == 0) decision.desired.reason = guards::Reason::kSamplesNotOk;
      if (i % 10 == 7)
        decision.plan.steps.push_back({.replica = "edge-1", .revision = Revision("a")});
      decisions.push_back(std::move(decision));
    }
  }
  return decisions;
}

TEST_F(ReportPageTest, EveryChartHasDataWhateverHappened) {
  const RunSummary first = EventfulDay(0), second = EventfulDay(1);
  const auto decisions = Decisions(first);
  std::vector<ReportRun> runs;
  for (const RunSummary* run : {&first, &second}) {
    runs.push_back({.name = run->scenario,
                    .summary = run,
                    .decisions = decisions,
                    .start = Instant(),
                    .facts = {{"trace", "</script>"}},
                    .breaches = {{run->pools[0].id, {{Instant(), "B1", "9 live of 8"}}}}});
  }
  ASSERT_NO_FATAL_FAILURE(Look(dir_.Write("full.html", ToHtml(runs)), "full"));
  EXPECT_EQ(Ask(kCharts),
            "\"demand replicas decisions view lost backlog latency surge unavailable cost\"");
  EXPECT_EQ(Ask("document.title.includes('injected') && document.scripts.length"), "3");
}

TEST_F(ReportPageTest, OneRunOfTheProgramIsShown) {
  ASSERT_NO_FATAL_FAILURE(Look(ReportOf({kFlashCrowd}), "one"));
  // A fluid has no single requests, and this one lost none: sentences say so.
  EXPECT_EQ(Ask(kCharts),
            "\"demand replicas decisions view lost-missing backlog latency-missing "
            "surge unavailable cost\"");
}

TEST_F(ReportPageTest, TwoRunsOfTheProgramAreOverlaid) {
  ASSERT_NO_FATAL_FAILURE(Look(ReportOf({kFlashCrowd, kBlindScaler}), "two"));
  EXPECT_EQ(Ask("document.getElementById('demand').dataset.points"), "\"181 181 181 181\"");
  EXPECT_THAT(Ask("document.getElementById('totals').textContent"), HasSubstr("B: blind-scaler"));
}

TEST_F(ReportPageTest, AComparisonShowsTheFirstRunOfEach) {
  const auto page = ReportOf({kFlashCrowd, kBlindScaler}, "compare");
  const std::string compared = testing::ReadFile(page);
  ReportOf({kFlashCrowd, kBlindScaler});
  // Both scenarios say seed 1, and so does compare by default.
  EXPECT_TRUE(compared == testing::ReadFile(page)) << "not the page of run";
  dir_.Write("report.html", compared);
  ASSERT_NO_FATAL_FAILURE(Look(page, "compare"));
  EXPECT_EQ(Ask("document.getElementById('demand').dataset.points"), "\"181 181 181 181\"");
  EXPECT_THAT(Ask("document.getElementById('totals').textContent"), HasSubstr("B: blind-scaler"));
}

TEST_F(ReportPageTest, EachCheckCanFail) {
  ASSERT_NO_FATAL_FAILURE(Open(ReportOf({kFlashCrowd}), {.width = 400, .height = 900}));
  Ask("document.querySelector('#view canvas').getContext('2d').clearRect(0, 0, 2000, 2000)");
  EXPECT_EQ(Ask(kFaults), "[\"view: 0 pixels of demand\",\"view: 0 pixels of view\"]");
  Ask("document.getElementById('lost-missing').style.width = '410px'");
  EXPECT_EQ(Ask(kFits), "false");
  Ask("console.error('heard')");
  EXPECT_THAT(browser_->complaints(), ElementsAre(HasSubstr("heard")));
  Ask("fetch('https://example.invalid/').catch(() => 0)");
  Ask("document.body.append(Object.assign(document.createElement('script'), "
      "{textContent: 'document.title = 1'}))");
  EXPECT_NE(Ask("document.title"), "\"1\"");
  EXPECT_THAT(browser_->complaints(), Contains(HasSubstr("violates the following")).Times(2));
}

TEST_F(ReportPageTest, KeysAndMouseReachEverything) {
  ASSERT_NO_FATAL_FAILURE(Open(ReportOf({kFlashCrowd}), {}));
  const auto press = [&](const char* key) {
    const auto pressed = browser_->Press(key);
    EXPECT_TRUE(pressed) << pressed.error().message;
  };
  const auto wait = [&](const std::string& expression) {
    const auto came = browser_->WaitFor(expression);
    EXPECT_TRUE(came) << came.error().message;
  };
  // From one decision to the next: its text comes up, and every chart shows its values there.
  const std::string grows = "current.runs[0].decisions.findIndex((d) => d.kind === 'grow')";
  Ask("window.grown = current.runs[0].decisions[" + grows + "]");
  Ask("window.head = grown.text.split('\\n')[0]");
  Ask("document.getElementById('decisions').focus()");
  for (int i = 0; i <= std::stoi(Ask(grows)); ++i) press("ArrowRight");
  wait("document.getElementById('decision').textContent.includes(head.replaceAll('->', '\u2192'))");
  wait("document.getElementById('live').textContent.includes(head)");
  wait(
      "document.querySelector('#replicas .value').textContent === "
      "String(current.runs[0].series.ready.lo[indexAt(current.runs[0].t, grown.t)])");
  // Through time on a chart, and into it.
  Ask("document.getElementById('demand').focus()");
  press("End");
  wait("document.getElementById('live').textContent.startsWith('3:00: demand')");
  press("+");
  wait("document.getElementById('range').textContent === '1:30 to 3:00'");
  press("0");
  wait("document.getElementById('range').textContent === ''");
  // The mouse shows a decision where it is, and drags a range out.
  const auto at = [&](const char* edge) {
    return std::stod(Ask(
        fmt::format("document.querySelector('#demand .u-over').getBoundingClientRect().{}", edge)));
  };
  const double left = at("left"), width = at("width"), y = at("top") + 20;
  ASSERT_TRUE(browser_->Move(left + width / 2, y));
  wait("document.getElementById('decision').textContent.includes('In force at 1:30')");
  ASSERT_TRUE(browser_->Drag(left + width / 3, left + width * 2 / 3, y));
  wait("document.getElementById('range').textContent === '1:00 to 2:00'");
  EXPECT_EQ(Ask("current.board.plots.every((plot) => Math.round(plot.scales.x.min) === 60 && "
                "Math.round(plot.scales.x.max) === 120)"),
            "true");
  Ask("document.getElementById('zoom-all').click()");
  wait("document.getElementById('range').textContent === ''");
  // The button changes the theme, and the charts with it.
  Ask("document.getElementById('theme').click()");
  wait("document.documentElement.dataset.theme === 'dark'");
  wait(std::string(kFaults) + ".length === 0");
  EXPECT_THAT(browser_->complaints(), IsEmpty());
}

}  // namespace
}  // namespace tidegate::sim
