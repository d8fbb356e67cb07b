#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/digests/merge.h"
#include "driver/digests/ranges.h"
#include "driver/engine/memory.h"
#include "driver/engine/reading_end.h"
#include "driver/model/results.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {

/// What the readers of tables need to know besides the table.
struct TableReaderSettings {
    DigestSettings digest;
    MemoryPlan memory;
};

/// Where one side's digests of ranges come from: exactly the ranges that were asked for, ascending.
class RangeSource {
  public:
    virtual ~RangeSource() = default;
    /// Overwrites `range` with the next range.
    /// Returns: false at the end.
    /// Throws: Error{kInternal} where a range is missing, repeated or malformed; what reading it throws.
    virtual bool next(RangeDigests& range) = 0;
    /// How the rows were read: "scan", "aggregate" or "stream".
    /// Requires: next() has given the first range.
    virtual const std::string& path() const = 0;
    /// When the rows had been read, and how much that was.
    /// Requires: next() has given the first range, or said that there is none.
    virtual ReadingEnd reading_end() const { return {}; }
};

/// Called with a row's framed key, its row hash and its values, parallel to TablePlan::columns; the views live until it
/// returns.
using TakeValues = std::function<void(std::string_view key, std::string_view row_hash, const ShownValues& values)>;

/// One side of one table under its open snapshot: everything that a comparison asks of it. The engines are the
/// implementations: digests are the same bit for bit, whichever computes them.
/// Requires: one thread uses it, and one source at a time.
class TableReader {
  public:
    virtual ~TableReader() = default;

    /// Bounds that divide the table on this side into at most `ranges` ranges, ascending.
    virtual std::vector<std::string> split(int ranges) = 0;

    /// From now on waits for this side end where the other one raises `failure`, and where this side fails in a thread
    /// of its own, it raises it. None: nullptr.
    /// Requires: no source is being read.
    virtual void set_failure(SharedFailure* failure) = 0;

    /// Starts digesting the ranges and returns at once, so that both sides work at the same time.
    virtual std::unique_ptr<RangeSource> digest(const RangeList& ranges) = 0;

    /// Whether digest() divides ranges into buckets where RangeList::buckets asks for it.
    virtual bool has_buckets() const { return false; }

    /// The sums of the buckets of these ranges, as the last digest() made them, for differing_buckets().
    /// Requires: has_buckets().
    /// Returns: nothing where the server had no memory for them.
    virtual std::optional<BucketSums> bucket_sums(const std::vector<std::int32_t>& /*ranges*/, int /*buckets*/) {
        return std::nullopt;
    }

    /// Whether digests of rows can be of some of their columns (RangeList::columns).
    virtual bool can_leave_out_columns() const { return false; }

    /// Starts reading the rows of ranges.
    virtual std::unique_ptr<RowSource> rows(const RangeList& ranges) = 0;

    /// Reads the rows with these framed keys.
    /// Requires: rows() gave all of them before, and `keys` ascend.
    virtual void values(const std::vector<std::string>& keys, const TakeValues& take) = 0;

    /// Marks where the transaction may come back to, and comes back to it after a failure.
    virtual void set_savepoint() = 0;
    virtual void return_to_savepoint() = 0;

    /// From now on rows are read without the help of indexes.
    virtual void avoid_indexes() = 0;

    /// Why the table cannot be read in spans of its key, each at the cost of its share: how it is read, the order of
    /// the key, or the order of the rows.
    /// Returns: nothing where it can; a reader that knows no spans says so.
    virtual std::optional<std::string> why_not_in_spans() { return "it is read as a whole"; }

    /// From now on ranges are read by the blocks that the key's index lists, and what is on these blocks is held
    /// against the index. `blocks_read_before` is what blocks_read() gave for other spans, one after the other.
    /// Requires: why_not_in_spans() has returned nothing.
    /// Throws: here or when ranges are read, an Error with SQLSTATE kIndexChanged where these were read through another
    /// index, and only that one would tell what it lacked.
    virtual void begin_span(const std::string& /*blocks_read_before*/) {}

    /// The blocks that were read since begin_span().
    virtual std::string blocks_read() { return {}; }

    /// Holds what is on all other blocks against the index.
    /// Throws: an Error with SQLSTATE kIndexLacksRows where it lacks a row; kIndexChanged as begin_span() does.
    virtual void check_other_blocks(const std::string& /*blocks_read*/) {}

    /// How the ranges that were digested last were read, for people; empty where path() says it all.
    virtual std::string effort() { return {}; }

    /// What a reader of the report should know about how this side was read.
    virtual std::vector<std::string> notes() const { return {}; }
};

}  // namespace parity::driver
