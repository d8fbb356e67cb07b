#include "driver/monitor/metrics_text.h"

#include <gtest/gtest.h>

#include <string>

namespace parity::driver {
namespace {

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

MetricsPage page_of_run() {
    MetricsPage page;
    page.figures.units = 10;
    page.figures.done = 6;
    page.figures.failed = 1;
    page.figures.retries = 2;
    page.figures.dead = 1;
    page.figures.findings = {1, 20, 300};
    page.figures.side.source = {1000, 2048, 0.5, 0, 12.25, 0x16B374D848};
    page.figures.side.target = {999, {}, 4, 3, 13, {}};
    page.started = 1'700'000'000;
    page.written = 1'700'000'015.25;
    page.in_progress = true;
    return page;
}

TEST(MetricsText, TellsEachNumberUnderItsLabels) {
    const std::string text = metrics_text(page_of_run());
    for (const char* line :
         {"# TYPE pgparity_run_units gauge", "pgparity_run_in_progress 1", "pgparity_run_units{state=\"done\"} 6",
          "pgparity_run_units{state=\"failed\"} 1", "pgparity_run_units{state=\"pending\"} 3",
          "pgparity_run_dead_units 1", "pgparity_run_unit_retries 2", "pgparity_run_findings{kind=\"mismatch\"} 1",
          "pgparity_run_findings{kind=\"missing_on_target\"} 20",
          "pgparity_run_findings{kind=\"missing_on_source\"} 300", "pgparity_run_read_rows{side=\"source\"} 1000",
          "pgparity_run_read_rows{side=\"target\"} 999", "pgparity_run_read_seconds{side=\"source\"} 0.5",
          "pgparity_run_received_bytes{side=\"source\"} 2048",
          "pgparity_run_verified_lsn_bytes{side=\"source\"} 97500059720",
          "pgparity_snapshot_age_seconds{side=\"target\"} 3",
          "pgparity_run_longest_snapshot_seconds{side=\"source\"} 12.25",
          "pgparity_run_start_timestamp_seconds 1700000000", "pgparity_metrics_timestamp_seconds 1700000015.25"})
        EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
}

TEST(MetricsText, LeavesOutWhatIsNotKnown) {
    const std::string text = metrics_text(page_of_run());
    EXPECT_EQ(text.find("received_bytes{side=\"target\"}"), std::string::npos);
    EXPECT_EQ(text.find("verified_lsn_bytes{side=\"target\"}"), std::string::npos);
    EXPECT_EQ(text.find("last_success"), std::string::npos);
    EXPECT_EQ(text.find("last_run"), std::string::npos);
    MetricsPage page = page_of_run();
    page.figures.side.source.bytes.reset();
    EXPECT_EQ(metrics_text(page).find("received_bytes"), std::string::npos);
}

TEST(MetricsText, HoldsNumbersExactly) {
    MetricsPage page = page_of_run();
    page.figures.findings.mismatch = 9'007'199'254'740'991;
    EXPECT_TRUE(has_line(metrics_text(page), "pgparity_run_findings{kind=\"mismatch\"} 9007199254740991"));
}

TEST(MetricsText, PutsTheLabelsOnEveryMetric) {
    MetricsPage page = page_of_run();
    page.labels = {{"comparison", "a \"b\" \\ c"}};
    const std::string text = metrics_text(page);
    EXPECT_TRUE(has_line(text, R"(pgparity_run_in_progress{comparison="a \"b\" \\ c"} 1)")) << text;
    EXPECT_TRUE(has_line(text, R"(pgparity_run_units{state="done",comparison="a \"b\" \\ c"} 6)")) << text;
}

TEST(PastRuns, AreReadFromWhatWasWritten) {
    MetricsPage page = page_of_run();
    for (const PastRuns& past : {PastRuns{}, PastRuns{1'700'000'001.5, 1'700'000'002, 1}, PastRuns{{}, 5, 0}}) {
        page.past = past;
        for (const auto& labels : {decltype(page.labels){}, decltype(page.labels){{"a", "} 1 \"\\"}, {"b", "c"}}}) {
            page.labels = labels;
            EXPECT_EQ(read_past_runs(metrics_text(page)), past) << metrics_text(page);
        }
    }
}

TEST(PastRuns, AreNotReadFromWhatIsNoneOfOurs) {
    for (const char* text :
         {"", "\n\n", "{\"report\": 1}", "pgparity_last_success_timestamp_seconds",
          "pgparity_last_success_timestamp_seconds\n", "pgparity_last_success_timestamp_seconds \n",
          "pgparity_last_success_timestamp_seconds NaN\n", "pgparity_last_success_timestamp_seconds +Inf\n",
          "pgparity_last_success_timestamp_seconds -1\n", "pgparity_last_success_timestamp_seconds 12x\n",
          "pgparity_last_success_timestamp_seconds{a=\"} 12\n", "pgparity_last_success_timestamp_seconds{a=\"b\"}12\n",
          "pgparity_last_success_timestamp_seconds_else 12\n", "# pgparity_last_success_timestamp_seconds 12\n",
          "pgparity_last_success_timestamp_seconds 12", "pgparity_last_run_exit_status 1.5\n",
          "pgparity_last_run_exit_status 1e300\n"})
        EXPECT_EQ(read_past_runs(text), PastRuns{}) << text;
    EXPECT_EQ(read_past_runs(std::string("\0\xff\n", 3) + "pgparity_last_success_timestamp_seconds 12\n").last_success,
              12);
}

}  // namespace
}  // namespace parity::driver
