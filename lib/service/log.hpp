// The one place that logs: entries with fields into the journal under systemd, lines on standard error elsewhere.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/services.hpp"
#include "systemd/journal.hpp"

namespace pgbakd::service {

using systemd::Field;
using systemd::Priority;

class Log {
  public:
    // `to_stderr`: even if standard error leads to the journal.
    explicit Log(bool to_stderr);
    ~Log();

    void write(Priority priority, const std::string& message, const std::optional<systemd::MessageId>& id = {},
               const std::vector<Field>& fields = {});
    // The message, and the hint as a line of its own.
    void problem(Priority priority, const base::Error& error, const std::optional<systemd::MessageId>& id = {},
                 const std::vector<Field>& fields = {});
    // A run's event as a line of the story, with its fields.
    void event(const run::Event& event);

  private:
    struct Sinks;
    std::unique_ptr<Sinks> sinks_;
};

}  // namespace pgbakd::service
