#include "driver/digests/spans.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/bounds.h"
#include "core/bytes.h"
#include "core/order.h"
#include "driver/digests/division.h"

namespace parity::driver {
namespace {

/// The value of the key's first column at a bound; nothing for NULL.
std::optional<core::ByteView> first_value(const std::string& bound, const std::vector<core::Form>& key_forms) {
    const std::optional<core::FramedValue> value =
        core::FrameReader(core::as_bytes(bound).subspan(1)).next(key_forms.front());
    if (!value || value->null) return std::nullopt;
    return value->bytes;
}

bool begin_alike(const std::string& a, const std::string& b, const std::vector<core::Form>& key_forms) {
    const std::optional<core::ByteView> x = first_value(a, key_forms), y = first_value(b, key_forms);
    return x.has_value() == y.has_value() && (!x || std::equal(x->begin(), x->end(), y->begin(), y->end()));
}

bool is_below(const std::string& a, const std::string& b, const std::vector<core::Form>& key_forms) {
    return core::compare_bounds(core::as_bytes(a), core::as_bytes(b), key_forms) < 0;
}

}  // namespace

std::vector<Span> spans_of_ranges(const std::vector<std::string>& bounds, std::size_t spans,
                                  const std::vector<core::Form>& key_forms) {
    std::vector<Span> made{{}};
    const std::size_t ranges = bounds.size() + 1;
    std::size_t due = ranges / spans;  // how many ranges come before the next span
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        if (i + 1 < due || (i > 0 && begin_alike(bounds[i - 1], bounds[i], key_forms))) continue;
        made.back().upper = bounds[i];
        made.push_back({bounds[i], {}});
        due = std::max(due + 1, ranges * (made.size()) / spans);
    }
    return made;
}

std::vector<Span> halves_of_span(const Span& span, const std::vector<std::string>& bounds,
                                 const std::vector<core::Form>& key_forms) {
    std::vector<std::string> inside = bounds_inside(bounds, span, key_forms);
    // No bound may begin as the span does: an index is searched by that value alone.
    if (!span.lower.empty())
        std::erase_if(inside, [&](const std::string& bound) { return begin_alike(span.lower, bound, key_forms); });
    std::vector<Span> halves = spans_of_ranges(inside, 2, key_forms);
    halves.front().lower = span.lower;
    halves.back().upper = span.upper;
    return halves;
}

std::vector<std::string> bounds_inside(const std::vector<std::string>& bounds, const Span& span,
                                       const std::vector<core::Form>& key_forms) {
    std::vector<std::string> inside;
    std::copy_if(bounds.begin(), bounds.end(), std::back_inserter(inside), [&](const std::string& bound) {
        return (span.lower.empty() || is_below(span.lower, bound, key_forms)) &&
               (span.upper.empty() || is_below(bound, span.upper, key_forms));
    });
    return inside;
}

std::int32_t numbers_before(const Span& span, int numbers_of_a_range) {
    return span.lower.empty() ? 0 : numbers_of_a_range;
}

RangeList ranges_of_table(const RangeList& of_span, const Span& span, std::int32_t before) {
    RangeList ranges = of_span;
    ranges.only = requested_ranges(of_span);
    for (std::int32_t& number : ranges.only) number += before;
    if (!span.lower.empty()) ranges.bounds.insert(ranges.bounds.begin(), span.lower);
    if (!span.upper.empty()) ranges.bounds.push_back(span.upper);
    return ranges;
}

}  // namespace parity::driver
