#include "driver/report/parts.h"

namespace parity::driver {

std::unique_ptr<ReportParts> make_report_parts(ReportFormat format, const ReportChoices& choices, Output& output) {
    if (format == ReportFormat::kText) return make_text_parts(choices, output);
    if (format == ReportFormat::kNdjson) return make_ndjson_parts(output);
    return nullptr;
}

void write_parts(ReportParts& parts, const ReportDocument& document) {
    parts.begin(document.head());
    parts.end(document, {document.head().at("schema_differences").size()});
}

void write_tables(ReportParts& parts, const ReportDocument& document, const WrittenParts& written) {
    const Json& tables = document.head().at("tables");
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const bool is_written = i < written.tables.size() && written.tables[i];
        if (is_written || tables[i].contains("not_compared")) continue;
        parts.table(tables[i],
                    [&](const std::function<void(const Json&)>& take) { document.for_each_divergence(i, take); });
    }
}

}  // namespace parity::driver
