#include "driver/postgres/feed/table.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/postgres/catalog/object_names.h"
#include "driver/postgres/catalog/types.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/read_plan.h"
#include "driver/postgres/feed/division.h"
#include "driver/postgres/queries/filter_check.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/quoting.h"
#include "driver/postgres/queries/session.h"
#include "driver/postgres/queries/shown.h"
#include "driver/postgres/values/type_rules.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

/// The first version that reads a range of blocks without reading the others.
constexpr int kTidRangesVersion = 140000;

/// A new snapshot may cure it.

/// Whether a server refused a statement, and did not merely fail, break off or run out of time.
bool tells_of_refusal(const Error& error) {
    if (error.kind() != ErrorKind::kServer || error.sqlstate().size() < 2) return false;
    constexpr std::string_view kOtherClasses[] = {"08", "25", "40", "53", "55", "57", "58"};
    const std::string_view of = std::string_view(error.sqlstate()).substr(0, 2);
    return std::find(std::begin(kOtherClasses), std::end(kOtherClasses), of) == std::end(kOtherClasses);
}

/// The planner uses no condition of this form to leave out parts: what is in a part that it should not be in is read
/// together with the rest then.
std::string fenced(const std::string& condition) {
    return fmt::format("CASE WHEN {} THEN true ELSE false END", condition);
}

const TypeDesc& base_type(const TypeCatalog& catalog, std::uint32_t oid) {
    const TypeDesc* type = &catalog.at(oid);
    while (type->kind == 'd') type = &catalog.at(type->base);
    return *type;
}

/// Whether an array of texts can be read as values of a type, by nothing but what is the server's or an extension's:
/// the text of a domain, alone or within another type, is read by its CHECKs, which are its owner's. Arrays have no
/// arrays.
bool has_safe_array(const TypeDesc& type) {
    if (type.element != 0) return false;
    return type.kind == 'b' || type.kind == 'e' || (type.kind != 'd' && type.schema == "pg_catalog");
}

}  // namespace

StreamTable::StreamTable(Session& session, const TablePlan& table, const ServerInfo& server)
    : table_(table),
      side_(session.side()),
      has_tid_ranges_(server.version_num >= kTidRangesVersion && !table.by_place) {
    if (const auto reason = why_not_one_expression(table.where))
        throw Error(ErrorKind::kUsage, fmt::format("--where is not exactly one SQL expression: {}", *reason));
    leading_.utf8 = server.encoding == "UTF8";
    read_columns(session);
    read_parts(session);
}

// ---- columns -------------------------------------------------------------------------------------------------

void StreamTable::read_columns(Session& session) {
    const Query query = stream_columns_query(table_.oid[side_]);
    const Result result = session.connection().query(query.sql, query.parameters);
    std::vector<std::string> names;
    std::vector<std::uint32_t> types;
    for (int row = 0; row < result.rows(); ++row) {
        names.emplace_back(result.text(row, 0));
        types.push_back(result.number<std::uint32_t>(row, 1));
    }
    TypeCatalog catalog;
    read_types(session.connection(), types, catalog);
    for (const auto* list : {&table_.key, &table_.columns})
        for (const ColumnPlan& column : *list) add_column(column, names, types, catalog);
    if (!table_.key.empty()) {
        const std::string& leading = table_.key.front().name[side_];
        const auto at = std::find(names.begin(), names.end(), leading) - names.begin();
        store_leading(leading, catalog, types[static_cast<std::size_t>(at)]);
        leading_.not_null = result.is_true(static_cast<int>(at), 2);
    }
    if (!needed_names_.empty()) read_object_names(session.connection(), needed_names_, *names_);
}

void StreamTable::store_leading(const std::string& column, const TypeCatalog& catalog, std::uint32_t type) {
    leading_column_ = column;
    const TypeDesc& base = base_type(catalog, type);
    if (has_safe_array(base)) leading_type_ = quote_identifier(QualifiedName{base.schema, base.name});
    if (base.schema == "pg_catalog") leading_.type = base.name;
    leading_.form = columns_.key.front()->form();
    leading_.expression = fmt::format("{}.{}", quote_identifier(alias()), quote_identifier(column));
}

/// As the extension explains such errors.
StreamColumns::Label StreamTable::explain(const ColumnPlan& column, const std::string& default_form) const {
    const std::string& asked = asked_form(column, side_);
    std::string hint;
    if (asked != default_form)
        hint = fmt::format("Form \"{}\" holds every value of its type: use that if the other side's type has it.",
                           default_form);
    return {fmt::format("{}: a value of column \"{}\" cannot be digested as \"{}\"", side_name(side_),
                        column.name[side_], asked),
            std::move(hint)};
}

void StreamTable::add_column(const ColumnPlan& plan, const std::vector<std::string>& names,
                             const std::vector<std::uint32_t>& types, const TypeCatalog& catalog) {
    const auto found = std::find(names.begin(), names.end(), plan.name[side_]);
    if (found == names.end())
        throw Error(ErrorKind::kServer,
                    fmt::format("column {} of {} does not exist on the {} any more", display_name(plan.name[side_]),
                                display_name(table_.name[side_]), side_name(side_)),
                    {}, std::string(side_name(side_)), std::string(kUndefinedColumn));
    const std::uint32_t type = types[static_cast<std::size_t>(found - names.begin())];
    auto reader = make_wire_decoder(catalog, type, asked_form(plan, side_), names_);
    reader->add_needed_names(needed_names_);
    columns_.labels.push_back(explain(plan, wire_forms(catalog, type).forms.front()));
    const std::string column = fmt::format("{}.{}", quote_identifier(alias()), quote_identifier(plan.name[side_]));
    expressions_.push_back(reader->select_expression(column));
    if (plan.in_key && columns_.key.empty()) leading_is_cast_ = expressions_.back() != column;
    (plan.in_key ? columns_.key : columns_.columns).push_back(std::move(reader));
}

std::string StreamTable::printed_texts() const {
    std::vector<std::string> columns;
    for (const ColumnPlan& column : table_.columns)
        columns.push_back(fmt::format("{}.{}", quote_identifier(alias()), quote_identifier(column.name[side_])));
    return printed_expression(columns);
}

std::vector<std::string> StreamTable::read_names() const {
    std::vector<std::string> names;
    for (const auto* list : {&table_.key, &table_.columns})
        for (const ColumnPlan& column : *list) names.push_back(column.name[side_]);
    return names;
}

// ---- parts ---------------------------------------------------------------------------------------------------

/// A table is read in its parts where every one of them may be read by itself and is what the whole shows; policies and
/// foreign servers have their say about the whole only, and a filter may be about any column. A filter is the whole's:
/// what the server leaves out because of what a part must hold, it would read of the part by itself.
void StreamTable::read_parts(Session& session) {
    const Query query = stream_parts_query(table_.oid[side_], read_names(), table_.without_children[side_]);
    const Result result = session.connection().query(query.sql, query.parameters);
    is_divided_ = result.rows() > 1 || table_.relkind[side_] == 'p';
    const bool has_parts = result.rows() > 0 || table_.relkind[side_] == 'p';
    bool direct = !table_.visible_rows_only && has_parts && (table_.where.empty() || !is_divided_);
    for (int row = 0; row < result.rows(); ++row) {
        StreamPart part;
        part.oid = result.number<std::uint32_t>(row, 0);
        part.name = {std::string(result.text(row, 1)), std::string(result.text(row, 2))};
        part.only = true;
        part.is_heap = result.is_true(row, 3);
        part.blocks = result.number<std::int64_t>(row, 4);
        part.has_locations = part.is_heap && result.is_true(row, 6);
        direct =
            direct && part.is_heap && result.text(row, 7) == "f" && result.is_true(row, table_.where.empty() ? 5 : 6);
        parts_.push_back(std::move(part));
    }
    if (direct) reason_ = why_not_in_parts(session).value_or("");
    is_whole_ = !direct || !reason_.empty();
    if (is_whole_) parts_ = {whole()};
    find_leading_index(session);
}

void StreamTable::find_leading_index(Session& session) {
    leading_indexed_ = !leading_column_.empty() && has_conditions(leading_) && reason_.empty();
    for (const StreamPart& part : parts_) {
        if (!leading_indexed_) break;
        const Query indexes = leading_columns_query(part.oid);
        const Result columns = session.connection().query(indexes.sql, indexes.parameters);
        leading_indexed_ = false;
        for (int row = 0; row < columns.rows(); ++row)
            leading_indexed_ = leading_indexed_ || (columns.text(row, 0) == leading_column_ &&
                                                    is_served_by_index(leading_, columns.is_true(row, 1)));
    }
}

/// Where the server does not tell how it reads the table, the table is read in no other way than it does.
std::optional<std::string> StreamTable::why_not_in_parts(Session& session) const {
    PlanQuestion question{read_names(), {}};
    for (const StreamPart& part : parts_) question.leaves.push_back({part.name, part.blocks > 0});
    Connection& connection = session.connection();
    connection.query(savepoint_statement());
    std::optional<std::string> reason;
    try {
        reason = why_not_planned_plain(connection, whole_statement(whole(), alias(), question.columns), question);
    } catch (const Error& error) {
        if (!tells_of_refusal(error)) throw;
        reason = fmt::format("the server does not tell how it reads it: {}", error.what());
    }
    connection.query(rollback_to_savepoint_statement());
    connection.query(release_savepoint_statement());
    return reason;
}

void StreamTable::require_same_plan(Session& session) const {
    if (is_whole()) return;
    if (const std::optional<std::string> reason = why_not_in_parts(session))
        throw Error(ErrorKind::kServer,
                    fmt::format("{} was read in its parts on the {}, and now {}", display_name(table_.name[side_]),
                                side_name(side_), *reason),
                    {}, std::string(side_name(side_)), std::string(kSerializationFailure));
}

std::int64_t StreamTable::blocks() const {
    std::int64_t blocks = 0;
    for (const StreamPart& part : parts_) blocks += part.blocks;
    return blocks;
}

std::string StreamTable::location(std::size_t part) const {
    return parts_[part].has_locations ? location_expression(alias()) : "NULL::pg_catalog.tid";
}

bool StreamTable::can_be_sampled() const {
    return std::all_of(parts_.begin(), parts_.end(), [](const StreamPart& part) { return part.is_heap; });
}

// ---- items ---------------------------------------------------------------------------------------------------

/// Without ranges of blocks, connections share a table through its index.
std::vector<std::string> StreamTable::shares(const RangeList& ranges, std::size_t threads) const {
    if (!ranges.only.empty() || has_tid_ranges_ || !leading_indexed_ || parts_.empty()) return {};
    return share_conditions(leading_, ranges.bounds, threads);
}

std::vector<StreamItem> StreamTable::items(const RangeList& ranges, std::size_t threads, bool use_index) const {
    std::vector<std::string> conditions;
    if (!leading_column_.empty() && !ranges.only.empty()) conditions = range_conditions(leading_, ranges);
    if (ranges.only.empty() && use_index) conditions = shares(ranges, threads);
    if (is_whole() && is_divided_)
        for (std::string& condition : conditions) condition = fenced(condition);
    return stream_items(parts_, conditions, ranges, {threads, has_tid_ranges_, use_index && leading_indexed_});
}

std::vector<StreamItem> StreamTable::items_of_span(const RangeList& ranges, std::size_t threads) const {
    std::vector<std::string> conditions = range_conditions(leading_, ranges);
    const auto first = static_cast<std::size_t>(ranges.only.front()),
               last = static_cast<std::size_t>(ranges.only.back());
    if (conditions.size() == 1 && threads > 1) {
        const auto bound = [&](std::size_t number) {
            return ranges.bounds.begin() + static_cast<std::ptrdiff_t>(std::min(number, ranges.bounds.size()));
        };
        const std::vector<std::string> inside(bound(first - 1), bound(last - 1));
        const std::string outer = conditions.front();
        const std::vector<std::string> shares = share_conditions(leading_, inside, threads);
        if (!shares.empty()) conditions.clear();
        for (const std::string& share : shares) conditions.push_back(fmt::format("{} AND ({})", outer, share));
    }
    return stream_items(parts_, conditions, ranges, {threads, has_tid_ranges_, leading_indexed_, true});
}

std::optional<std::string> StreamTable::why_not_by_index() const {
    if (is_whole_ || is_divided_) return "its rows are streamed, and it is not one plain table";
    if (!leading_indexed_) return "its rows are streamed, and no B-tree has the order of its key's first column";
    return std::nullopt;
}

std::optional<std::string> StreamTable::why_not_in_order(std::optional<double> correlation) const {
    constexpr double kInOrder = 0.95;
    constexpr std::int64_t kFewBlocks = 1024;
    if (blocks() <= kFewBlocks) return std::nullopt;
    if (!correlation) return "whether its rows are in the order of its key is unknown: ANALYZE tells";
    if (std::abs(*correlation) >= kInOrder) return std::nullopt;
    return fmt::format("its rows are not in the order of its key: pg_stats.correlation of {} is {:.2f}",
                       display_name(leading_column_), *correlation);
}

std::vector<std::string> StreamTable::counts_through_index(const std::vector<std::string>& bounds) const {
    std::vector<std::string> counts;
    for (const std::string& condition : share_conditions(leading_, bounds, 2))
        counts.push_back(count_statement(parts_.front(), alias(), condition));
    return counts;
}

std::optional<std::string> StreamTable::count_keys(std::string_view lower, std::string_view upper) const {
    if (!leading_indexed_) return std::nullopt;
    const std::optional<std::string> condition = range_condition(leading_, lower, upper);
    if (!condition) return std::nullopt;
    return count_statement(whole(), alias(), *condition);
}

std::string StreamTable::statement(const std::vector<std::string>& expressions, const StreamItem& item) const {
    return copy_statement(expressions, parts_[item.part], alias(), item, table_.where);
}

std::string StreamTable::selection(const std::vector<std::string>& expressions, const StreamItem& item) const {
    return select_statement(expressions, parts_[item.part], alias(), item, table_.where);
}

}  // namespace parity::driver
