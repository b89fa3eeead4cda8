// The stages of a run as its report tells them.
#pragma once

#include "model/run.hpp"
#include "run/services.hpp"

namespace pgbakd::run {

// Notes when a stage began and how it ended, in the report and in the progress.
class StageLog {
  public:
    StageLog(const base::Clock& clock, model::RunReport& report, std::shared_ptr<Progress> progress);
    void begin(model::StageName name);
    void end(std::uint64_t bytes, std::string message, int attempts = 1);
    // The stage that is open, if any, failed.
    void fail(const base::Error& error);
    void skip(model::StageName name, std::string why);
    void set_attempts(int attempts) noexcept;

  private:
    void close(std::string status, std::uint64_t bytes, std::string message);
    const base::Clock& clock_;
    model::RunReport& report_;
    std::shared_ptr<Progress> progress_;
    bool open_ = false;
    base::SteadyTime began_{};
};

}  // namespace pgbakd::run
