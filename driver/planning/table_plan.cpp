#include "driver/planning/table_plan.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "driver/digests/division.h"
#include "driver/model/error.h"
#include "driver/options/name_map.h"
#include "driver/planning/form_choice.h"
#include "driver/planning/key_notes.h"
#include "driver/text/display_name.h"

namespace parity::driver {

namespace {

using Severity = SchemaDifference::Severity;

/// A column that both sides have.
struct PairedColumn {
    const ColumnDesc* source;
    const ColumnDesc* target;
    FormChoice form;
    ColumnOptions::Choice choice;

    bool comparable() const { return !form.form.empty(); }
    ColumnPlan plan(bool in_key) const {
        return {.name = {source->name, target->name},
                .form = form.form,
                .in_key = in_key,
                .asked_forms = form.asked_forms,
                .type = {source->type, target->type},
                .notation = source->notation};
    }
};

bool contains(const std::vector<std::string>& list, const std::string& element) {
    return std::find(list.begin(), list.end(), element) != list.end();
}

/// What a pair of tables has in common, and the work of deciding about it.
class TablePlanner {
  public:
    TablePlanner(const Options& options, ColumnOptions& column_options, const TableSides& sides)
        : options_(options), column_options_(column_options), pair_(sides), sides_(sides.relation) {}

    TableDecision run();

  private:
    std::optional<std::string> obstacle() const;
    std::optional<std::string> obstacle(Side side) const;
    void describe_sides();
    void find_mapped_names();
    void pair_columns();
    void pair_column(const ColumnDesc& column);
    void find_lone_target_columns();
    std::string obstacle(const PairedColumn& pair) const;
    void note_column(const PairedColumn& pair);
    void note_form(const PairedColumn& pair);
    void require_columns_left() const;

    std::optional<std::string> choose_key();
    std::optional<std::string> use_given_key(const KeyEntry& entry);
    bool use_relation_key(Side side);
    const PairedColumn* usable(Side side, const std::string& column) const;
    void set_key(const std::vector<const PairedColumn*>& columns);
    bool proven_on(Side side) const;
    bool use_root_key();
    void note_keys();
    void note_unused_keys();
    bool has_children(Side side) const;
    void compare_population();

    void choose_columns();
    void estimate();

    void differ(Severity severity, const std::string& column, const std::string& message);
    std::string object_of(const std::string& column) const;
    const RelationDesc& side(Side which) const { return *sides_[which]; }

    const Options& options_;
    ColumnOptions& column_options_;
    const TableSides& pair_;
    Both<const RelationDesc*> sides_;
    std::set<std::string> mapped_names_;  ///< names on the target that --map-column gives to columns
    std::vector<PairedColumn> columns_;
    TablePlan plan_;
    std::vector<SchemaDifference> differences_;
};

// ---- whether the table can be compared -------------------------------------------------------------------------

std::optional<std::string> TablePlanner::obstacle(Side which) const {
    const RelationDesc& relation = side(which);
    const std::string_view where = side_name(which);
    if (relation.locked)
        return fmt::format("it is locked by another session on {}{}{}", where, relation.locker.empty() ? "" : ": ",
                           relation.locker);
    if (!relation.why_unreadable.empty())
        return fmt::format("it cannot be read on {}: {}", where, relation.why_unreadable);
    if (relation.unlogged == UnloggedExtent::kWhole)
        return fmt::format("unlogged: its rows are not replicated to the {}, which is in recovery", where);
    if (relation.unlogged == UnloggedExtent::kParts)
        return fmt::format(
            "a part of it is unlogged and not replicated to the {}, which is in recovery; without it "
            "(--exclude-table), its partitions are compared by themselves",
            where);
    if (!relation.populated && !plan_.unpopulated)
        return fmt::format("it is a materialized view that is not populated on {}", where);
    if (relation.row_security_active && !options_.enable_row_security) {
        return fmt::format("row security applies on {}; --enable-row-security compares the visible rows", where);
    }
    const bool named = relation.named || (pair_.root[which] && pair_.root[which]->named);
    if (relation.foreign_parts && !named) {
        return fmt::format("it has foreign tables as parts on {}, which are read only when --table names the table",
                           where);
    }
    if (!relation.why_not_planned.empty()) return relation.why_not_planned;
    const bool none_readable = relation.unreadable_columns.size() == relation.columns.size();
    if (!relation.readable && none_readable) return fmt::format("no SELECT privilege on {}", where);
    return std::nullopt;
}

std::optional<std::string> TablePlanner::obstacle() const {
    std::optional<std::string> reason = obstacle(Side::kSource);
    return reason ? reason : obstacle(Side::kTarget);
}

// ---- columns -------------------------------------------------------------------------------------------------

void TablePlanner::differ(Severity severity, const std::string& column, const std::string& message) {
    differences_.push_back({severity, object_of(column), message});
}

/// The table, or a column of it.
std::string TablePlanner::object_of(const std::string& column) const {
    std::string object = exact_name(side(Side::kSource).name);
    if (!column.empty()) object += "." + exact_name(column);
    return object;
}

/// A name that --map-column gives goes before the same name that a column of the source has by itself.
void TablePlanner::find_mapped_names() {
    for (const ColumnDesc& column : side(Side::kSource).columns) {
        const std::string name = column_options_.target_name(side(Side::kSource), side(Side::kTarget), column.name);
        if (name == column.name || mapped_names_.insert(name).second) continue;
        throw Error(ErrorKind::kUsage, fmt::format("--map-column gives two columns of {} the name {} on the target",
                                                   display_name(side(Side::kSource).name), display_name(name)));
    }
}

void TablePlanner::pair_columns() {
    find_mapped_names();
    for (const ColumnDesc& column : side(Side::kSource).columns) pair_column(column);
    find_lone_target_columns();
}

void TablePlanner::pair_column(const ColumnDesc& column) {
    const RelationDesc& target = side(Side::kTarget);
    const ColumnOptions::Choice choice = column_options_.choose(side(Side::kSource), column.name);
    const std::string name = column_options_.target_name(side(Side::kSource), target, column.name);
    const bool name_is_taken = name == column.name && mapped_names_.contains(name);
    const ColumnDesc* other = name_is_taken ? nullptr : find_column(target, name);
    if (!other) {
        if (choice.selected && !choice.excluded)
            differences_.push_back(lone_object(object_of(column.name), "column", Side::kSource));
        else
            plan_.scope.without.push_back(column.name);
        return;
    }
    PairedColumn pair{&column, other, {}, choice};
    pair.form.reason = obstacle(pair);
    if (pair.form.reason.empty()) {
        const FormEntry* entry = column_options_.form(side(Side::kSource), column.name);
        pair.form = entry ? asked_form_of(fmt::format("--form \"{}\"", entry->text), entry->form, column, *other)
                          : default_form(column, *other);
        if (entry) plan_.scope.forms[column.name] = entry->form;
    }
    columns_.push_back(std::move(pair));
}

void TablePlanner::find_lone_target_columns() {
    for (const ColumnDesc& column : side(Side::kTarget).columns) {
        const bool paired =
            std::any_of(columns_.begin(), columns_.end(), [&](const auto& p) { return p.target == &column; });
        if (paired) continue;
        const ColumnOptions::Choice choice = column_options_.choose(side(Side::kSource), column.name);
        if (choice.selected && !choice.excluded)
            differences_.push_back(lone_object(object_of(column.name), "column", Side::kTarget));
        else
            plan_.scope.without.push_back(column.name);
    }
}

/// Why a column cannot be compared whatever the form; empty where it can.
std::string TablePlanner::obstacle(const PairedColumn& pair) const {
    const Both<const ColumnDesc*> columns{pair.source, pair.target};
    for (Side which : kSides) {
        const ColumnDesc& column = *columns[which];
        if (contains(side(which).unreadable_columns, column.name)) {
            return fmt::format("no SELECT privilege on {}", side_name(which));
        }
        if (!column.form.empty()) continue;
        return column.reason.empty() ? fmt::format("type {} is not comparable", column.type) : column.reason;
    }
    return {};
}

void TablePlanner::note_column(const PairedColumn& pair) {
    const auto note = [&](std::string_view what, const std::string& source, const std::string& target) {
        if (source == target) return;
        differ(Severity::kNote, pair.source->name, fmt::format("{} {} on source, {} on target", what, source, target));
    };
    const auto nullability = [](const ColumnDesc& column) {
        return std::string(column.not_null ? "not null" : "nullable");
    };
    const auto collation = [](const ColumnDesc& column) {
        return column.collation.empty() ? "none" : column.collation;
    };
    const auto generated = [](const ColumnDesc& column) {
        return std::string(column.generated.empty() ? "no" : "yes");
    };
    const bool by_default = pair.form.form == pair.source->form && pair.form.form == pair.target->form;
    if (by_default || !pair.comparable() || pair.source->type == pair.target->type) {
        note("type", pair.source->type, pair.target->type);
    } else {
        differ(Severity::kNote, pair.source->name,
               fmt::format("type {} on source, {} on target; compared as {}", pair.source->type, pair.target->type,
                           pair.form.form));
    }
    note("nullability", nullability(*pair.source), nullability(*pair.target));
    if (!pair.source->collation.empty() && !pair.target->collation.empty()) {
        note("collation", collation(*pair.source), collation(*pair.target));
    }
    note("generated:", generated(*pair.source), generated(*pair.target));
}

/// Says what a reader would not expect of the form: that another than the types' own was asked for, and what it
/// ignores.
void TablePlanner::note_form(const PairedColumn& pair) {
    if (!pair.comparable()) return;
    const std::string& asked =
        pair.form.asked_forms.source.empty() ? pair.form.asked_forms.target : pair.form.asked_forms.source;
    const std::string& form = asked.empty() ? pair.form.form : asked;
    const bool same_type = pair.source->type == pair.target->type;
    if (!pair.form.lossy && !(same_type && form != pair.source->form)) return;
    std::string note = fmt::format("column {} is compared as {}", display_name(pair.source->name), form);
    if (pair.form.lossy) note += fmt::format(", which {}", describe_loss(form));
    plan_.notes.push_back(std::move(note));
}

/// A table of which nothing but the key is left to compare would read as equal.
void TablePlanner::require_columns_left() const {
    const auto is_dropped = [](const PairedColumn& pair) { return pair.choice.listed && pair.choice.excluded; };
    if (!plan_.columns.empty() || !plan_.skipped.empty() || std::none_of(columns_.begin(), columns_.end(), is_dropped))
        return;
    throw Error(ErrorKind::kUsage,
                fmt::format("--columns and --exclude-columns leave no column of {} to compare",
                            display_name(side(Side::kSource).name)),
                "--exclude-table leaves a table out");
}

/// Where the options leave the key alone, equal keys are all that "identical" means: a note says so.
void TablePlanner::choose_columns() {
    bool left_out = false;
    for (const PairedColumn& pair : columns_) {
        const auto is_key = [&](const ColumnPlan& column) { return column.name.source == pair.source->name; };
        const bool in_key = std::any_of(plan_.key.begin(), plan_.key.end(), is_key);
        if (!in_key && (!pair.choice.selected || pair.choice.excluded)) {
            left_out = true;
            plan_.scope.without.push_back(pair.source->name);
            continue;
        }
        note_column(pair);
        note_form(pair);
        if (in_key) continue;
        if (pair.comparable()) {
            plan_.columns.push_back(pair.plan(false));
        } else {
            plan_.skipped.push_back(fmt::format("column {}: {}", display_name(pair.source->name), pair.form.reason));
        }
    }
    require_columns_left();
    if (left_out && plan_.columns.empty() && plan_.skipped.empty())
        plan_.notes.emplace_back("nothing but the key is compared: the options leave no other column");
    std::sort(plan_.columns.begin(), plan_.columns.end(),
              [](const ColumnPlan& a, const ColumnPlan& b) { return a.name.source < b.name.source; });
}

// ---- the key -------------------------------------------------------------------------------------------------

const PairedColumn* TablePlanner::usable(Side which, const std::string& column) const {
    for (const PairedColumn& pair : columns_) {
        const ColumnDesc& own = which == Side::kSource ? *pair.source : *pair.target;
        if (own.name == column) return pair.comparable() && !pair.choice.excluded ? &pair : nullptr;
    }
    return nullptr;
}

void TablePlanner::set_key(const std::vector<const PairedColumn*>& columns) {
    for (const PairedColumn* pair : columns) plan_.key.push_back(pair->plan(true));
    // under a lossy form keys that differ may be equal
    const bool lossy =
        std::any_of(columns.begin(), columns.end(), [](const PairedColumn* pair) { return pair->form.lossy; });
    plan_.key_proven = !lossy && proven_on(Side::kSource) && proven_on(Side::kTarget);
}

/// Whether the relation's proven key has the same columns, in whatever order.
bool TablePlanner::proven_on(Side which) const {
    const KeyDesc& key = side(which).key;
    return key.proven && key.columns.size() == plan_.key.size() &&
           std::all_of(plan_.key.begin(), plan_.key.end(),
                       [&](const ColumnPlan& column) { return contains(key.columns, column.name[which]); });
}

/// The key of --key is not given up silently: where it cannot be used, the reason why the table is not compared.
std::optional<std::string> TablePlanner::use_given_key(const KeyEntry& entry) {
    std::vector<const PairedColumn*> columns;
    for (const std::string& name : entry.columns) {
        const PairedColumn* pair = usable(Side::kSource, name);
        if (!pair) return fmt::format("column {} of --key \"{}\" cannot be compared", display_name(name), entry.text);
        columns.push_back(pair);
    }
    set_key(columns);
    if (!plan_.key_proven) plan_.scope.key = entry.columns;
    return std::nullopt;
}

bool TablePlanner::use_relation_key(Side which) {
    std::vector<const PairedColumn*> columns;
    for (const std::string& name : side(which).key.columns) {
        columns.push_back(usable(which, name));
        if (!columns.back()) return false;
    }
    set_key(columns);
    return !columns.empty();
}

std::optional<std::string> TablePlanner::choose_key() {
    if (const KeyEntry* entry = column_options_.key(side(Side::kSource))) return use_given_key(*entry);
    if (use_relation_key(Side::kSource) || use_relation_key(Side::kTarget)) {
        note_keys();
        return std::nullopt;
    }
    if (use_root_key()) return std::nullopt;
    for (Side which : kSides) {
        if (side(which).key.columns.empty()) continue;
        differ(Severity::kNote, "",
               fmt::format("key ({}) on {} cannot be used; rows are compared without a key",
                           fmt::join(side(which).key.columns, ", "), side_name(which)));
    }
    return std::nullopt;
}

/// A child without a key of its own has the columns of its root's.
bool TablePlanner::use_root_key() {
    const RelationDesc* root = pair_.root.source;
    if (!root || root->key.columns.empty()) return false;
    std::vector<const PairedColumn*> columns;
    for (const std::string& name : root->key.columns) {
        columns.push_back(usable(Side::kSource, name));
        if (!columns.back()) return false;
    }
    set_key(columns);
    plan_.notes.push_back(fmt::format("it has no key of its own: rows are compared by the key ({}) of {}",
                                      fmt::join(root->key.columns, ", "), display_name(root->name)));
    return true;
}

bool TablePlanner::has_children(Side which) const { return side(which).has_children && !pair_.without_children[which]; }

/// Sides that differ in their keys have a difference of their schemas; what both have alike is none.
void TablePlanner::note_keys() {
    if (plan_.key_proven || (proven_on(Side::kSource) && proven_on(Side::kTarget))) return;
    KeyRemark remark = explain_unproven({side(Side::kSource).key, side(Side::kTarget).key},
                                        {has_children(Side::kSource), has_children(Side::kTarget)});
    if (remark.sides_differ)
        differ(Severity::kNote, "", remark.text);
    else
        plan_.notes.push_back(std::move(remark.text));
}

void TablePlanner::note_unused_keys() {
    std::vector<std::string> names;
    for (const ColumnPlan& column : plan_.key) names.push_back(display_name(column.name.source));
    const std::string used = names.empty() ? "" : fmt::format("({})", fmt::join(names, ", "));
    for (Side which : kSides)
        if (auto note = explain_unused(which, side(which), used)) plan_.notes.push_back(std::move(*note));
}

// ---- materialized views -----------------------------------------------------------------------------------------

/// Views that no side has filled are alike. One that a side has filled is no smaller difference than a table that only
/// that side has.
void TablePlanner::compare_population() {
    const bool source = side(Side::kSource).populated, target = side(Side::kTarget).populated;
    plan_.unpopulated = !source && !target;
    if (plan_.unpopulated) plan_.notes.emplace_back("the materialized view is populated on neither side");
    if (source == target) return;
    differ(Severity::kDivergence, "",
           fmt::format("materialized view populated only on {}", side_name(source ? Side::kSource : Side::kTarget)));
}

// ---- the rest ------------------------------------------------------------------------------------------------

void TablePlanner::estimate() {
    const auto [source, target] = std::pair(sides_.source, sides_.target);
    plan_.estimated_rows = std::max(source->estimated_rows, target->estimated_rows);
    plan_.estimated_bytes = std::max(source->bytes, target->bytes);
    const std::size_t slices = plan_.columns.size() + 2;
    const std::optional<int> asked = source->ranges ? source->ranges : options_.ranges;
    plan_.ranges = asked.value_or(default_ranges(plan_.estimated_rows, plan_.estimated_bytes, slices));
    const std::size_t affordable = most_ranges(slices);
    if (static_cast<std::size_t>(plan_.ranges) <= affordable) return;
    throw Error(ErrorKind::kUsage,
                fmt::format("--ranges {} is too many for {}: the digests of {} columns would not fit into {} MB",
                            plan_.ranges, display_name(plan_.name.source), slices, kMostDigestBytes >> 20),
                fmt::format("at most {} ranges fit", affordable));
}

std::string_view kind_name(char relkind) {
    switch (relkind) {
        case 'r':
            return "table";
        case 'p':
            return "partitioned table";
        case 'm':
            return "materialized view";
        case 'v':
            return "view";
        case 'f':
            return "foreign table";
        default:
            return "relation";
    }
}

void TablePlanner::describe_sides() {
    for (Side which : kSides) {
        const RelationDesc& relation = side(which);
        plan_.oid[which] = relation.oid;
        plan_.name[which] = relation.name;
        plan_.relkind[which] = relation.relkind;
        plan_.foreign_parts[which] = relation.foreign_parts;
        plan_.must_run_no_code[which] =
            relation.planned_as_caller || (!options_.run_owners_code && !relation.filter.empty());
        plan_.columns_text[which] = relation.columns_text;
        plan_.storage[which] = relation.storage;
        plan_.visible_rows_only = plan_.visible_rows_only || relation.row_security_active;
        const bool scannable = relation.relkind != 'v' && !relation.foreign_parts && !relation.row_security_active;
        plan_.path[which] = scannable && relation.filter.empty() && relation.condition.empty() ? "scan" : "aggregate";
    }
    const RelationDesc& source = side(Side::kSource);
    plan_.where = source.extension.empty() ? source.filter : source.condition;
    plan_.without_children = pair_.without_children;
    plan_.notes.insert(plan_.notes.end(), pair_.notes.begin(), pair_.notes.end());
    plan_.scope.without_children = plan_.without_children.source || plan_.without_children.target;
    if (plan_.scope.without_children)
        plan_.notes.emplace_back("its own rows, without those of its children, which are compared by themselves");
    if (plan_.relkind.source == plan_.relkind.target) return;
    differ(Severity::kNote, "",
           fmt::format("{} on source, {} on target", kind_name(plan_.relkind.source), kind_name(plan_.relkind.target)));
}

TableDecision TablePlanner::run() {
    compare_population();
    if (auto reason = obstacle()) {
        column_options_.mark_used(side(Side::kSource));
        return {*reason, std::move(differences_)};
    }
    describe_sides();
    pair_columns();
    if (auto reason = choose_key()) return {*reason, std::move(differences_)};
    note_unused_keys();
    choose_columns();
    const bool columnless = side(Side::kSource).columns.empty() && side(Side::kTarget).columns.empty();
    if (columnless) plan_.notes.emplace_back("it has no columns: rows are counted");
    if (plan_.key.empty() && plan_.columns.empty() && !columnless && !plan_.unpopulated)
        return {"it has no columns that can be compared", std::move(differences_)};
    estimate();
    return {std::move(plan_), std::move(differences_)};
}

}  // namespace

TableDecision plan_table(const Options& options, ColumnOptions& column_options, const TableSides& sides) {
    return TablePlanner(options, column_options, sides).run();
}

}  // namespace parity::driver
