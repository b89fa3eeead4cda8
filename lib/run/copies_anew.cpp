// What becomes of copies when a backup whose parts belong together is made anew.
#include "run/copies_destination.hpp"

namespace pgbakd::run {

asio::awaitable<void> Copies::begin_anew(async::StopToken stop) {
    for (const auto& destination : destinations_) {
        // The file of that name will be another one.
        for (const auto& file : destination->waiting) {
            file->withdraw();
            file->give_up();
        }
        destination->waiting.clear();
        if (destination->current) destination->current->withdraw();
        if (destination->sending) destination->sending->stop({base::ErrorCode::cancelled, "the backup is made anew"});
        destination->coming.clear();
        destination->way.sent.clear();
    }
    if (!only_there_) co_return;
    for (const auto& destination : destinations_) {
        while (destination->current) co_await destination->changed.wait(stop);
        // What is streamed takes nothing's place: there would be no second try.
        co_await remove_sent(*destination);
        destination->missing.clear();
        if (destination->target) destination->failure.reset();
    }
}

}  // namespace pgbakd::run
