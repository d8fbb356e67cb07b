#include "driver/options/request.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/options/kept_options.h"
#include "driver/options/option_table.h"

namespace parity::driver {
namespace {

[[noreturn]] void refuse_request(const std::string& message) {
    throw Error(ErrorKind::kUsage, message, "pgparity help COMMAND lists the options");
}

void check_together(const Options& options) {
    const auto refuse_both = [](const auto& first, const auto& second, const char* a, const char* b) {
        for (const std::string& text : first) {
            if (std::find(second.begin(), second.end(), text) == second.end()) continue;
            refuse_request(fmt::format("\"{}\" is given to both {} and {}", text, a, b));
        }
    };
    refuse_both(options.tables, options.exclude_tables, "--table", "--exclude-table");
    refuse_both(options.columns, options.exclude_columns, "--columns", "--exclude-columns");
    // the condition goes to both sides as it is, so that a name in it could mean another column on each
    const bool conditional =
        !options.where.empty() || std::any_of(options.table_settings.begin(), options.table_settings.end(),
                                              [](const TableSetting& setting) { return !setting.where.empty(); });
    if (conditional && !options.map_columns.empty()) refuse_request("--where cannot be combined with --map-column");
    if (options.dry_run && options.format != ReportFormat::kText && options.format != ReportFormat::kJson)
        refuse_request("--dry-run prints text or json");
    if (!options.state_run.empty() && !names_database(options.state))
        refuse_request("--state-run needs --state with a connection string: a file holds one run");
    if (options.state_values && options.state.empty()) refuse_request("--state-values needs --state");
    if (options.dry_run && !options.state.empty()) refuse_request("--dry-run compares nothing, so there is no --state");
    if (options.dry_run && !options.metrics_file.empty())
        refuse_request("--dry-run compares nothing, so there is no --metrics-file");
    if (options.fall_back_to_stream && options.engine != Engine::kAuto)
        refuse_request(options.engine == Engine::kStream
                           ? "--engine stream streams already: --fall-back-to-stream has no use"
                           : "--engine extension never streams: --fall-back-to-stream contradicts it");
    if (options.dry_run && (options.fall_back_to_stream || options.allow_failover))
        refuse_request(fmt::format("--dry-run compares nothing, so there is no --{}",
                                   options.allow_failover ? "allow-failover" : "fall-back-to-stream"));
    if (!options.metrics_labels.empty() && options.metrics_file.empty())
        refuse_request("--metrics-label needs --metrics-file");
    if (options.record_values && options.record.empty()) refuse_request("--record-values needs --record");
}

}  // namespace

Request::Request(Options given)
    : options(std::move(given)),
      selection(make_selection(options)),
      maps(options.maps),
      columns(options),
      tables(options) {
    check_together(options);
}

}  // namespace parity::driver
