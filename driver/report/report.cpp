#include "driver/report/report.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace parity::driver {

std::vector<std::size_t> report_order(const RunReport& report) {
    std::vector<std::size_t> order(report.tables.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto& left = report.tables[a].plan.name;
        const auto& right = report.tables[b].plan.name;
        return std::tie(left.source, left.target) < std::tie(right.source, right.target);
    });
    return order;
}

}  // namespace parity::driver
