#include "service/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>

#include "base/text.hpp"

namespace pgbakd::service {
namespace {

spdlog::level::level_enum level_of(Priority priority) {
    switch (priority) {
        case Priority::error: return spdlog::level::err;
        case Priority::warning: return spdlog::level::warn;
        case Priority::notice:
        case Priority::info: return spdlog::level::info;
        case Priority::debug: return spdlog::level::debug;
    }
    return spdlog::level::info;
}

// What spdlog's message type has no room for; set for the length of one call. The log belongs to the reactor thread.
struct Extra {
    Priority priority = Priority::info;
    std::optional<systemd::MessageId> id;
    std::vector<Field> fields;
};

class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    explicit JournalSink(const Extra& extra) : extra_(extra), journal_("pgbakd") {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        // The journal may be down (restarting): the line then goes where systemd still reads it.
        if (!journal_.send(extra_.priority, text, extra_.id, extra_.fields)) {
            std::fwrite(text.data(), 1, text.size(), stderr);
            std::fputc('\n', stderr);
        }
    }
    void flush_() override {}

  private:
    const Extra& extra_;
    systemd::Journal journal_;
};

struct Kind {
    run::Event::Kind kind;
    Priority priority;
    std::optional<systemd::MessageId> id;
};
constexpr std::array kinds{
    Kind{run::Event::Kind::started, Priority::info, systemd::run_started},
    Kind{run::Event::Kind::note, Priority::warning, std::nullopt},
    Kind{run::Event::Kind::dumped, Priority::info, std::nullopt},
    Kind{run::Event::Kind::retrying, Priority::warning, std::nullopt},
    Kind{run::Event::Kind::uploaded, Priority::info, std::nullopt},
    Kind{run::Event::Kind::owed, Priority::warning, systemd::upload_owed},
    Kind{run::Event::Kind::not_copied, Priority::warning, systemd::upload_owed},
    Kind{run::Event::Kind::pruned, Priority::info, systemd::set_pruned},
    Kind{run::Event::Kind::succeeded, Priority::info, systemd::run_succeeded},
    Kind{run::Event::Kind::failed, Priority::error, systemd::run_failed},
    Kind{run::Event::Kind::skipped, Priority::warning, std::nullopt},
    Kind{run::Event::Kind::cancelled, Priority::warning, systemd::run_failed},
    Kind{run::Event::Kind::interrupted, Priority::warning, systemd::run_failed},
};

}  // namespace

struct Log::Sinks {
    Extra extra;
    std::unique_ptr<spdlog::logger> logger;
};

Log::Log(bool to_stderr) : sinks_(std::make_unique<Sinks>()) {
    spdlog::sink_ptr sink;
    if (!to_stderr && systemd::Journal::connected_to_stderr()) {
        sink = std::make_shared<JournalSink>(sinks_->extra);
    } else {
        sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
        sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
    }
    sinks_->logger = std::make_unique<spdlog::logger>("pgbakd", std::move(sink));
    sinks_->logger->flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::write(Priority priority, const std::string& message, const std::optional<systemd::MessageId>& id,
                const std::vector<Field>& fields) {
    sinks_->extra = {priority, id, fields};
    sinks_->logger->log(level_of(priority), "{}", message);
}

void Log::problem(Priority priority, const base::Error& error, const std::optional<systemd::MessageId>& id,
                  const std::vector<Field>& fields) {
    write(priority, error.hint().empty() ? error.message() : error.message() + "\n  hint: " + error.hint(), id, fields);
}

void Log::event(const run::Event& event) {
    std::vector<Field> fields{{"PGBAKD_JOB", event.job}, {"PGBAKD_RUN", event.run}};
    if (!event.stage.empty()) fields.push_back({"PGBAKD_STAGE", event.stage});
    if (!event.target.empty()) fields.push_back({"PGBAKD_TARGET", event.target});
    if (!event.set.empty()) fields.push_back({"PGBAKD_SET", event.set});
    if (event.bytes > 0) fields.push_back({"PGBAKD_BYTES", std::to_string(event.bytes)});
    if (event.duration.count() > 0) fields.push_back({"PGBAKD_DURATION_MS", std::to_string(event.duration.count())});
    for (const auto& kind : kinds) {
        if (kind.kind != event.kind) continue;
        const base::Error line(base::ErrorCode::internal, base::printable(event.job + ": " + event.message),
                               base::printable(event.hint));
        problem(kind.priority, line, kind.id, fields);
    }
}

}  // namespace pgbakd::service
