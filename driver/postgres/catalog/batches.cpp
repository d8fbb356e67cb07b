#include "driver/postgres/catalog/batches.h"

#include <array>
#include <string_view>

namespace parity::driver {

bool may_be_of_one_object(const Error& error) {
    static constexpr std::array<std::string_view, 4> kOthers = {
        "40001",  // serialization_failure, also of a query that replay cancelled
        "40P01",  // deadlock_detected
        "55P03",  // lock_not_available
        "57014",  // query_canceled, also by statement_timeout
    };
    return error.kind() == ErrorKind::kServer &&
           std::find(kOthers.begin(), kOthers.end(), error.sqlstate()) == kOthers.end();
}

}  // namespace parity::driver
