#pragma once

#include "driver/model/options.h"
#include "driver/report/document.h"
#include "driver/report/output.h"

/// The formats of reports: docs/cli.md. None holds more than one divergence at a time.
namespace parity::driver {

/// What of a document is written for people. Nothing takes away what was not compared.
struct ReportChoices {
    bool only_differences = false;  ///< no lines about what is identical
    bool quiet = false;             ///< of what differs the summary alone, and no notes
};

/// Writes a document in a format; the choices are for the formats that are for people.
void write_report(const ReportDocument& document, ReportFormat format, const ReportChoices& choices, Output& output);

/// For people.
void write_text(const ReportDocument& document, const ReportChoices& choices, Output& output);

/// docs/report.schema.json.
void write_json(const ReportDocument& document, Output& output);

/// A JSON object a line: how the run began, each table, each divergence, each sequence and so on, and at the end what
/// the run came to, with "record" telling which.
void write_ndjson(const ReportDocument& document, Output& output);

/// One line a divergence, of a mismatch one for each column, one for whatever else is not identical or was not
/// compared, and one for the result.
void write_csv(const ReportDocument& document, Output& output);

/// For a merge request or a ticket.
void write_markdown(const ReportDocument& document, const ReportChoices& choices, Output& output);

/// A test case a table, sequence and difference of the schemas, for continuous integration. Divergent is a failure;
/// whatever could not be compared is an error, and nothing is skipped.
void write_junit(const ReportDocument& document, Output& output);

}  // namespace parity::driver
