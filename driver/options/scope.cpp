#include "driver/options/scope.h"

#include <algorithm>
#include <array>
#include <utility>

namespace parity::driver {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kCompared{
    {{"postgis", "spatial_ref_sys"}, {"pg_partman", "part_config"}, {"pg_partman", "part_config_sub"}}};

}  // namespace

bool covers_whole_database(const Options& options) {
    return options.tables.empty() && options.schemas.empty() && options.columns.empty() && options.where.empty();
}

bool covers_extension_tables(const Options& options) {
    return options.tables.empty() && options.columns.empty() && options.where.empty();
}

bool is_compared_by_default(std::string_view extension, std::string_view table) {
    return std::find(kCompared.begin(), kCompared.end(), std::pair(extension, table)) != kCompared.end();
}

}  // namespace parity::driver
