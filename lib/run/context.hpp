// What the stages of one run share: its report, its set that grows, and how it tells what happens. Execution owns it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/retry.hpp"
#include "model/backup_set.hpp"
#include "repository/repository.hpp"
#include "run/cipher.hpp"
#include "run/preflight.hpp"
#include "run/services.hpp"
#include "run/stages.hpp"
#include "source/source.hpp"

namespace pgbakd::run {

struct Context {
    Context(Services& the_services, Request the_request, model::RunReport the_report,
            std::shared_ptr<Progress> the_progress);
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    Services& services;
    Request request;
    const model::JobSpec& job;
    model::RunReport report;
    std::shared_ptr<Progress> progress;
    StageLog stages;
    // From preflight on:
    std::unique_ptr<source::Source> source;
    Ready ready;
    std::optional<Cipher> cipher;  // of encrypted artifacts
    // From dump on; the partial directory until it was committed:
    std::optional<repository::Repository::Partial> partial;
    model::BackupSet set;
    std::optional<base::Error> first_failure;  // of a part, where the others went on
    bool disturbed = false;                    // what was read changed meanwhile: the run is told with a warning

    [[nodiscard]] Event make_event(Event::Kind kind, std::string message) const;
    // Tells the observer. Never throws: a line of the log that fails to be written ends no run.
    void observe(const Event& event) const noexcept;
    // An event of the stage under way.
    void emit(Event::Kind kind, std::string message, std::string hint = {}) const;
    // Into the report and to the observer.
    void note(const std::string& text);
    // The set goes on without this part. `database` is empty for globals.
    void part_failed(const std::string& database, const base::Error& error);
};

// Waits before the next attempt at `what`, or throws the failure when there is to be none.
asio::awaitable<void> wait_or_rethrow(Context& context, async::Backoff& backoff, std::exception_ptr failure,
                                      std::string what, async::StopToken stop);

}  // namespace pgbakd::run
