#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/engine/reading_end.h"
#include "driver/engine/spec.h"
#include "driver/engine/value_reader.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/waiting/shared_failure.h"

/// Where the rows of one side of a table come from: all that the stream engine asks of a server.
namespace parity::driver {

/// How the rows of ranges are to be read.
struct FeedRequest {
    RangeList ranges;
    std::size_t threads = 1;      ///< at most as many as RowFeed::connect() gave
    bool with_locations = false;  ///< a field more follows a row's own: its location, NULL where it has none
    bool use_index = true;        ///< few ranges may be read through an index of the key
    bool in_span = false;         ///< the ranges are of one span: they are read through the index of the key
    bool counted = false;         ///< of all ranges: the server counts them too, meanwhile
};

/// Where rows are to be read again.
struct PlacesToRead {
    std::map<std::size_t, std::vector<std::string>> locations;  ///< by the parts that the rows were read from
    std::set<std::size_t> whole_parts;                          ///< parts whose rows have no locations
};

/// One reading of the rows of ranges by several threads. Destroying it ends what still runs.
class RowPass {
  public:
    virtual ~RowPass() = default;

    /// How many rows the server counts.
    /// Requires: it is called once, before finish().
    /// Returns: nothing where the server was not asked to count, or may not be.
    virtual std::optional<std::uint64_t> count() = 0;

    /// Waits for the end. What was read counts only if this returns.
    /// Throws: Error where the table was rewritten meanwhile; the first failure of any thread.
    virtual void finish() = 0;

    /// The longest row, in bytes.
    /// Requires: finish() has returned.
    virtual std::uint64_t longest_row() const = 0;

    /// When the last row had been read, and the bytes of all rows.
    /// Requires: finish() has returned.
    virtual ReadingEnd reading_end() const { return {}; }
};

/// Takes a row: the thread, from 0; the part of the table that it was read from; the key's fields, the columns', and
/// its location where that was asked for. The fields live until it returns.
using TakeRow = std::function<void(std::size_t thread, std::size_t part, std::span<const ValueField> fields)>;

/// Takes a row that is read again. `shown` reads its values for people, parallel to TablePlan::columns.
using TakeShownRow = std::function<void(std::span<const ValueField> fields, const std::function<ShownValues()>& shown)>;

/// The rows of one side of one table, under its open snapshot. The passes have threads of their own.
/// Requires: one thread uses it.
/// Throws: what Connection and Session throw.
class RowFeed {
  public:
    virtual ~RowFeed() = default;

    virtual Side side() const = 0;

    /// How a row's fields are read; lives as long as the feed.
    virtual const StreamColumns& columns() const = 0;

    /// Why the table is read as one query reads it; empty where it is not, or needs no other reason than what it is.
    virtual const std::string& reason() const = 0;

    /// As TableReader::set_failure().
    virtual void set_failure(SharedFailure* failure) = 0;

    /// Bounds that divide a table with a key into at most `ranges` ranges, ascending.
    virtual std::vector<std::string> split(int ranges) = 0;

    /// As TableReader::why_not_in_spans().
    virtual std::optional<std::string> why_not_in_spans() { return "its rows are streamed as they come"; }

    /// The index that spans are read through. No such text is part of that of another index, or of two.
    /// Throws: an Error with SQLSTATE kFeatureNotSupported where spans cannot be read (any more), or through one of
    /// several, which the server chooses anew for every statement.
    virtual std::string index_of_spans() = 0;

    /// Counts all rows by a scan and through that index.
    /// Requires: index_of_spans() has returned.
    /// Throws: an Error with SQLSTATE kIndexLacksRows where the numbers are not the same.
    virtual void require_complete_index() {}

    /// How many threads are worth their while; at least 1.
    virtual std::size_t worthwhile_threads() const = 0;

    /// Connects so many times under the snapshot.
    /// Returns: how many connections there are: at least 1.
    virtual std::size_t connect(std::size_t wanted) = 0;

    /// Closes these connections, and with them the memory that long rows took.
    virtual void disconnect() = 0;

    /// Starts reading.
    virtual std::unique_ptr<RowPass> read(const FeedRequest& request, TakeRow take) = 0;

    /// Whether such a reading of all rows is divided by conditions that an index may serve: rows that it lacks are
    /// missed then.
    virtual bool relies_on_index(const FeedRequest& request) const = 0;

    /// Checks that rows come with the values that a query shows.
    /// Throws: Error{kInternal} where they do not.
    virtual void require_selected_values() = 0;

    /// Checks the number of rows that a pass over all rows gave.
    /// Throws: Error{kInternal} where the pass gave `rows` and a query says otherwise: it `counted` another number, or
    /// it is asked for a row where the pass gave none, and gives one.
    virtual void require_selected_count(std::uint64_t rows, std::optional<std::uint64_t> counted) = 0;

    /// Reads rows again: those at locations, and all of parts, in the ranges of `request`, that have none.
    virtual void read_again(const PlacesToRead& where, const FeedRequest& request, const TakeShownRow& take) = 0;
};

}  // namespace parity::driver
