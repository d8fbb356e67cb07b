#include "driver/postgres/catalog/batches.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "driver/model/sqlstates.h"

namespace parity::driver {

bool may_be_of_one_object(const Error& error) {
    static constexpr std::array<std::string_view, 4> kOthers = {kSerializationFailure, kDeadlockDetected,
                                                                kLockNotAvailable, kQueryCanceled};
    return error.kind() == ErrorKind::kServer &&
           std::find(kOthers.begin(), kOthers.end(), error.sqlstate()) == kOthers.end();
}

}  // namespace parity::driver
