#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "driver/model/dead_letter.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/model/span.h"

/// What a comparison found.
namespace parity::driver {

/// A row that only one side has, as far as could be read, is unresolved where the other side has something that could
/// not be read and that may be this row; such a finding is no divergence.
enum class FindingKind { kMismatch, kMissingOnTarget, kMissingOnSource, kUnresolvedOnTarget, kUnresolvedOnSource };

inline bool is_unresolved(FindingKind kind) {
    return kind == FindingKind::kUnresolvedOnTarget || kind == FindingKind::kUnresolvedOnSource;
}

/// A value as text for people, as the server prints it. Of a long one only the beginning is fetched.
struct ShownValue {
    ShownValue(std::string whole) : text(std::move(whole)), bytes(text.size()) {}
    ShownValue(const char* whole) : ShownValue(std::string(whole)) {}
    ShownValue(std::string beginning, std::uint64_t whole_bytes) : text(std::move(beginning)), bytes(whole_bytes) {}
    bool is_cut() const { return bytes > text.size(); }
    bool operator==(const ShownValue&) const = default;

    std::string text;
    std::uint64_t bytes;  ///< of the whole
};

/// Values of several columns; nothing is SQL's NULL.
using ShownValues = std::vector<std::optional<ShownValue>>;

/// One divergence. Values are texts as the server prints them; an absent optional is SQL's NULL.
struct Finding {
    FindingKind kind = FindingKind::kMismatch;
    std::string key_bytes;          ///< framed key; keyless: the framed row
    std::vector<int> columns;       ///< mismatch: indexes into TablePlan::columns
    std::uint64_t occurrences = 1;  ///< missing: how many rows of this key; keyless: of this row
    Both<ShownValues> values;       ///< mismatch: parallel to `columns`; empty: not fetched
    std::string hash_bytes{};       ///< keyless, of a row that is not kept: the hash of it that is; empty: the row is
};

/// Where a finding stands among those of its table.
struct FindingPlace {
    std::string key;      ///< sort_key() of its key, and what tells findings of equal keys apart
    std::int64_t id = 0;  ///< ascending in the order of adding; decides among equal keys
};

/// A finding as it is stored. The row hashes say which of several rows under one key a mismatch is about.
struct StoredFinding {
    FindingPlace place;
    Finding finding;
    Both<std::string> row_hash;
};

struct FindingCounts {
    std::uint64_t mismatch = 0;
    std::uint64_t missing_on_target = 0;
    std::uint64_t missing_on_source = 0;
    std::uint64_t unresolved_on_target = 0;
    std::uint64_t unresolved_on_source = 0;
    /// Rows that differ.
    std::uint64_t total() const { return mismatch + missing_on_target + missing_on_source; }
    std::uint64_t unresolved() const { return unresolved_on_target + unresolved_on_source; }
    /// Rows that findings are about.
    std::uint64_t all() const { return total() + unresolved(); }
    bool operator==(const FindingCounts&) const = default;
};

/// How often the values of a column differ, in the mismatches of a table, and how often one of them is NULL.
struct ColumnCounts {
    std::uint64_t differing = 0;
    std::uint64_t null_to_value = 0;  ///< NULL on the source alone
    std::uint64_t value_to_null = 0;  ///< NULL on the target alone
    bool operator==(const ColumnCounts&) const = default;
};

/// Where most of what differs in a table is, as far as something can be told.
struct Concentration {
    struct Interval {
        std::string first_key;  ///< framed
        std::string last_key;
        std::uint64_t rows = 0;    ///< differing rows between them
        std::uint64_t of = 0;      ///< all differing rows
        std::uint64_t ranges = 0;  ///< of the first pass, that these keys are in
    };
    struct Columns {
        std::vector<int> columns;      ///< indexes into TablePlan::columns
        std::uint64_t mismatches = 0;  ///< that differ in exactly these
        std::uint64_t of = 0;          ///< all mismatches
    };
    struct Partition {
        Side side = Side::kSource;  ///< whose partition it is
        QualifiedName name;
        std::uint64_t rows = 0;  ///< of those that were asked for, how many are in it
        std::uint64_t of = 0;    ///< how many differing rows of this side were asked for
        bool sampled = false;    ///< there are more differing rows than were asked for
    };
    std::optional<Interval> interval{};
    std::optional<Columns> columns{};
    std::optional<Partition> partition{};
};

/// A partition of a table on one side, and what is in it.
struct PartitionRows {
    QualifiedName name;
    std::uint64_t rows = 0;    ///< of those that were asked for
    double share_of_data = 0;  ///< how much of the table's data is in it, from 0 to 1
};

enum class Verdict { kIdentical, kDivergent, kIncomplete, kError };

/// What is claimed of a span: as of its own pair of snapshots.
struct SpanClaim {
    Span span;
    Verdict verdict = Verdict::kError;
    std::int64_t as_of_us = 0;  ///< TableResult::as_of_us
    Both<std::uint64_t> rows{0, 0};
    Both<std::string> lsn;
    FindingCounts counts;
};

struct TableResult {
    TablePlan plan;
    Verdict verdict = Verdict::kError;
    bool begun = true;        ///< false: the run ended before it came to it
    bool incomplete = false;  ///< also true for a divergent table of which part was skipped
    Both<std::string> path;   ///< the path that really ran; after a fall-back all of them in order: "scan, aggregate"
    Both<std::uint64_t> rows{0, 0};
    Both<std::string> lsn;           ///< of the snapshots; of a table in spans each side's lowest
    std::int64_t as_of_us = 0;       ///< when both snapshots were there, by this machine's clock; 0: they never were
    Both<SidePosition> position;     ///< of the snapshots, if nothing failed under them; each span has its own
    std::size_t spans_planned = 0;   ///< into how many spans the table is divided; 0: it is claimed as a whole
    std::vector<SpanClaim> spans{};  ///< those that are done, in the order of keys
    std::uint64_t ranges_compared = 0;
    std::uint64_t ranges_divergent = 0;
    std::vector<bool> column_divergent;  ///< parallel to plan.columns
    /// Parallel to plan.columns, of all mismatches, listed or not; empty: rows were not looked at, or have no key.
    std::vector<ColumnCounts> column_counts;
    Concentration concentration;
    FindingCounts counts;
    std::uint64_t listed = 0;              ///< rows that the stored findings stand for
    std::vector<DeadLetter> dead_letters;  ///< what could not be read, around which the rest was compared
    std::vector<std::string> skipped;
    std::vector<std::string> notes;  ///< what a reader should know that takes nothing from the verdict
    std::string error;               ///< why it failed; empty: it did not
    std::string sqlstate;            ///< of the error, where a server raised it
    int attempts = 1;                ///< how often it was begun
    double elapsed_seconds = 0;      ///< of the last attempt
};

/// A span of a table on its course.
struct SpanUnit {
    Span span;
    std::optional<TableResult> result{};  ///< of the attempt that showed most so far
    bool done = false;
    Both<std::string> blocks_read{};  ///< TableReader::blocks_read(), if it is done
    std::size_t number = 0;           ///< what its findings are stored under: the spans in the order they were made
};

/// A run went on with another server of a side's cluster.
struct ServerFailover {
    Side side = Side::kSource;
    std::int64_t at_us = 0;  ///< when the run met it, microseconds since 1970 by the clock of this machine
    std::string before;      ///< describe_incarnation() of the server that was left
    std::string after;
    std::int64_t started_us = 0;  ///< of the server that was met
};

/// How the target's sequence stands to the source's, in the direction of the increment.
enum class SequencePosition {
    kUnknown,  ///< a side's value is not known
    kEqual,    ///< the same next value and increment
    kWal,      ///< as far apart as a standby and its primary are by design: WAL is ahead by some values
    kBehind,   ///< the target would give values again that the source has given
    kAhead,    ///< the target leaves values out
    kApart,    ///< another increment, or a side is exhausted, or it cycles so that neither is known to be ahead
};

struct SequenceResult {
    Both<SequenceDesc> sequence;
    Verdict verdict = Verdict::kError;
    SequencePosition position = SequencePosition::kUnknown;
    std::string reason;                ///< empty where identical
    std::vector<std::string> notes{};  ///< what a reader should know that takes nothing from the verdict
    /// What each side gives next, for people; nothing where it is exhausted, or its value is not known.
    Both<std::optional<std::string>> next{};
};

}  // namespace parity::driver
