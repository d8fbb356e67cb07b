#include "driver/postgres/catalog/relations.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>

#include <fmt/core.h>

#include "core/digest.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/sqlstates.h"
#include "driver/options/scope.h"
#include "driver/postgres/catalog/batches.h"
#include "driver/postgres/catalog/extension_condition.h"
#include "driver/postgres/catalog/key_choice.h"
#include "driver/postgres/catalog/notations.h"
#include "driver/postgres/catalog/sequences.h"
#include "driver/postgres/catalog/server.h"
#include "driver/postgres/catalog/types.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/locked.h"
#include "driver/postgres/connection/owners_code.h"
#include "driver/postgres/connection/read_plan.h"
#include "driver/postgres/connection/session.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/feed.h"
#include "driver/postgres/queries/large_objects.h"
#include "driver/postgres/queries/owners_code.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/session.h"
#include "driver/postgres/values/type_rules.h"
#include "driver/postgres/values/types.h"

namespace parity::driver {

namespace {

/// How often relations are described when a lock was waited for in vain that nobody holds afterwards.
constexpr int kDescribeAttempts = 3;

std::vector<std::string> split_list(std::string_view text, char separator = ',') {
    std::vector<std::string> elements;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(separator), text.size());
        elements.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return elements;
}

class InventoryReader : public CatalogReader {
  public:
    InventoryReader(Side side, const Request& request, ExtensionUse use, bool last_attempt,
                    const SharedFailure* failure)
        : request_(request),
          options_(request.options),
          use_(use),
          last_attempt_(last_attempt),
          session_(Session::open(side, request.options, "inventory", nullptr, failure)) {}

    Inventory& inventory() override { return inventory_; }
    void read_server() override;
    std::string relations_mark() override { return read_relations_mark(session_); }
    void list() override;
    void describe(const std::set<std::uint32_t>& oids, const std::set<std::uint32_t>& without_children) override;
    void list_sequences() override;
    void read_sequence_values() override {
        driver::read_sequence_values(session_, inventory_.sequences,
                                     [this](const Error& error) { require_last_attempt(error); });
    }
    std::string log_end() override { return wal_end(session_); }
    bool await_replay(const std::string& log_end) override { return driver::await_replay(session_, log_end); }
    void require_named_server() override { session_.require_named_server(); }
    void set_failure(const SharedFailure* failure) override { session_.connection().set_failure(failure); }
    void close() noexcept override { session_.close(); }

  private:
    Result run(const Query& query) { return session_.connection().query(query.sql, query.parameters); }
    Side side() const { return session_.side(); }
    void choose_engine();
    template <typename Work>
    void select(Work work);
    void list_relations();
    void read_large_objects();
    void read_extension_tables();
    void add_relation(const Result& result, int row);
    void judge_trees();
    std::string why_elsewhere(const RelationDesc& root);
    std::optional<std::string> ask_planner(const RelationDesc& root, const PlanQuestion& question);
    std::vector<PlanLeaf> members_of(const RelationDesc& root) const;
    void add_extension_relation(const ExtensionTable& table);
    void note_unmatched();
    void mark_matched(std::vector<bool>& matched, std::string_view numbers);
    void require_last_attempt(const Error& error) const;
    void describe_unlocked(const std::vector<std::uint32_t>& oids);
    bool mark_locked(std::vector<std::uint32_t>& oids);
    void read_sizes(const std::vector<std::uint32_t>& oids);
    void read_columns(const std::vector<std::uint32_t>& oids);
    void read_wire_forms(const Result& columns);
    void read_notations(const Result& columns);
    void read_keys(const std::vector<std::uint32_t>& oids);
    void choose_keys(const std::vector<std::uint32_t>& oids);
    void read_owners_code(const std::vector<std::uint32_t>& oids);
    bool streams() const { return inventory_.server.is_streamed; }
    RelationDesc& relation(std::string_view oid) {
        return inventory_.relations.at(index_.at(to_number<std::uint32_t>(oid)));
    }

    const Request& request_;
    const Options& options_;
    const ExtensionUse use_;
    const bool last_attempt_;
    Session session_;
    Inventory inventory_;
    TypeCatalog types_;
    std::unordered_map<std::uint32_t, std::size_t> index_;
    std::set<std::uint32_t> without_children_;
};

// ---- the server ----------------------------------------------------------------------------------------------

void InventoryReader::read_server() {
    read_server_facts(session_, inventory_.server);
    choose_engine();
}

void InventoryReader::choose_engine() {
    ServerInfo& server = inventory_.server;
    const Result extension = run(extension_query());
    const bool installed = extension.rows() > 0, usable = installed && extension.is_true(0, 1);
    if (installed) server.extension_version = extension.text(0, 0);
    if (use_ == ExtensionUse::kRequired && !installed) {
        throw Error(
            ErrorKind::kUsage,
            fmt::format("extension \"pg_parity\" is not installed in database \"{}\" on the {}", server.database,
                        side_name(side())),
            "run CREATE EXTENSION pg_parity there as a superuser, or let --engine auto or stream read the rows");
    }
    if (usable && use_ != ExtensionUse::kNone) server.format_version = run(format_version_query()).number<int>(0, 0);
    const bool fits = use_ == ExtensionUse::kRequired || server.format_version == core::kFormatVersion;
    if (usable && use_ != ExtensionUse::kNone && fits) return;
    if (installed && use_ == ExtensionUse::kRequired) return;  // the server says what it lacks
    if (installed && use_ == ExtensionUse::kWherePossible)
        server.engine_reason = usable
                                   ? fmt::format("pg_parity {} there has digest format {}, this pgparity has {}",
                                                 server.extension_version, server.format_version, core::kFormatVersion)
                                   : "the role has no USAGE privilege on schema \"parity\"";
    server.is_streamed = true;
    server.format_version = core::kFormatVersion;
}

/// Patterns are regular expressions to the server.
template <typename Work>
void InventoryReader::select(Work work) {
    try {
        work();
    } catch (const Error& error) {
        if (error.sqlstate() != kInvalidRegularExpression) throw;
        throw Error(ErrorKind::kUsage, fmt::format("invalid pattern: {}", error.what()));
    }
}

void InventoryReader::list() {
    select([&] {
        list_relations();
        read_large_objects();
        read_extension_tables();
    });
}

void InventoryReader::list_sequences() {
    select([&] { inventory_.sequences = driver::list_sequences(session_, request_.selection, request_.maps); });
}

// ---- which relations there are --------------------------------------------------------------------------------

void InventoryReader::list_relations() {
    if (side() == Side::kSource) {
        const Result other = run(other_database_query(request_.selection));
        if (other.rows() > 0) {
            throw Error(ErrorKind::kUsage, fmt::format("pattern \"{}\" names another database than \"{}\"",
                                                       other.text(0, 0), inventory_.server.database));
        }
    }
    inventory_.table_patterns_matched.assign(request_.selection.tables.size(), false);
    inventory_.schema_patterns_matched.assign(request_.selection.schemas.size(), false);
    std::vector<TableScope> named = request_.columns.named_tables();
    for (TableScope& scope : request_.tables.named_tables()) named.push_back(std::move(scope));
    const Result result = run(relations_query(request_.selection, request_.maps, named, side()));
    for (int row = 0; row < result.rows(); ++row) add_relation(result, row);
    note_unmatched();
    judge_trees();
    const Result others = run(other_objects_query());
    for (int row = 0; row < others.rows(); ++row) {
        inventory_.other_objects[std::string(others.text(row, 0))] = others.number<std::int64_t>(row, 1);
    }
}

/// Which exclusions match something, and what could have been meant where a pattern matches nothing.
void InventoryReader::note_unmatched() {
    const Selection& selection = request_.selection;
    std::vector<bool>& exclusions = inventory_.exclusions_matched;
    exclusions.assign(selection.excluded.size(), false);
    if (!exclusions.empty()) {
        const Result matched = run(matched_exclusions_query(selection, request_.maps, side()));
        for (int row = 0; row < matched.rows(); ++row) exclusions.at(matched.number<std::size_t>(row, 0) - 1) = true;
    }
    const auto has_unmatched = [](const std::vector<bool>& matched) {
        return std::find(matched.begin(), matched.end(), false) != matched.end();
    };
    if (!has_unmatched(inventory_.table_patterns_matched) && !has_unmatched(inventory_.schema_patterns_matched) &&
        !has_unmatched(exclusions) && request_.maps.entries().empty())
        return;
    const Result names = run(table_names_query(selection, request_.maps, side()));
    for (int row = 0; row < names.rows(); ++row)
        inventory_.all_names.push_back({std::string(names.text(row, 0)), std::string(names.text(row, 1))});
}

void InventoryReader::read_large_objects() {
    const Result privileges = run(large_object_privileges_query());
    LargeObjects& objects = inventory_.large_objects;
    objects.listed = privileges.is_true(0, 0);
    if (!objects.listed) return;
    objects.readable = privileges.is_true(0, 1);
    objects.list_oid = kLargeObjectMetadataOid;
    objects.pages_oid = kLargeObjectPagesOid;
    const Result result = run(large_objects_query());
    objects.count = result.number<std::uint64_t>(0, 0);
    objects.page_bytes = result.number<std::int64_t>(0, 1);
    objects.bytes = result.number<std::int64_t>(0, 2);
    objects.pages = result.number<double>(0, 3);
    objects.list_columns = result.text(0, 4);
    objects.page_columns = result.text(0, 5);
}

/// Those whose rows of users are compared become relations like others.
void InventoryReader::read_extension_tables() {
    if (!covers_extension_tables(options_)) return;
    const Result result = run(extension_tables_query(request_.selection, request_.maps, side()));
    for (int row = 0; row < result.rows(); ++row) {
        ExtensionTable table;
        table.oid = result.number<std::uint32_t>(row, 0);
        table.name = {std::string(result.text(row, 1)), std::string(result.text(row, 2))};
        table.relkind = result.text(row, 3).front();
        table.row_security_active = result.is_true(row, 4);
        table.extension = result.text(row, 5);
        const ExtensionCondition condition =
            read_extension_condition(result.text(row, 6), table.name.name, split_list(result.text(row, 9), '\n'));
        table.condition = condition.expression;
        table.why_not_evaluated = condition.why_not_evaluated;
        table.readable = result.is_true(row, 7);
        table.columns_text = result.text(row, 8);
        if (table.why_not_evaluated.empty() && is_compared_by_default(table.extension, table.name.name) &&
            !index_.contains(table.oid))
            add_extension_relation(table);
        inventory_.extension_tables.push_back(std::move(table));
    }
}

void InventoryReader::add_extension_relation(const ExtensionTable& table) {
    RelationDesc relation;
    relation.oid = table.oid;
    relation.name = table.name;
    relation.relkind = table.relkind;
    relation.row_security_active = table.row_security_active;
    relation.selected = true;
    relation.extension = table.extension;
    relation.condition = table.condition;
    index_[relation.oid] = inventory_.relations.size();
    inventory_.relations.push_back(std::move(relation));
}

void InventoryReader::add_relation(const Result& result, int row) {
    RelationDesc relation;
    relation.oid = result.number<std::uint32_t>(row, 0);
    relation.name = {std::string(result.text(row, 1)), std::string(result.text(row, 2))};
    relation.relkind = result.text(row, 3).front();
    for (const std::string& oid : split_list(result.text(row, 4))) {
        relation.ancestors.push_back(to_number<std::uint32_t>(oid));
    }
    relation.populated = result.is_true(row, 5);
    relation.row_security_active = result.is_true(row, 6);
    relation.selected = result.is_true(row, 7);
    relation.excluded = result.is_true(row, 8);
    relation.named = result.is_true(row, 9);
    relation.is_partition = result.is_true(row, 12);
    for (const std::string& oid : split_list(result.text(row, 13)))
        relation.parents.push_back(to_number<std::uint32_t>(oid));
    relation.has_own_columns = result.is_true(row, 14);
    relation.readable_by_itself = result.is_true(row, 15);
    relation.checks = result.text(row, 16);
    relation.has_children = result.is_true(row, 17);
    const bool on_demand = relation.relkind == 'v' || relation.relkind == 'f';
    if (relation.named || !on_demand) {
        mark_matched(inventory_.table_patterns_matched, result.text(row, 10));
        mark_matched(inventory_.schema_patterns_matched, result.text(row, 11));
    }
    index_[relation.oid] = inventory_.relations.size();
    inventory_.relations.push_back(std::move(relation));
}

/// A tree may be compared member by member only where the server's planner reads it so: an extension may show rows
/// under its root that are in none of them. Its root is what is paired, which may inherit from others itself.
void InventoryReader::judge_trees() {
    for (RelationDesc& root : inventory_.relations)
        if (root.has_children) root.why_elsewhere = why_elsewhere(root);
}

/// A tree with foreign members is not judged: how these are read is theirs to say.
std::string InventoryReader::why_elsewhere(const RelationDesc& root) {
    const PlanQuestion question{{}, members_of(root)};
    if (question.leaves.empty()) return {};
    std::optional<std::string> reason;
    try {
        reason = ask_planner(root, question);
    } catch (const Error& error) {
        if (error.sqlstate().empty()) throw;
        reason = fmt::format("the server does not tell how it reads it: {}", error.what());
    }
    session_.begin_inventory();  // without the lock
    return reason.value_or("");
}

/// What the planner says of a tree. Nothing is planned where that would run functions of others with our rights, as far
/// as the snapshot shows.
std::optional<std::string> InventoryReader::ask_planner(const RelationDesc& root, const PlanQuestion& question) {
    if (!session_.begin_inventory(root.name, root.oid, root.relkind)) return "it has another name meanwhile";
    if (!options_.run_owners_code && run(owners_code_query({root.oid})).rows() > 0)
        return "planning a query on it would run functions of its owner";
    return why_not_planned_plain(session_.connection(), tree_statement(root.name), question);
}

/// The root and all that inherits from it; nothing where a foreign table is among them.
std::vector<PlanLeaf> InventoryReader::members_of(const RelationDesc& root) const {
    std::vector<PlanLeaf> leaves{{root.name}};
    for (const RelationDesc& member : inventory_.relations) {
        if (std::find(member.ancestors.begin(), member.ancestors.end(), root.oid) == member.ancestors.end()) continue;
        if (member.relkind == 'f') return {};
        leaves.push_back({member.name});
    }
    return leaves;
}

void InventoryReader::mark_matched(std::vector<bool>& matched, std::string_view numbers) {
    for (const std::string& number : split_list(numbers)) matched.at(to_number<std::size_t>(number) - 1) = true;
}

// ---- what they are like ---------------------------------------------------------------------------------------

/// Reading a relation's size or forms waits for whoever holds it in ACCESS EXCLUSIVE mode. Such relations are marked,
/// so that the others can be compared.
void InventoryReader::describe(const std::set<std::uint32_t>& wanted, const std::set<std::uint32_t>& without_children) {
    without_children_ = without_children;
    std::vector<std::uint32_t> oids(wanted.begin(), wanted.end());
    for (int attempt = 1;; ++attempt) {
        try {
            return describe_unlocked(oids);
        } catch (const Error& error) {
            if (error.sqlstate() != kLockNotAvailable) throw;
            session_.begin_inventory();
            if (!mark_locked(oids) && attempt >= kDescribeAttempts) throw;
        }
    }
}

/// Takes what is locked now out of `oids`; whether there was anything.
bool InventoryReader::mark_locked(std::vector<std::uint32_t>& oids) {
    const std::vector<LockedRelation> locked = read_locked(session_.connection(), oids);
    for (const LockedRelation& each : locked) {
        RelationDesc& relation = inventory_.relations.at(index_.at(each.oid));
        relation.locked = true;
        relation.locker = each.locker;
        std::erase(oids, each.oid);
    }
    return !locked.empty();
}

void InventoryReader::describe_unlocked(const std::vector<std::uint32_t>& oids) {
    read_batches(
        session_.connection(), oids,
        [&](const std::vector<std::uint32_t>& batch) {
            for (std::uint32_t oid : batch) {
                RelationDesc& described = inventory_.relations.at(index_.at(oid));
                described.columns.clear();
                described.unreadable_columns.clear();
                described.key = {};
                described.better_key.clear();
            }
            read_sizes(batch);
            read_columns(batch);
            read_keys(batch);
            read_owners_code(batch);
        },
        [&](std::uint32_t oid, const Error& error) {
            require_last_attempt(error);
            inventory_.relations.at(index_.at(oid)).why_unreadable = error.what();
        });
}

/// What fails because an object was dropped meanwhile may not fail again when everything is read anew.
void InventoryReader::require_last_attempt(const Error& error) const {
    if (may_be_changed_catalogs(error) && !last_attempt_) throw error;
}

void InventoryReader::read_sizes(const std::vector<std::uint32_t>& oids) {
    const Result result = run(relation_sizes_query(oids, {without_children_.begin(), without_children_.end()}));
    for (int row = 0; row < result.rows(); ++row) {
        RelationDesc& described = relation(result.text(row, 0));
        described.estimated_rows = result.number<double>(row, 1);
        described.bytes = result.number<std::int64_t>(row, 2);
        described.foreign_parts = result.is_true(row, 3);
        described.readable = result.is_true(row, 4);
        described.columns_text = result.text(row, 5);
        described.unlogged = result.text(row, 6) == "whole"   ? UnloggedExtent::kWhole
                             : result.text(row, 6) == "parts" ? UnloggedExtent::kParts
                                                              : UnloggedExtent::kNothing;
        described.storage = {std::string(result.text(row, 7)), result.is_true(row, 8),
                             std::string(result.text(row, 9))};
    }
}

void InventoryReader::read_columns(const std::vector<std::uint32_t>& oids) {
    const Result result = run(streams() ? streamed_columns_query(oids) : columns_query(oids));
    for (int row = 0; row < result.rows(); ++row) {
        ColumnDesc column;
        column.name = result.text(row, 1);
        column.type = result.text(row, 2);
        column.not_null = result.is_true(row, 3);
        column.form = result.text(row, 4);
        column.other_forms = split_list(result.text(row, 5));
        column.reason = result.text(row, 6);
        column.collation = result.text(row, 7);
        column.generated = result.text(row, 8);
        if (!streams()) column.lossy_forms = split_list(result.text(row, 11));
        RelationDesc& described = relation(result.text(row, 0));
        if (!result.is_true(row, 9)) described.unreadable_columns.push_back(column.name);
        described.columns.push_back(std::move(column));
    }
    if (streams()) read_wire_forms(result);
    read_notations(result);
    for (std::uint32_t oid : oids) {
        RelationDesc& described = inventory_.relations.at(index_.at(oid));
        if (!described.columns.empty()) described.readable = described.unreadable_columns.empty();
    }
}

/// The extension plans as the owner where it has to; streams and conditions are planned with the session's rights.
void InventoryReader::read_owners_code(const std::vector<std::uint32_t>& oids) {
    if (options_.run_owners_code) return;
    std::vector<std::uint32_t> planned;
    for (std::uint32_t oid : oids) {
        RelationDesc& described = inventory_.relations.at(index_.at(oid));
        described.planned_as_caller = streams() || !described.filter.empty() || !described.condition.empty();
        if (described.planned_as_caller) planned.push_back(oid);
    }
    if (planned.empty()) return;
    const Result result = run(owners_code_query(planned));
    for (int row = 0; row < result.rows(); ++row)
        relation(result.text(row, 0)).why_not_planned = why_owners_code_is_not_run(
            result.text(row, 1), result.text(row, 2), result.text(row, 3), side_name(side()));
}

/// What parity.forms() would have said.
void InventoryReader::read_wire_forms(const Result& columns) {
    std::vector<std::uint32_t> types;
    for (int row = 0; row < columns.rows(); ++row) types.push_back(columns.number<std::uint32_t>(row, 10));
    read_types(session_.connection(), types, types_);
    std::unordered_map<std::uint32_t, WireForms> known;
    std::unordered_map<std::string_view, std::size_t> positions;
    for (int row = 0; row < columns.rows(); ++row) {
        const std::uint32_t type = types[static_cast<std::size_t>(row)];
        const auto [forms, is_new] = known.try_emplace(type);
        if (is_new) forms->second = wire_forms(types_, type);
        ColumnDesc& column = relation(columns.text(row, 0)).columns.at(positions[columns.text(row, 0)]++);
        column.reason = forms->second.reason;
        const std::vector<std::string>& names = forms->second.forms;
        if (names.empty()) continue;
        column.form = names.front();
        column.other_forms.assign(names.begin() + 1, names.end());
        column.lossy_forms = forms->second.lossy;
    }
}

/// Where the catalogs lack a type, values are shown by their forms alone.
void InventoryReader::read_notations(const Result& columns) {
    std::vector<std::uint32_t> types, unknown;
    for (int row = 0; row < columns.rows(); ++row) {
        types.push_back(columns.number<std::uint32_t>(row, 10));
        if (!has_known_notation(types.back())) unknown.push_back(types.back());
    }
    try {
        read_types(session_.connection(), unknown, types_);
    } catch (const Error& error) {
        if (!error.sqlstate().empty() || error.kind() != ErrorKind::kInternal) throw;
    }
    const NotationFinder finder(types_, inventory_.server.money_digits, inventory_.server.money_point);
    std::unordered_map<std::string_view, std::size_t> positions;
    for (int row = 0; row < columns.rows(); ++row)
        relation(columns.text(row, 0)).columns.at(positions[columns.text(row, 0)]++).notation =
            finder.find(types[static_cast<std::size_t>(row)]);
}

/// What parity.key() would have said, of all relations or of those that are read without their children; and which key
/// a relation lacks for want of a form.
void InventoryReader::choose_keys(const std::vector<std::uint32_t>& oids) {
    const Result result = run(unique_indexes_query(oids));
    for (int row = 0; row < result.rows();) {
        const std::string_view oid = result.text(row, 0);
        const std::uint32_t number = to_number<std::uint32_t>(oid);
        const bool has_plain_children = result.is_true(row, 4) && !without_children_.contains(number);
        std::vector<UniqueIndex> indexes;
        std::string_view index;
        for (; row < result.rows() && result.text(row, 0) == oid; ++row) {
            if (result.text(row, 1) != index) indexes.push_back({result.is_true(row, 2), result.is_true(row, 3), {}});
            index = result.text(row, 1);
            indexes.back().columns.emplace_back(result.text(row, 5));
        }
        RelationDesc& described = relation(oid);
        if (streams() || without_children_.contains(number))
            described.key = choose_key(indexes, has_plain_children, [&](const std::string& name) {
                const ColumnDesc* column = find_column(described, name);
                return column && !column->form.empty();
            });
        const KeyDesc best = choose_key(indexes, has_plain_children, [](const std::string&) { return true; });
        if (best.columns != described.key.columns) described.better_key = best.columns;
    }
}

void InventoryReader::read_keys(const std::vector<std::uint32_t>& oids) {
    if (!streams()) {
        const Result result = run(keys_query(oids));
        for (int row = 0; row < result.rows(); ++row) {
            KeyDesc& key = relation(result.text(row, 0)).key;
            key.columns.emplace_back(result.text(row, 1));
            key.proven = result.is_true(row, 2);
        }
    }
    choose_keys(oids);
}

}  // namespace

bool may_be_changed_catalogs(const Error& error) {
    return error.sqlstate() == kUndefinedTable || error.sqlstate() == kSerializationFailure ||
           error.sqlstate() == kInternalError;
}

std::unique_ptr<CatalogReader> make_catalog_reader(Side side, const Request& request, ExtensionUse use,
                                                   bool last_attempt, const SharedFailure* failure) {
    return std::make_unique<InventoryReader>(side, request, use, last_attempt, failure);
}

}  // namespace parity::driver
