#include "driver/commands/report.h"

#include <memory>

#include <fmt/format.h>

#include "driver/commands/state_report.h"
#include "driver/model/error.h"
#include "driver/options/command_line.h"
#include "driver/options/option_table.h"
#include "driver/report/against.h"
#include "driver/report/document_file.h"
#include "driver/report/formats.h"
#include "driver/report/output.h"
#include "driver/state/run_file.h"

namespace parity::driver {
namespace {

/// A report, or the state of a run.
std::unique_ptr<ReportDocument> read_any(const std::string& file) {
    return is_database_file(file) ? read_state_report(*RunFile::read(file)) : read_document(file);
}

int write(const Options& options) {
    for (const std::string& file : {options.from, options.against})
        if (is_database_file(file)) require_other_file(options.output, file);
    const std::unique_ptr<ReportDocument> document = read_any(options.from);
    const std::unique_ptr<ReportDocument> older = options.against.empty() ? nullptr : read_any(options.against);
    const std::unique_ptr<AgainstDocument> beside =
        older ? std::make_unique<AgainstDocument>(*document, *older) : nullptr;
    Output output(options.output);
    write_report(beside ? static_cast<const ReportDocument&>(*beside) : *document, options.format,
                 {options.only_differences, options.quiet}, output);
    output.finish();
    return document->head().at("exit_status").get<int>();
}

int run_report(const CommandLine& line) {
    const Options& options = line.options;
    try {
        return write(options);
    } catch (const Json::exception& error) {
        throw broken_report(options.against.empty() ? options.from : options.from + "\" or \"" + options.against,
                            error);
    }
}

constexpr const char* kReportFooter =
    "Examples:\n"
    "  pgparity report --from run.json\n"
    "  pgparity report --from run.state\n"
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
