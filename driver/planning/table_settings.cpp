#include "driver/planning/table_settings.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

using Entry = TableSettings::Entry;

/// The names of a side's relations by their oids.
using NamesByOid = std::unordered_map<std::uint32_t, const QualifiedName*>;

NamesByOid names_by_oid(const Inventory& inventory) {
    NamesByOid names;
    for (const RelationDesc& relation : inventory.relations) names[relation.oid] = &relation.name;
    return names;
}

[[noreturn]] void refuse(const Entry& entry, const QualifiedName& table, const std::string& why,
                         const std::string& hint) {
    throw Error(ErrorKind::kUsage,
                fmt::format("what the configuration file says of \"{}\" would have no effect on table {}: {}",
                            entry.setting.table, display_name(table), why),
                hint);
}

/// Which relations a run compares by themselves, and as parts of which others it reads the rest.
class Readings {
  public:
    Readings(const Pairing& pairing, const Inventory& source) : names_(names_by_oid(source)) {
        for (const RelationPair& pair : pairing.pairs) paired_.insert(source.relations[pair.source].oid);
    }

    void require_used(const Entry& entry, const RelationDesc& relation) const {
        if (!entry.scope.covers(relation.name)) return;
        const bool paired = paired_.contains(relation.oid);
        if (paired && !relation.extension.empty())
            refuse(entry, relation.name, "its extension says which of its rows are compared", {});
        if (paired) return;
        for (std::uint32_t oid : relation.ancestors) {
            if (!paired_.contains(oid)) continue;
            const QualifiedName& whole = *names_.at(oid);
            if (entry.scope.covers(whole)) return;
            refuse(entry, relation.name, fmt::format("it is compared as a part of {}", display_name(whole)),
                   fmt::format("give the settings to {}, or name the part with --table", display_name(whole)));
        }
    }

  private:
    NamesByOid names_;
    std::set<std::uint32_t> paired_;
};

}  // namespace

void apply_table_settings(const Request& request, Inventory& source) {
    const NamesByOid names = names_by_oid(source);
    for (RelationDesc& relation : source.relations) {
        TableSetting found = request.tables.find(relation.name);
        for (std::uint32_t oid : relation.ancestors) {
            const auto ancestor = names.find(oid);
            if (ancestor == names.end()) continue;
            const TableSetting inherited = request.tables.find(*ancestor->second);
            if (found.where.empty()) found.where = inherited.where;
            if (!found.ranges) found.ranges = inherited.ranges;
        }
        relation.filter = found.where.empty() ? request.options.where : found.where;
        relation.ranges = found.ranges;
    }
}

void share_table_settings(const Pairing& pairing, const Inventory& source, Inventory& target) {
    for (const RelationPair& pair : pairing.pairs) {
        const RelationDesc& from = source.relations[pair.source];
        RelationDesc& to = target.relations[pair.target];
        to.filter = from.filter;
        to.ranges = from.ranges;
    }
}

void require_table_settings_used(const Request& request, const Pairing& pairing, const Inventory& source) {
    const Readings readings(pairing, source);
    for (const Entry& entry : request.tables.entries()) {
        const bool exists =
            std::any_of(source.relations.begin(), source.relations.end(),
                        [&](const RelationDesc& relation) { return entry.scope.covers(relation.name); });
        if (!exists)
            throw Error(ErrorKind::kUsage,
                        fmt::format("the source has no table {}, of which the configuration file has settings",
                                    entry.setting.table));
        if (entry.setting.where.empty() && !entry.setting.ranges) continue;
        for (const RelationDesc& relation : source.relations) readings.require_used(entry, relation);
    }
}

}  // namespace parity::driver
