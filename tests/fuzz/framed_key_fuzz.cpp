#include <algorithm>
#include <array>
#include <vector>

#include "core/bounds.h"
#include "core/order.h"
#include "core/render.h"
#include "driver/engine/value_reader.h"
#include "tests/fuzz/fuzz_input.h"

/// Framed keys and bounds: checking, ordering, rendering, finding a range. Input: how many forms (u8) and their codes,
/// two bounds behind their lengths and a third one.
namespace parity::fuzz {
namespace {

using core::BoundStatus;
using core::ByteView;
using core::Form;

constexpr std::size_t kMaxForms = 6;

std::vector<Form> take_forms(InputCutter& input) {
    std::vector<Form> forms(input.integer<std::uint8_t>() % kMaxForms);
    for (Form& form : forms) form = core::form_by_code(input.integer<std::uint8_t>()).value_or(Form::kText);
    return forms;
}

void render(const std::vector<Form>& forms, ByteView bound) {
    driver::ByteBuffer text;
    core::render_bound(forms, bound, write_double, text.sink());
    core::render_key(forms, bound, write_double, text.sink());
    for (const Form form : forms) core::render_value(form, bound, write_double, text.sink());
    require(!text.sink().failed, "there is memory for a rendered bound");
    SmallSink small(text.view().size() / 2);
    core::render_bound(forms, bound, write_double, small.sink());
}

void check_order(const std::vector<Form>& forms, const std::vector<ByteView>& bounds) {
    const auto order = [&](ByteView a, ByteView b) { return core::compare_bounds(a, b, forms); };
    for (const ByteView a : bounds) {
        require(order(a, a) == 0, "a bound equals itself");
        for (const ByteView b : bounds) {
            require(order(a, b) == -order(b, a), "an order is the opposite of its reverse");
            require((core::check_succession(a, b, forms) == BoundStatus::kOk) == (order(a, b) < 0), "bounds ascend");
            for (const ByteView c : bounds)
                if (order(a, b) <= 0 && order(b, c) <= 0) require(order(a, c) <= 0, "the order is transitive");
        }
    }
}

bool has_all_columns(const std::vector<Form>& forms, ByteView framed) {
    core::FrameReader reader(framed);
    return std::all_of(forms.begin(), forms.end(), [&](Form form) { return reader.next(form).has_value(); });
}

/// Finds each bound's own key, or hash, twice: where the last one was and from elsewhere.
void check_finder(const std::vector<Form>& forms, std::vector<ByteView> bounds) {
    const auto order = [&](ByteView a, ByteView b) { return core::compare_bounds(a, b, forms); };
    const std::vector<ByteView> wanted = bounds;
    std::sort(bounds.begin(), bounds.end(), [&](ByteView a, ByteView b) { return order(a, b) < 0; });
    bounds.erase(std::unique(bounds.begin(), bounds.end(), [&](ByteView a, ByteView b) { return order(a, b) == 0; }),
                 bounds.end());
    std::vector<std::int64_t> numbers(bounds.size());
    core::RangeFinder finder(bounds, forms, numbers.data());
    for (const ByteView bound : wanted) {
        if (!finder.by_hash() && !has_all_columns(forms, bound.subspan(1))) continue;
        const core::u64 hash = finder.by_hash() ? core::load_be<core::u64>(&bound[1]) : 0;
        const auto below =
            std::count_if(bounds.begin(), bounds.end(), [&](ByteView b) { return order(b, bound) <= 0; });
        for (int i = 0; i < 2; ++i)
            require(finder.find(bound.subspan(1), hash) == below, "a bound begins the range above it");
    }
}

void run(InputCutter& input) {
    const std::vector<Form> forms = take_forms(input);
    const ExactBytes first = input.sized();
    const ExactBytes second = input.sized();
    const ExactBytes third = input.rest();
    std::vector<ByteView> keys;
    std::vector<ByteView> hashes;
    for (const ByteView bound : {first.view(), second.view(), third.view()}) {
        render(forms, bound);
        if (core::check_bound(bound, forms) == BoundStatus::kOk)
            (bound[0] == core::kKeyBound ? keys : hashes).push_back(bound);
    }
    for (const std::vector<ByteView>& bounds : {keys, hashes}) {
        check_order(forms, bounds);
        check_finder(forms, bounds);
    }
    if (!keys.empty() && !hashes.empty())
        require(core::check_succession(keys[0], hashes[0], forms) == BoundStatus::kMixedKinds, "kinds are not mixed");
}

}  // namespace
}  // namespace parity::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    parity::fuzz::InputCutter input(data, size);
    parity::fuzz::run(input);
    return 0;
}
