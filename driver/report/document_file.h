#pragma once

#include <memory>
#include <string>

#include "driver/model/error.h"
#include "driver/report/document.h"

namespace parity::driver {

/// Reads a report that `pgparity compare` wrote with --format json or ndjson. The divergences go into a temporary file,
/// so that a report of any size can be read.
/// Throws: Error{kUsage} that names the file where it cannot be read, is no JSON, is not a report of this version,
/// or was cut off;
/// Error{kOutput} for the temporary file.
std::unique_ptr<ReportDocument> read_document(const std::string& file);

/// The Error{kUsage} of a report that is no JSON, or whose members are not those of a report.
Error broken_report(const std::string& file, const Json::exception& reason);

}  // namespace parity::driver
