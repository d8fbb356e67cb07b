#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bounds.h"
#include "core/order.h"
#include "tests/support/core_bytes.h"

/// Framed keys and bounds on them, for tests.
namespace parity::test {

/// One column of a framed key; nothing is NULL.
inline std::string frame(core::Form form, const std::optional<std::string>& canonical) {
    return appended([&](core::ByteSink& sink) {
        if (canonical)
            EXPECT_TRUE(core::append_frame(sink, form, view(*canonical)));
        else
            core::append_null_frame(sink);
    });
}

inline std::string text_frame(const std::string& text) { return frame(core::Form::kText, text); }
inline std::string int_frame(std::int64_t value) { return frame(core::Form::kInt, le(value)); }

inline const std::vector<core::Form> kIntKey{core::Form::kInt};

/// A bound on a framed key, or on its first columns.
inline std::string key_bound(const std::string& framed) { return static_cast<char>(core::kKeyBound) + framed; }

inline std::string int_bound(std::int64_t value) { return key_bound(int_frame(value)); }

}  // namespace parity::test
