#include "backend/pg.h"

#include "backend/memory.h"
#include "backend/task/arguments.h"
#include "core/bounds.h"

/// The SQL function greater_bound(): bounds in the order of their columns' forms, which no operator of bytea has.

extern "C" {
PG_FUNCTION_INFO_V1(parity_greater_bound);
}

namespace parity::backend {
namespace {

std::span<const core::Form> forms_argument(ArrayType* array) {
    std::span<char* const> names = text_array(array, "forms");
    auto* forms = allocate_array<core::Form>(CurrentMemoryContext, names.size() + 1);
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::optional<core::Form> form = core::form_by_name(names[i]);
        if (!form)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no form \"%s\"", names[i])));
        forms[i] = *form;
    }
    return {forms, names.size()};
}

void require(core::BoundStatus status) {
    if (status != core::BoundStatus::kOk)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("the bounds cannot be compared: %s", core::describe(status).data())));
}

core::ByteView bytes_of(const bytea* value) {
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(value)),
            static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_greater_bound(PG_FUNCTION_ARGS) {
    bytea* first = PG_GETARG_BYTEA_PP(0);
    bytea* second = PG_GETARG_BYTEA_PP(1);
    std::span<const parity::core::Form> forms = forms_argument(PG_GETARG_ARRAYTYPE_P(2));
    parity::core::ByteView a = bytes_of(first);
    parity::core::ByteView b = bytes_of(second);
    require(parity::core::check_bound(a, forms));
    require(parity::core::check_bound(b, forms));
    if (a[0] != b[0]) require(parity::core::BoundStatus::kMixedKinds);
    PG_RETURN_BYTEA_P(parity::core::compare_bounds(a, b, forms) >= 0 ? first : second);
}
