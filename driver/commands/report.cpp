#include "driver/commands/report.h"

#include <memory>

#include <fmt/format.h>

#include "driver/commands/state_place.h"
#include "driver/commands/state_report.h"
#include "driver/model/error.h"
#include "driver/options/command_line.h"
#include "driver/options/kept_options.h"
#include "driver/options/option_table.h"
#include "driver/report/against.h"
#include "driver/report/document_file.h"
#include "driver/report/formats.h"
#include "driver/report/output.h"
#include "driver/state/run_file.h"

namespace parity::driver {
namespace {

void require_database(const char* option, const std::string& place, const std::string& run) {
    if (run.empty() || names_database(place)) return;
    throw Error(ErrorKind::kUsage,
                fmt::format("--{0}-run needs --{0} with a connection string: a file holds one run", option));
}

/// A report, or the state of a run.
std::unique_ptr<ReportDocument> read_any(const std::string& place, const std::string& run, const Options& options) {
    return is_state(place) ? read_state_report(*read_state(place, run, options)) : read_document(place);
}

int write(const Options& options) {
    for (const std::string& file : {options.from, options.against})
        if (is_database_file(file)) require_other_file(options.output, file);
    const std::unique_ptr<ReportDocument> document = read_any(options.from, options.from_run, options);
    const std::unique_ptr<ReportDocument> older =
        options.against.empty() ? nullptr : read_any(options.against, options.against_run, options);
    const std::unique_ptr<AgainstDocument> beside =
        older ? std::make_unique<AgainstDocument>(*document, *older) : nullptr;
    Output output(options.output);
    write_report(beside ? static_cast<const ReportDocument&>(*beside) : *document, options.format,
                 {options.only_differences, options.quiet}, output);
    output.finish();
    return document->head().at("exit_status").get<int>();
}

/// What may be broken: a connection string is not shown.
std::string names_of_files(const Options& options) {
    std::string names;
    for (const std::string& place : {options.from, options.against})
        if (!place.empty() && !names_database(place)) names += (names.empty() ? "" : "\" or \"") + place;
    return names;
}

int run_report(const CommandLine& line) {
    const Options& options = line.options;
    require_database("from", options.from, options.from_run);
    require_database("against", options.against, options.against_run);
    try {
        return write(options);
    } catch (const Json::exception& error) {
        throw broken_report(names_of_files(options), error);
    }
}

constexpr const char* kReportFooter =
    "Examples:\n"
    "  pgparity report --from run.json\n"
    "  pgparity report --from run.state\n"
    "  pgparity report --from service=monitor --from-run nightly\n"
    "  pgparity report --from run.json --format junit --output run.xml\n"
    "  pgparity report --from today.json --against yesterday.json --only-differences\n"
    "\n"
    "Exit status:\n"
    "  that of the run that the report is about; 2 also where the report cannot be\n"
    "  read or written";

}  // namespace

Command report_command() {
    return {{"report", "make a report from kept JSON or from a state", kReportFooter, report_file_options(), {}},
            run_report};
}

}  // namespace parity::driver
