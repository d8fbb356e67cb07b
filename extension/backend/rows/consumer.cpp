#include "backend/rows/consumer.h"

#include "backend/memory.h"

namespace parity::backend {
namespace {

std::span<const RowInput> make_inputs(std::span<const TaskColumn> columns, std::size_t first) {
    RowInput* inputs = allocate_array<RowInput>(CurrentMemoryContext, columns.size() + 1);
    for (std::size_t i = 0; i < columns.size(); ++i)
        inputs[i] = {static_cast<int>(first + i), columns[i].type, columns[i].reader};
    return {inputs, columns.size()};
}

}  // namespace

RowHasher make_row_hasher(const DigestTask& task) {
    return RowHasher(task.spec, make_inputs(task.key, 0), make_inputs(task.columns, task.key.size()),
                     CurrentMemoryContext);
}

}  // namespace parity::backend
