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
    /// `settings`: statements that hold for the count alone; empty: none.
    SelectCount(Connection& connection, const std::string& statement, const std::string& settings);

    /// Waits for the number.
    /// Requires: it is called once.
    std::uint64_t take();

  private:
    Connection& connection_;
    std::optional<RowStream> stream_;
};

/// Checks the number of rows that a pass over all rows gave.
/// Throws: Error{kInternal} where the pass gave `rows` and a SELECT says otherwise: it `counted` another number, or it
/// is asked for a row where the pass gave none, and gives one.
void require_as_many_as_selected(Session& session, const StreamTable& stream, std::uint64_t rows,
                                 std::optional<std::uint64_t> counted);

/// Reads a few rows by COPY and by SELECT.
/// Throws: Error{kInternal} where SELECT shows other values of these rows than COPY, or other rows.
void require_values_as_selected(Session& session, const StreamTable& stream);

}  // namespace parity::driver
