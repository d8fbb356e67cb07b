#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/notation.h"
#include "driver/model/sides.h"

/// What is compared with what, and how.
namespace parity::driver {

struct SchemaDifference {
    enum class Severity {
        kNote,        ///< does not touch the data; divergence only under --strict-schema
        kDivergence,  ///< a table or column that only one side has
        kSkipped,     ///< something asked for cannot be compared: the run is incomplete
    };
    Severity severity = Severity::kNote;
    std::string object;   ///< "public.orders" or "public.orders.amount"
    std::string message;  ///< "type integer on source, bigint on target"
    /// What only one side has, "table", "column" or "sequence", and which side; nothing where it is another difference.
    std::string lone_kind{};
    std::optional<Side> only_on{};
};

/// Something that only one side has.
inline SchemaDifference lone_object(std::string object, std::string_view kind, Side side) {
    return {SchemaDifference::Severity::kDivergence, std::move(object),
            std::string(kind) + " exists only on " + std::string(side_name(side)), std::string(kind), side};
}

struct ColumnPlan {
    Both<std::string> name;
    std::string form;  ///< of both sides, as digests name it
    bool in_key = false;
    /// What a side is asked for where that is more than `form`: "timestamptz@Europe/Berlin" of a column without a zone.
    /// Empty: `form`. Use asked_form().
    Both<std::string> asked_forms{};
    /// The cheaper form of the first pass: what is equal under it is equal under `form`, what differs may be equal.
    /// Empty: none.
    std::string prefilter{};
    Both<std::string> type{};  ///< format_type()
    Notation notation{};       ///< how the source's type writes its values
};

/// What goes into `forms` of a function of the extension, and into make_wire_decoder(), for a column of one side.
inline const std::string& asked_form(const ColumnPlan& column, Side side) {
    return column.asked_forms[side].empty() ? column.form : column.asked_forms[side];
}

/// How a side reads a table otherwise than usual, after it failed for want of something (work/fall_back.h).
struct ReadingManner {
    std::optional<int> workers{};  ///< instead of Options::workers
    bool by_aggregate = false;     ///< by the server's executor, although the extension could scan it
    bool by_stream = false;        ///< as a stream of rows, although the side has the extension
};

struct TablePlan;

/// What a plan about large objects has that a table's has not.
struct LargeObjectPlan {
    Both<LargeObjects> sides;
    std::string why_unread;                  ///< why their contents are not read; empty: they are
    std::shared_ptr<const TablePlan> pages;  ///< the stored pages of their contents, as a table
};

/// What is compared with what, and how. With `large_objects`, instead of a table all objects of both databases: the
/// relation is then pg_largeobject_metadata, which is read first, and the columns are what findings tell about
/// contents; see compare/large_objects.h.
struct TablePlan {
    Both<std::uint32_t> oid;
    Both<QualifiedName> name;
    Both<char> relkind{'r', 'r'};
    std::vector<ColumnPlan> key;      ///< empty: keyless
    bool key_proven = false;          ///< on both sides
    std::vector<ColumnPlan> columns;  ///< compared, without the key's, in the agreed order (source's names by bytes)
    int ranges = 1;
    double estimated_rows = -1;  ///< the larger side's
    std::int64_t estimated_bytes = 0;
    bool visible_rows_only = false;          ///< row security applies on a side
    Both<std::string> columns_text;          ///< RelationDesc::columns_text when the plan was made
    Both<RelationStorage> storage;           ///< RelationDesc::storage then; empty for large objects
    Both<bool> foreign_parts{false, false};  ///< a foreign table, or one is among its partitions or children
    Both<std::string> hides_damage{};        ///< ServerInfo::hides_damage
    /// RelationDesc::planned_as_caller where no owner's code may run for it.
    Both<bool> must_run_no_code{false, false};
    Both<std::string> path;      ///< expected: "scan", "aggregate" or "stream"
    Both<ReadingManner> manner;  ///< where it is not the usual one
    std::string where;
    bool by_place = false;  ///< `where` chooses rows by their locations, by which alone they are read
    Both<bool> without_children{false, false};  ///< of an inheritance parent its own rows alone
    bool unpopulated = false;                   ///< materialized views without data on both sides: nothing to read
    std::vector<std::string>
        skipped;  ///< reasons why part of it is not compared ("column doc: type tsvector is not comparable")
    std::vector<std::string> notes;  ///< for TableResult::notes, known before any data is read: lossy forms in use
    /// What the options make of it that is not the whole table as it is by itself.
    struct Scope {
        std::vector<std::string> without;          ///< columns that --columns or --exclude-columns leave out
        std::vector<std::string> key;              ///< of --key, where it is not both sides' own
        std::map<std::string, std::string> forms;  ///< of --form, by column
        bool without_children = false;             ///< its children are compared by themselves
    } scope;
    std::optional<LargeObjectPlan> large_objects;  ///< none: it is about a table
};

/// Whether the first pass has other forms.
inline bool has_prefilter(const TablePlan& plan) {
    for (const ColumnPlan& column : plan.columns)
        if (!column.prefilter.empty()) return true;
    return false;
}

/// The same table under the forms of the first pass.
inline TablePlan prefiltered(TablePlan plan) {
    for (ColumnPlan& column : plan.columns) {
        if (column.prefilter.empty()) continue;
        column.form = column.prefilter;
        column.asked_forms = {};
    }
    return plan;
}

/// A table of an extension of which rows are counted.
struct ExtensionTablePlan {
    std::string extension;
    Both<std::optional<ExtensionTable>> sides;
    std::string why_not_compared;  ///< why rows are not compared that should be; empty: they need not be
};

/// Its name on a side, or what the other side calls it where this one has no such table.
inline const QualifiedName& name_of(const ExtensionTablePlan& table, Side side) {
    return (table.sides[side] ? table.sides[side] : table.sides[other_side(side)])->name;
}

/// What holds for all sequences of a run.
struct SequenceRules {
    /// Which sides are standbys of one and the same primary, which is the other side where only one of them is.
    Both<bool> standby{false, false};
    Both<bool> may_be_standby{false, false};  ///< the same of sides of which it cannot be told
    bool lags = false;          ///< a standby had not replayed what the primary had written when it was read
    bool may_be_ahead = false;  ///< --sequences-may-be-ahead
};

struct Plan {
    std::vector<TablePlan> tables;  ///< largest first
    std::vector<SchemaDifference> differences;
    std::vector<Both<SequenceDesc>> sequences;
    SequenceRules sequence_rules;
    std::vector<ExtensionTablePlan> extension_tables;
    std::vector<std::string> not_compared;  ///< sentences for the report
    std::vector<std::string> hints;         ///< what the user may do about what is not as expected
    /// Tables asked for that cannot be compared at all, with the reason; each makes the run incomplete.
    std::vector<std::pair<Both<QualifiedName>, std::string>> skipped_tables;
};

}  // namespace parity::driver
