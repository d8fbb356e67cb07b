#include "backend/scan/shared_sums.h"

#include <algorithm>

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

/// Several messages fit, so that one end works while the other does.
constexpr std::size_t kMostQueueBytes = 65536;
static_assert(kChunkWords * sizeof(core::u64) * 4 < kMostQueueBytes);

/// What stands for zeros in a row: of pages that lie together a worker reads few ranges, out of many.
constexpr core::u64 kNothing = 0;

/// Few sums fit as a whole.
std::size_t queue_bytes(const DigestMatrix& shape) {
    constexpr std::size_t kChunkBytes = kChunkWords / 2 * sizeof(core::u64);
    constexpr std::size_t kHeaders = 512 + kMostQueueBytes / kChunkBytes * sizeof(Size);  // the queue's, and messages'
    return std::min(kMostQueueBytes, BUFFERALIGN(kHeaders + shape.bytes()));
}

shm_mq* queue_of(void* room, const DigestMatrix& shape, int worker) {
    return reinterpret_cast<shm_mq*>(static_cast<char*>(room) + queue_bytes(shape) * static_cast<std::size_t>(worker));
}

/// The queues of a parallel context, for the process that receives.
class Receiver {
  public:
    Receiver(void* room, ParallelContext* parallel, const DigestMatrix& total)
        : room_(room), parallel_(parallel), total_(total) {}

    void receive_all() {
        for (int worker = 0; worker < parallel_->nworkers_launched; ++worker) receive(worker);
    }

  private:
    void receive(int worker) {
        shm_mq_handle* queue = attach(worker, parallel_->worker[worker].bgwhandle);
        for_each_chunk(total_, [&](std::size_t offset, std::size_t words) {
            Size bytes = 0;
            void* part = nullptr;
            if (shm_mq_receive(queue, &bytes, &part, false) != SHM_MQ_SUCCESS) raise_unsent(worker, queue);
            if (bytes == words * sizeof(core::u64))
                add_chunk(total_, offset, words, static_cast<const core::u64*>(part));
            else if (bytes != sizeof kNothing)
                raise_unsent(worker, queue);
        });
        shm_mq_detach(queue);
    }

    shm_mq_handle* attach(int worker, BackgroundWorkerHandle* handle) {
        return shm_mq_attach(queue_of(room_, total_, worker), parallel_->seg, handle);
    }

    /// A worker that failed has told why. The others end once nobody receives from them any more.
    [[noreturn]] void raise_unsent(int worker, shm_mq_handle* queue) {
        shm_mq_detach(queue);
        while (++worker < parallel_->nworkers_launched) shm_mq_detach(attach(worker, nullptr));
        WaitForParallelWorkersToFinish(parallel_);
        elog(ERROR, "a parallel worker ended before it had sent its sums");
        pg_unreachable();
    }

    void* room_;
    ParallelContext* parallel_;
    const DigestMatrix& total_;
};
static_assert(std::is_trivially_destructible_v<Receiver>);

}  // namespace

std::size_t estimate_shared_sums(const DigestMatrix& shape, int workers) {
    return queue_bytes(shape) * static_cast<std::size_t>(workers);
}

void set_up_shared_sums(void* room, const DigestMatrix& shape, int workers) {
    for (int worker = 0; worker < workers; ++worker)
        shm_mq_set_receiver(shm_mq_create(queue_of(room, shape, worker), queue_bytes(shape)), MyProc);
}

/// One worker may wait with its sums while another one never started: that has to be found out first.
void receive_sums(void* room, ParallelContext* parallel, const DigestMatrix& total) {
    WaitForParallelWorkersToAttach(parallel);
    Receiver(room, parallel, total).receive_all();
}

/// Where the leader is gone nobody needs them.
void send_sums(void* room, dsm_segment* segment, const DigestMatrix& sums) {
    shm_mq* queue = queue_of(room, sums, ParallelWorkerNumber);
    shm_mq_set_sender(queue, MyProc);
    shm_mq_handle* handle = shm_mq_attach(queue, segment, nullptr);
    bool received = true;
    for_each_chunk(sums, [&](std::size_t offset, std::size_t words) {
        const core::u64* from = sums.words + offset;
        const bool nothing = std::all_of(from, from + words, [](core::u64 word) { return word == 0; });
        received = received && (nothing ? send_to_queue(handle, sizeof kNothing, &kNothing)
                                        : send_to_queue(handle, words * sizeof *from, from)) == SHM_MQ_SUCCESS;
    });
    shm_mq_detach(handle);
}

}  // namespace parity::backend
