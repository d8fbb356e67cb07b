#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/engine/spec.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/session.h"
#include "driver/postgres/queries/feed.h"
#include "driver/postgres/queries/range_condition.h"
#include "driver/postgres/values/names.h"
#include "driver/postgres/values/types.h"

namespace parity::driver {

/// How a table of one side is read as a stream: which relations hold its rows, what is selected from them, and which
/// statements divide the work. Made under the session's snapshot; afterwards it asks no server.
class StreamTable {
  public:
    StreamTable(Session& session, const TablePlan& table, const ServerInfo& server);

    const StreamColumns& columns() const { return columns_; }
    const std::vector<StreamPart>& parts() const { return parts_; }
    std::int64_t blocks() const;
    const QualifiedName& name() const { return table_.name[side_]; }
    const std::string& alias() const { return table_.name[side_].name; }

    /// The expressions of the key and the columns, in the order of StreamColumns.
    const std::vector<std::string>& expressions() const { return expressions_; }
    /// The texts of the compared columns, as one array.
    std::string printed_texts() const;
    /// The expression of a row's location in a part; NULL where it has none.
    std::string location(std::size_t part) const;

    /// Whether every part's blocks can be sampled.
    bool can_be_sampled() const;
    /// Of the key's first column, where there is a key: its name, and the type to read its values' texts as, in SQL and
    /// without a modifier. No type where reading them may run what an owner wrote.
    const std::string& leading_column() const { return leading_column_; }
    const std::string& leading_type() const { return leading_type_; }
    /// Whether its values are not read as they are.
    bool leading_is_cast() const { return leading_is_cast_; }

    /// What to read so that no row of the list's ranges is missed, divided for `threads` threads. `use_index`: few
    /// ranges may be read through an index of the key.
    std::vector<StreamItem> items(const RangeList& ranges, std::size_t threads, bool use_index) const;
    /// The same of ranges of a span: always through the index.
    std::vector<StreamItem> items_of_span(const RangeList& ranges, std::size_t threads) const;

    /// Why spans of the key cannot be read through an index.
    std::optional<std::string> why_not_by_index() const;
    /// Why they cannot be read so at the cost of their share. `correlation` is that of the key's first column with the
    /// places of its rows, from -1 to 1, if that is known.
    std::optional<std::string> why_not_in_order(std::optional<double> correlation) const;

    /// Counts of rows, through the index that spans are read through, that are all rows together.
    /// Returns: none where the bounds do not divide the first column.
    std::vector<std::string> counts_through_index(const std::vector<std::string>& bounds) const;

    /// Whether items() for these threads divide the whole table by conditions that an index may serve: rows that it
    /// lacks are missed then.
    bool is_shared_by_key(const RangeList& ranges, std::size_t threads) const {
        return !shares(ranges, threads).empty();
    }

    /// Why the relation is read as a whole, as any other query would read it, and not part by part and by places.
    /// Returns: an empty text where it is not, or needs no other reason than what it is.
    const std::string& reason() const { return reason_; }

    /// Checks that the server would still read the parts in the same way.
    /// Throws: an Error that a new snapshot may cure where it would read them otherwise by now.
    void require_same_plan(Session& session) const;

    /// Whether a SELECT may be asked what there is besides a COPY: of a view it would take as long once more, and of
    /// rows at a place it would end the transaction where one of them cannot be read.
    bool may_be_asked_again() const {
        return !table_.by_place && table_.relkind[side_] != 'v' && table_.relkind[side_] != 'f' &&
               !table_.foreign_parts[side_];
    }

    /// Counts all rows of the relation as a whole.
    std::string count() const { return count_statement(whole(), alias(), table_.where); }

    /// Counts the rows with keys in [lower, upper), and perhaps some more: what an index of the key lists, which every
    /// part has.
    /// Returns: nothing where that cannot be asked.
    std::optional<std::string> count_keys(std::string_view lower, std::string_view upper) const;

    /// Reads one row of the relation as a whole.
    std::string any_row() const { return any_row_statement(whole(), alias(), read_names(), table_.where); }

    /// COPY of expressions over an item, and the same by a SELECT.
    std::string statement(const std::vector<std::string>& expressions, const StreamItem& item) const;
    std::string selection(const std::vector<std::string>& expressions, const StreamItem& item) const;

  private:
    void read_columns(Session& session);
    StreamColumns::Label explain(const ColumnPlan& column, const std::string& default_form) const;
    void add_column(const ColumnPlan& plan, const std::vector<std::string>& names,
                    const std::vector<std::uint32_t>& types, const TypeCatalog& catalog);
    void store_leading(const std::string& column, const TypeCatalog& catalog, std::uint32_t type);
    void read_parts(Session& session);
    void find_leading_index(Session& session);
    std::optional<std::string> why_not_in_parts(Session& session) const;
    bool is_whole() const { return is_whole_; }
    /// The relation as one: with all that belongs to it, or without its children where these are left out.
    StreamPart whole() const {
        return {table_.oid[side_], table_.name[side_], table_.without_children[side_], false, false, 0};
    }
    std::vector<std::string> read_names() const;
    std::vector<std::string> shares(const RangeList& ranges, std::size_t threads) const;

    const TablePlan& table_;
    const Side side_;
    const bool has_tid_ranges_;
    StreamColumns columns_;
    const std::shared_ptr<ObjectNames> names_ = std::make_shared<ObjectNames>();  ///< which the readers know
    std::vector<std::string> needed_names_;                                       ///< the catalogs they are of
    std::vector<std::string> expressions_;
    std::vector<StreamPart> parts_;
    bool is_whole_ = false;
    ConditionColumn leading_;
    std::string leading_column_;
    std::string leading_type_;
    bool leading_is_cast_ = false;
    bool leading_indexed_ = false;
    bool is_divided_ = false;  ///< among several relations
    std::string reason_;
};

}  // namespace parity::driver
