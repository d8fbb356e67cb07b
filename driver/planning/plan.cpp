#include "driver/planning/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/core.h>

#include "core/digest.h"
#include "driver/engine/server_identity.h"
#include "driver/model/error.h"
#include "driver/options/column_options.h"
#include "driver/options/name_map.h"
#include "driver/options/scope.h"
#include "driver/planning/extension_tables.h"
#include "driver/planning/hints.h"
#include "driver/planning/large_objects.h"
#include "driver/planning/money_notes.h"
#include "driver/planning/prefilter.h"
#include "driver/planning/sequences.h"
#include "driver/planning/table_plan.h"
#include "driver/text/display_name.h"

namespace parity::driver {

namespace {

using Severity = SchemaDifference::Severity;

void check_format(Side side, const ServerInfo& server) {
    if (server.format_version == core::kFormatVersion) return;
    throw Error(ErrorKind::kUsage,
                fmt::format("pg_parity {} on the {} has digest format {}, this pgparity has {}",
                            server.extension_version, side_name(side), server.format_version, core::kFormatVersion),
                "install the same version of pg_parity on both servers and here");
}

void add_lone_tables(Plan& plan, const Pairing& pairing, const Both<Inventory>& inventories) {
    for (Side side : kSides) {
        for (std::size_t index : pairing.only_here[side]) {
            const RelationDesc& relation = inventories[side].relations[index];
            plan.differences.push_back(lone_object(exact_name(relation.name), "table", side));
        }
    }
}

/// Whether stored values may be compared as they are stored.
bool can_prefilter(const Both<Inventory>& inventories) {
    const ServerInfo &source = inventories.source.server, &target = inventories.target.server;
    return !source.is_streamed && !target.is_streamed && source.encoding == target.encoding;
}

/// What a relation is left out of the comparison for. A standby does not have it by design: no sign of trouble.
std::string unlogged_sentence(std::string_view kind, const QualifiedName& name, Side side) {
    return fmt::format("{} {}: unlogged, its {} not replicated to the {}, which is in recovery", kind,
                       display_name(name), kind == "table" ? "rows are" : "value is", side_name(side));
}

/// The side that does not have the table's rows by design; none where the table must be compared nonetheless, because
/// the user named it.
std::optional<Side> leaves_out(const Both<const RelationDesc*>& relation) {
    for (Side side : kSides)
        if (relation[side]->unlogged == UnloggedExtent::kWhole && !relation.source->named && !relation.target->named)
            return side;
    return std::nullopt;
}

TableSides sides_of(const RelationPair& pair, const Both<Inventory>& inventories) {
    TableSides sides{{nullptr, nullptr}, {nullptr, nullptr}, pair.without_children, pair.notes};
    for (Side side : kSides) {
        sides.relation[side] = &inventories[side].relations[pair[side]];
        if (pair.root) sides.root[side] = &inventories[side].relations[(*pair.root)[side]];
    }
    return sides;
}

std::string names_of(const std::vector<std::string>& columns) {
    std::vector<std::string> names;
    for (const std::string& column : columns) names.push_back(display_name(column));
    return fmt::format("{}", fmt::join(names, ", "));
}

/// Whether the condition of the whole run is that of a table. A table of an extension is compared under the
/// extension's.
bool is_under_where(const RelationDesc& source, const Options& options) {
    return source.extension.empty() && !options.where.empty() && source.filter == options.where;
}

/// What of a table is left out by what is said of it alone. Options may stand in the configuration file, too.
void add_left_out(std::vector<std::string>& sentences, const TablePlan& table, const RelationDesc& source,
                  const Options& options) {
    if (source.extension.empty() && source.filter != options.where)
        sentences.push_back(
            fmt::format("rows of {} without {} (configuration file)", display_name(source.name), source.filter));
    if (!table.scope.without.empty())
        sentences.push_back(fmt::format("columns of {}: {} (options columns, exclude-columns)",
                                        display_name(source.name), names_of(table.scope.without)));
}

void add_tables(Plan& plan, const Request& request, const Pairing& pairing, const Both<Inventory>& inventories) {
    const Options& options = request.options;
    ColumnOptions column_options(request.columns);
    bool any_under_where = false;
    for (const RelationPair& pair : pairing.pairs) {
        const TableSides sides = sides_of(pair, inventories);
        const RelationDesc& source = *sides.relation.source;
        const RelationDesc& target = *sides.relation.target;
        if (sides.root.source) column_options.belongs_to(source.name, sides.root.source->name);
        TableDecision decision = plan_table(options, column_options, sides);
        plan.differences.insert(plan.differences.end(), decision.differences.begin(), decision.differences.end());
        if (const std::optional<Side> lacking = leaves_out({&source, &target})) {
            plan.not_compared.push_back(unlogged_sentence("table", source.name, *lacking));
        } else if (auto* reason = std::get_if<std::string>(&decision.plan)) {
            plan.skipped_tables.emplace_back(Both<QualifiedName>{source.name, target.name}, std::move(*reason));
        } else {
            TablePlan& table = plan.tables.emplace_back(std::move(std::get<TablePlan>(decision.plan)));
            any_under_where |= is_under_where(source, options);
            add_left_out(plan.not_compared, table, source, options);
            for (Side side : kSides)
                if (inventories[side].server.is_streamed) table.path[side] = "stream";
            if (can_prefilter(inventories)) add_prefilters(table, source, target);
            if (auto note = note_money(table, {inventories.source.server, inventories.target.server}))
                table.notes.push_back(std::move(*note));
        }
    }
    if (any_under_where) plan.not_compared.push_back(fmt::format("rows without {} (option where)", options.where));
    for (const RelationDesc& relation : inventories.source.relations) {
        if (!relation.selected) column_options.mark_unchosen_used(relation);
    }
    column_options.require_all_used();
}

// ---- sequences -----------------------------------------------------------------------------------------------

/// Pairs sequences by name, then those that are left by the table that owns them: a renamed table has a renamed
/// sequence.
class SequencePairer {
  public:
    SequencePairer(const Request& request, const Pairing& pairing, const Both<Inventory>& inventories)
        : maps_(request.maps) {
        for (Side side : kSides) {
            const std::set<std::uint32_t> tables = chosen_oids(pairing, inventories, side);
            for (const SequenceDesc& sequence : inventories[side].sequences) {
                if (covers_sequence(request.options, sequence, tables)) left_[side].push_back(&sequence);
            }
            for (const SequenceDesc& sequence : inventories[side].sequences) all_[side][sequence.name] = &sequence;
        }
    }

    void run(Plan& plan) {
        pair(plan, [&](const SequenceDesc& source, const SequenceDesc& target) {
            return maps_.to_target(source.name) == target.name;
        });
        pair(plan,
             [&](const SequenceDesc& source, const SequenceDesc& target) { return alone_with_owner(source, target); });
        for (Side side : kSides) {
            for (const SequenceDesc* sequence : left_[side]) add_lone(plan, side, *sequence);
        }
        std::sort(plan.sequences.begin(), plan.sequences.end(),
                  [](const auto& a, const auto& b) { return a.source.name < b.source.name; });
    }

  private:
    template <typename Matches>
    void pair(Plan& plan, Matches matches) {
        std::vector<const SequenceDesc*> unpaired;
        for (const SequenceDesc* source : left_.source) {
            auto& targets = left_.target;
            const auto found =
                std::find_if(targets.begin(), targets.end(), [&](const auto* t) { return matches(*source, *t); });
            if (found == targets.end()) {
                unpaired.push_back(source);
                continue;
            }
            add_pair(plan, *source, **found);
            targets.erase(found);
        }
        left_.source = std::move(unpaired);
    }

    bool alone_with_owner(const SequenceDesc& source, const SequenceDesc& target) const {
        const auto owned = [&](Side side, const QualifiedName& owner) {
            return std::count_if(all_[side].begin(), all_[side].end(),
                                 [&](const auto& entry) { return entry.second->owner == owner; });
        };
        return !source.owner.name.empty() && maps_.to_target(source.owner) == target.owner &&
               owned(Side::kSource, source.owner) == 1 && owned(Side::kTarget, target.owner) == 1;
    }

    static void add_pair(Plan& plan, const SequenceDesc& source, const SequenceDesc& target) {
        if (source.left_out || target.left_out) {
            const Side side = source.left_out ? Side::kSource : Side::kTarget;
            plan.not_compared.push_back(unlogged_sentence("sequence", source.name, side));
            return;
        }
        plan.sequences.push_back({source, target});
        if (source.definition == target.definition) return;
        plan.differences.push_back(
            {Severity::kNote, exact_name(source.name),
             fmt::format("sequence {} on source, {} on target", source.definition, target.definition)});
    }

    /// A sequence that the other side has too, but does not use for a chosen table, is compared nonetheless.
    void add_lone(Plan& plan, Side side, const SequenceDesc& sequence) const {
        const Side other_side = side == Side::kSource ? Side::kTarget : Side::kSource;
        const QualifiedName name =
            side == Side::kSource ? maps_.to_target(sequence.name) : maps_.to_source(sequence.name);
        const auto other = all_[other_side].find(name);
        if (other == all_[other_side].end()) {
            plan.differences.push_back(lone_object(exact_name(sequence.name), "sequence", side));
        } else if (side == Side::kSource) {
            add_pair(plan, sequence, *other->second);
        } else {
            add_pair(plan, *other->second, sequence);
        }
    }

    const NameMap& maps_;
    Both<std::vector<const SequenceDesc*>> left_;
    Both<std::map<QualifiedName, const SequenceDesc*>> all_;
};

// ---- what is never compared -----------------------------------------------------------------------------------

std::string plural(const std::string& kind) {
    return kind.ends_with('y') ? kind.substr(0, kind.size() - 1) + "ies" : kind + "s";
}

std::string_view remark_on(std::string_view kind) {
    const bool on_demand = kind == "view" || kind == "foreign table" || kind == "extension table";
    return on_demand ? " (compared only when named)" : "";
}

/// Of both sides, where a run that is about something narrower, or --no-large-objects, leaves them out.
void add_large_objects_left_out(std::vector<std::string>& sentences, const Options& options,
                                const Both<Inventory>& inventories) {
    const auto& [source, target] =
        Both<LargeObjects>{inventories.source.large_objects, inventories.target.large_objects};
    const bool narrower = !covers_whole_database(options);
    if (source.count + target.count == 0 || (options.large_objects && !narrower)) return;
    sentences.push_back(fmt::format(
        "large objects: {} on source, {} on target ({})", source.count, target.count,
        options.large_objects ? "compared only in runs about a whole database" : "left out by --no-large-objects"));
}

/// What is damaged may look as if it were not there, or as something else, and nobody would hear of it.
void tell_hidden_damage(Plan& plan, const Both<Inventory>& inventories) {
    for (Side side : kSides) {
        const std::string& settings = inventories[side].server.hides_damage;
        if (settings.empty()) continue;
        plan.not_compared.push_back(fmt::format(
            "what is damaged on {}: {} is on there, so damaged pages may look empty, or be read all the same",
            side_name(side), settings));
        for (TablePlan& table : plan.tables) table.hides_damage[side] = settings;
    }
}

std::vector<std::string> not_compared(const Options& options, const Pairing& pairing,
                                      const Both<Inventory>& inventories) {
    const auto compared = std::count_if(pairing.pairs.begin(), pairing.pairs.end(), [&](const auto& pair) {
        return !inventories.source.relations[pair.source].extension.empty();
    });
    std::set<std::string> kinds;
    for (Side side : kSides) {
        for (const auto& [kind, count] : inventories[side].other_objects) kinds.insert(kind);
    }
    const auto count = [&](Side side, const std::string& kind) {
        const auto found = inventories[side].other_objects.find(kind);
        const std::int64_t all = found == inventories[side].other_objects.end() ? 0 : found->second;
        return kind == "extension table" ? all - compared : all;
    };
    std::vector<std::string> sentences;
    for (const std::string& kind : kinds) {
        if (count(Side::kSource, kind) == 0 && count(Side::kTarget, kind) == 0) continue;
        sentences.push_back(fmt::format("{}: {} on source, {} on target{}", plural(kind), count(Side::kSource, kind),
                                        count(Side::kTarget, kind), remark_on(kind)));
    }
    if (pairing.left_out.source + pairing.left_out.target > 0)
        sentences.push_back(fmt::format("tables left out by --exclude-table: {} on source, {} on target",
                                        pairing.left_out.source, pairing.left_out.target));
    if (!options.sequences) sentences.push_back("sequences: left out by --no-sequences");
    add_large_objects_left_out(sentences, options, inventories);
    sentences.push_back(
        "schema objects: indexes, constraints, defaults, privileges, comments and roles are not compared");
    return sentences;
}

}  // namespace

void check_servers(const Options& options, const Both<ServerInfo>& servers) {
    check_format(Side::kSource, servers.source);
    check_format(Side::kTarget, servers.target);
    if (options.allow_same_server || !same_database(servers.source.identity, servers.target.identity)) return;
    refuse_same_database(servers.source.database);
}

Plan make_plan(const Request& request, const Both<Inventory>& inventories, const Pairing& pairing) {
    const Options& options = request.options;
    Plan plan;
    plan.skipped_tables = pairing.refused;
    add_lone_tables(plan, pairing, inventories);
    add_tables(plan, request, pairing, inventories);
    plan_large_objects(plan, options, inventories);
    std::stable_sort(plan.tables.begin(), plan.tables.end(),
                     [](const TablePlan& a, const TablePlan& b) { return a.estimated_bytes > b.estimated_bytes; });
    plan.differences.insert(plan.differences.end(), pairing.notes.begin(), pairing.notes.end());
    if (options.sequences) SequencePairer(request, pairing, inventories).run(plan);
    plan.sequence_rules = standby_rules({inventories.source.server, inventories.target.server});
    plan.sequence_rules.lags = inventories.source.replay_lags || inventories.target.replay_lags;
    plan.sequence_rules.may_be_ahead = options.sequences_may_be_ahead;
    tell_hidden_damage(plan, inventories);
    const std::vector<std::string> never = not_compared(options, pairing, inventories);
    plan.not_compared.insert(plan.not_compared.end(), never.begin(), never.end());
    plan_extension_tables(plan, request, inventories);
    plan.hints = hints_about(plan, pairing, inventories);
    return plan;
}

}  // namespace parity::driver
