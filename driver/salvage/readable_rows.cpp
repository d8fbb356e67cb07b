#include "driver/salvage/readable_rows.h"

namespace parity::driver {

std::map<std::uint32_t, std::vector<std::string>> keys_by_part(RowSorter& sorter,
                                                               const std::vector<std::string>& keys) {
    std::map<std::uint32_t, std::vector<std::string>> by_part;
    for (const std::string& key : keys)
        sorter.find(std::vector<std::string>{key}, [&](const RowLocation& location) {
            std::vector<std::string>& of_part = by_part[location.part];
            if (of_part.empty() || of_part.back() != key) of_part.push_back(key);
        });
    return by_part;
}

}  // namespace parity::driver
