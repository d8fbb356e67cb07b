#include "driver/postgres/values/names.h"

#include <utility>

#include "driver/model/error.h"

namespace parity::driver {

void ObjectNames::add(const std::string& catalog, std::uint32_t oid, std::string name) {
    names_[catalog].insert_or_assign(oid, std::move(name));
}

std::string ObjectNames::find(const std::string& catalog, std::uint32_t oid) const {
    if (oid == 0) return "-";
    const auto names = names_.find(catalog);
    if (names == names_.end())
        throw Error(ErrorKind::kInternal, "the names in " + catalog + " were not read before they were needed");
    const auto name = names->second.find(oid);
    return name == names->second.end() ? std::to_string(oid) : name->second;
}

bool ObjectNames::holds(const std::string& catalog) const { return names_.contains(catalog); }

}  // namespace parity::driver
