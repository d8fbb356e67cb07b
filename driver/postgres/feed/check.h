#pragma once

#include <cstdint>
#include <optional>

#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/session.h"
#include "driver/postgres/feed/table.h"

/// Whether COPY gives what SELECT gives: extensions act on either, and SELECT is what counts.
namespace parity::driver {

/// Counts a table's rows as a SELECT sees them, on the connection that holds the snapshot, while others read them.
class SelectCount {
  public:
    /// `by_scan`: whatever indexes the others use.
    SelectCount(Connection& connection, const std::string& statement, bool by_scan);

    /// Waits for the number. Once.
    std::uint64_t take();

  private:
    Connection& connection_;
    std::optional<RowStream> stream_;
};

/// Throws Error{kInternal} where a pass over all rows gave `rows` and a SELECT says otherwise: it `counted` them, or is
/// asked for one where there was none.
void require_as_many_as_selected(Session& session, const StreamTable& stream, std::uint64_t rows,
                                 std::optional<std::uint64_t> counted);

/// Throws Error{kInternal} where COPY shows other values of a few rows, or of which rows there are a few, than SELECT.
void require_values_as_selected(Session& session, const StreamTable& stream);

}  // namespace parity::driver
