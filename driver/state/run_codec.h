#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

/// What a RunStore keeps, as bytes (CBOR), in which names and keys need not be UTF-8.
namespace parity::driver {

/// What a run is about. A run that goes on must be about the same.
struct RunRequest {
    std::map<std::string, std::vector<std::string>> given;  ///< Options::given, of options that matter to the answer
    std::vector<TableSetting> table_settings;
    std::uint64_t seed = 0;
    int format_version = 0;
    Both<ServerIdentity> identity;  ///< of the servers when the run began
    /// The tables that both sides or only one of them had then, with their oids; 0 and no name where a side had none.
    std::vector<std::pair<Both<QualifiedName>, Both<std::uint32_t>>> tables;
};

/// What the report says of a run as a whole.
struct RunHead {
    Both<ServerInfo> server;
    std::vector<SchemaDifference> differences;
    std::vector<std::string> not_compared;
    std::vector<std::string> hints;
    std::vector<std::pair<Both<QualifiedName>, std::string>> skipped_tables;
    std::vector<SequenceResult> sequences;
    double elapsed_seconds = 0;             ///< of the part of the run that was saved last
    bool finished = false;                  ///< that part came to its end
    bool interrupted = false;               ///< before everything was compared
    std::string ended_by;                   ///< run_end_name() of that
    std::vector<ServerFailover> failovers;  ///< of all parts
    int continued = 0;                      ///< how often the run was continued
    std::size_t tables_kept = 0;            ///< by the last part of a run that was continued
    /// With the reason: when the last part began, and within it.
    std::vector<std::pair<Both<QualifiedName>, std::string>> compared_again;
    std::vector<std::pair<Both<QualifiedName>, std::string>> compared_twice;
};

std::string encode_request(const RunRequest& request);
std::string encode_plan(const TablePlan& table);
std::string encode_position(const Both<SidePosition>& position);
/// Of a span.
std::string encode_span_position(const Both<SidePosition>& position, const Both<std::string>& blocks_read);
std::string encode_result(const TableResult& result);
std::string encode_head(const RunHead& head);

/// The reverse. Of a plan only what a report needs, and what tells whether the table is still the same.
/// Throws: Error{kUsage} where the bytes are not what the functions above give.
RunRequest decode_request(std::string_view bytes);
TablePlan decode_plan(std::string_view bytes);
Both<SidePosition> decode_position(std::string_view bytes);
/// What encode_span_position() has besides.
Both<std::string> decode_blocks_read(std::string_view bytes);
/// `plan` becomes the result's.
TableResult decode_result(std::string_view bytes, TablePlan plan);
RunHead decode_head(std::string_view bytes);

}  // namespace parity::driver
