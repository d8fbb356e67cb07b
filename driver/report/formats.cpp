#include "driver/report/formats.h"

namespace parity::driver {

void write_report(const ReportDocument& document, ReportFormat format, const ReportChoices& choices, Output& output) {
    switch (format) {
        case ReportFormat::kText:
            return write_text(document, choices, output);
        case ReportFormat::kJson:
            return write_json(document, output);
        case ReportFormat::kNdjson:
            return write_ndjson(document, output);
        case ReportFormat::kCsv:
            return write_csv(document, output);
        case ReportFormat::kMarkdown:
            return write_markdown(document, choices, output);
        case ReportFormat::kJunit:
            return write_junit(document, output);
    }
}

}  // namespace parity::driver
