#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "driver/model/options.h"
#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/output.h"

/// Formats that can be written while the run goes on.
namespace parity::driver {

/// What of a document is written already.
struct WrittenParts {
    std::size_t differences = 0;  ///< so many of "schema_differences", the first ones
    std::vector<bool> tables{};   ///< by their index in "tables"; those behind its end are not
};

/// A report in parts: what is known when the run begins, a table as it is finished, and then the rest, whose last line
/// says what the whole run came to. So a report that ends before that line was cut off.
class ReportParts {
  public:
    using ForEachDivergence = std::function<void(const std::function<void(const Json&)>& take)>;

    virtual ~ReportParts() = default;

    /// Writes what a run begins with, and its differences of the schemas. Of `head`, which is of a document, nothing is
    /// looked at that beginning_of() does not give.
    virtual void begin(const Json& head) = 0;

    /// Writes a member of "tables", of which something was compared or tried, with its divergences. A table that was
    /// written before was compared again: what was written then counts no more.
    virtual void table(const Json& table, const ForEachDivergence& for_each_divergence) = 0;

    /// Writes what is not written yet.
    virtual void end(const ReportDocument& document, const WrittenParts& written) = 0;
};

/// Requires: `choices` and `output` outlive it.
/// Returns: nothing where the format is one document.
std::unique_ptr<ReportParts> make_report_parts(ReportFormat format, const ReportChoices& choices, Output& output);

std::unique_ptr<ReportParts> make_text_parts(const ReportChoices& choices, Output& output);
std::unique_ptr<ReportParts> make_ndjson_parts(Output& output);

/// Writes a whole document, one part after the other.
void write_parts(ReportParts& parts, const ReportDocument& document);

/// Writes those tables of a document that are not written yet and of which something was compared or tried.
void write_tables(ReportParts& parts, const ReportDocument& document, const WrittenParts& written);

}  // namespace parity::driver
