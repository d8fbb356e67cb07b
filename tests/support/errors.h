#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "driver/model/error.h"

namespace parity::driver::fixtures {

/// The message of the internal error that `action` throws.
inline std::string internal_error(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInternal);
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

}  // namespace parity::driver::fixtures
