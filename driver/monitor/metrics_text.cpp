#include "driver/monitor/metrics_text.h"

#include <charconv>
#include <cmath>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "driver/model/version.h"
#include "driver/text/words.h"

namespace parity::driver {
namespace {

constexpr const char* kSideLabel = "side";
constexpr const char* kKindLabel = "kind";
constexpr const char* kStateLabel = "state";
constexpr const char* kVersionLabel = "version";

constexpr std::string_view kLastSuccess = "pgparity_last_success_timestamp_seconds";
constexpr std::string_view kLastEnd = "pgparity_last_run_end_timestamp_seconds";
constexpr std::string_view kLastStatus = "pgparity_last_run_exit_status";

/// Gathers metrics. All are gauges: they are about one run, and begin anew with the next one.
class Page {
  public:
    explicit Page(const MetricsPage& page) : page_(page) {}

    /// Those without a value are left out.
    void add(std::string_view name, const char* help, std::optional<double> value) {
        if (!value) return;
        begin(name, help);
        put({}, *value);
    }

    void begin(std::string_view name, const char* help) {
        families_.push_back({std::string(name), help, prometheus::MetricType::Gauge, {}});
    }

    void put(std::vector<prometheus::ClientMetric::Label> labels, double value) {
        prometheus::ClientMetric metric;
        metric.label = std::move(labels);
        for (const auto& [name, text] : page_.labels) metric.label.push_back({name, text});
        metric.gauge.value = value;
        families_.back().metric.push_back(std::move(metric));
    }

    /// One metric for each side of which there is a value.
    template <typename Value>
    void add_sides(std::string_view name, const char* help, Value RunFigures::OfSide::*member) {
        begin(name, help);
        for (Side side : kSides)
            if (const std::optional<double> value = number(page_.figures.side[side].*member))
                put({{kSideLabel, std::string(side_name(side))}}, *value);
        if (families_.back().metric.empty()) families_.pop_back();
    }

    std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

  private:
    static std::optional<double> number(double value) { return value; }
    static std::optional<double> number(std::uint64_t value) { return static_cast<double>(value); }
    static std::optional<double> number(std::optional<std::uint64_t> value) {
        return value ? std::optional<double>(static_cast<double>(*value)) : std::nullopt;
    }

    const MetricsPage& page_;
    std::vector<prometheus::MetricFamily> families_;
};

void add_runs(Page& page, const MetricsPage& from) {
    page.begin("pgparity_build_info", "The pgparity that wrote these metrics; always 1.");
    page.put({{kVersionLabel, std::string(kVersion)}}, 1);
    page.add("pgparity_metrics_timestamp_seconds", "When these metrics were written.", from.written);
    page.add("pgparity_run_in_progress", "1 while a run goes on, 0 after its end.", from.in_progress ? 1 : 0);
    page.add("pgparity_run_start_timestamp_seconds", "When the run that goes on began, or else the last one.",
             from.started);
    page.add(kLastEnd, "When the last run ended that came to its end.", from.past.last_end);
    page.add(kLastStatus,
             "Exit status of the last run that came to its end: 0 identical, 1 divergent, 2 error, 3 incomplete.",
             from.past.last_exit_status);
    page.add(kLastSuccess, "When the last run ended with status 0.", from.past.last_success);
}

void add_units(Page& page, const RunFigures& figures) {
    page.begin("pgparity_run_units",
               "Units of the run, tables or spans of one: compared to their end, failed, and neither so far.");
    const std::pair<const char*, std::size_t> states[] = {
        {"done", figures.done}, {"failed", figures.failed}, {"pending", figures.pending()}};
    for (const auto& [state, units] : states) page.put({{kStateLabel, state}}, static_cast<double>(units));
    page.add("pgparity_run_dead_units", "Tables of the run that are done but for what could not be read of them.",
             static_cast<double>(figures.dead));
    page.add("pgparity_run_unit_retries", "How often the run began a table again after a failure that may pass.",
             static_cast<double>(figures.retries));
    page.begin("pgparity_run_findings", "Rows that differ, in the tables that the run is done with.");
    const std::pair<FindingKind, std::uint64_t> kinds[] = {
        {FindingKind::kMismatch, figures.findings.mismatch},
        {FindingKind::kMissingOnSource, figures.findings.missing_on_source},
        {FindingKind::kMissingOnTarget, figures.findings.missing_on_target}};
    for (const auto& [kind, rows] : kinds)
        page.put({{kKindLabel, std::string(finding_name(kind))}}, static_cast<double>(rows));
}

void add_sides(Page& page, const RunFigures& figures) {
    using OfSide = RunFigures::OfSide;
    page.add_sides("pgparity_run_read_rows",
                   "Rows of whole tables that were read on this side; of a table that was read twice, twice.",
                   &OfSide::rows);
    page.add_sides("pgparity_run_read_seconds", "Time in which at least one of these tables was being read.",
                   &OfSide::seconds);
    page.add_sides("pgparity_run_received_bytes",
                   "Bytes of these rows that came over the network, where a side is streamed.", &OfSide::bytes);
    page.add_sides("pgparity_run_verified_lsn_bytes",
                   "Lowest log position at which a table that the run is done with was read.", &OfSide::verified_lsn);
    page.add_sides("pgparity_snapshot_age_seconds",
                   "Age of the oldest snapshot that the run holds; 0 if it holds none.", &OfSide::snapshot_age);
    page.add_sides("pgparity_run_longest_snapshot_seconds", "The longest that the run has held one snapshot.",
                   &OfSide::longest_snapshot);
    page.add("pgparity_run_last_progress_timestamp_seconds", "When the run was last seen to get on.",
             static_cast<double>(figures.heard_us) / 1e6);
}

/// What follows the labels that a line may begin with; nothing where they do not end.
std::optional<std::string_view> after_labels(std::string_view line) {
    if (!line.starts_with('{')) return line;
    bool quoted = false;
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (quoted && line[i] == '\\')
            ++i;
        else if (line[i] == '"')
            quoted = !quoted;
        else if (!quoted && line[i] == '}')
            return line.substr(i + 1);
    }
    return std::nullopt;
}

/// The value on a line about this metric; nothing on any other line, and where it is no such value as we write.
std::optional<double> value_on(std::string_view line, std::string_view name) {
    if (!line.starts_with(name)) return std::nullopt;
    const std::optional<std::string_view> rest = after_labels(line.substr(name.size()));
    if (!rest || !rest->starts_with(' ')) return std::nullopt;
    const char* const end = rest->data() + rest->size();
    double value = 0;
    const auto [stopped, error] = std::from_chars(rest->data() + 1, end, value);
    if (error != std::errc() || stopped != end || !std::isfinite(value) || value < 0) return std::nullopt;
    return value;
}

}  // namespace

std::string metrics_text(const MetricsPage& page) {
    Page text(page);
    add_runs(text, page);
    add_units(text, page.figures);
    add_sides(text, page.figures);
    return text.text();
}

/// A last line without an end may be a part of one.
PastRuns read_past_runs(std::string_view text) {
    PastRuns past;
    for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
        const std::string_view line = text.substr(0, end);
        if (const auto value = value_on(line, kLastSuccess)) past.last_success = value;
        if (const auto value = value_on(line, kLastEnd)) past.last_end = value;
        if (const auto value = value_on(line, kLastStatus); value && *value <= 255 && *value == std::floor(*value))
            past.last_exit_status = static_cast<int>(*value);
    }
    return past;
}

}  // namespace parity::driver
