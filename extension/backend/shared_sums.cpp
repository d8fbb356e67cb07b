#include "backend/shared_sums.h"

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

/// Several messages fit, so that one end works while the other does.
constexpr std::size_t kQueueBytes = 65536;
static_assert(kStretchWords * sizeof(core::u64) * 4 < kQueueBytes);

shm_mq* queue_of(void* room, int worker) {
    return reinterpret_cast<shm_mq*>(static_cast<char*>(room) + kQueueBytes * static_cast<std::size_t>(worker));
}

/// A worker that failed has told why.
[[noreturn]] void raise_unsent(ParallelContext* parallel) {
    WaitForParallelWorkersToFinish(parallel);
    elog(ERROR, "a parallel worker ended before it had sent its sums");
    pg_unreachable();
}

}  // namespace

std::size_t estimate_shared_sums(int workers) { return kQueueBytes * static_cast<std::size_t>(workers); }

void set_up_shared_sums(void* room, int workers) {
    for (int worker = 0; worker < workers; ++worker)
        shm_mq_set_receiver(shm_mq_create(queue_of(room, worker), kQueueBytes), MyProc);
}

void receive_sums(void* room, ParallelContext* parallel, const DigestMatrix& total) {
    for (int worker = 0; worker < parallel->nworkers_launched; ++worker) {
        shm_mq_handle* queue = shm_mq_attach(queue_of(room, worker), parallel->seg, parallel->worker[worker].bgwhandle);
        for_each_stretch(total, [&](std::size_t offset, std::size_t words) {
            Size bytes = 0;
            void* part = nullptr;
            if (shm_mq_receive(queue, &bytes, &part, false) != SHM_MQ_SUCCESS || bytes != words * sizeof(core::u64))
                raise_unsent(parallel);
            add_stretch(total, offset, words, static_cast<const core::u64*>(part));
        });
        shm_mq_detach(queue);
    }
}

/// Where the leader is gone nobody needs them.
void send_sums(void* room, dsm_segment* segment, const DigestMatrix& sums) {
    shm_mq* queue = queue_of(room, ParallelWorkerNumber);
    shm_mq_set_sender(queue, MyProc);
    shm_mq_handle* handle = shm_mq_attach(queue, segment, nullptr);
    bool received = true;
    for_each_stretch(sums, [&](std::size_t offset, std::size_t words) {
        received = received && send_to_queue(handle, words * sizeof(core::u64), sums.words + offset) == SHM_MQ_SUCCESS;
    });
    shm_mq_detach(handle);
}

}  // namespace parity::backend
