#include "run/stages.hpp"

#include <algorithm>
#include <utility>

namespace pgbakd::run {

StageLog::StageLog(const base::Clock& clock, model::RunReport& report, std::shared_ptr<Progress> progress)
    : clock_(clock), report_(report), progress_(std::move(progress)) {}

void StageLog::begin(model::StageName name) {
    model::StageReport stage;
    stage.name = name;
    stage.status = "running";
    stage.started_at = clock_.now();
    began_ = clock_.steady();
    report_.stages.push_back(std::move(stage));
    progress_->stage = std::string(model::stage_text(name));
    progress_->stages = report_.stages;
    open_ = true;
    if (progress_->on_stage) progress_->on_stage();
}

void StageLog::close(std::string status, std::uint64_t bytes, std::string message) {
    if (!open_) return;
    open_ = false;
    auto& stage = report_.stages.back();
    stage.status = std::move(status);
    stage.bytes = bytes;
    stage.message = std::move(message);
    stage.duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - began_);
    progress_->stages = report_.stages;
}

void StageLog::end(std::uint64_t bytes, std::string message, int attempts) {
    if (open_) report_.stages.back().attempts = std::max(report_.stages.back().attempts, attempts);
    close("ok", bytes, std::move(message));
}

void StageLog::fail(const base::Error& error) {
    close("failed", 0, error.message());
}

void StageLog::skip(model::StageName name, std::string why) {
    begin(name);
    close("skipped", 0, std::move(why));
}

void StageLog::set_attempts(int attempts) noexcept {
    if (open_) report_.stages.back().attempts = std::max(report_.stages.back().attempts, attempts);
}

}  // namespace pgbakd::run
