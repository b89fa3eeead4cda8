#include "admin/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "admin/table.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::size_t widest_bar = 30;
constexpr std::size_t narrowest_bar = 8;

std::string bar(double part, std::size_t width) {
    const auto inside = width - 2;
    const auto filled = std::min(inside, static_cast<std::size_t>(part * static_cast<double>(inside)));
    std::string text(filled, '=');
    if (filled < inside) text += '>';
    text.resize(inside, ' ');
    return "[" + text + "]";
}

}  // namespace

std::string progress_line(const ProgressState& state, std::size_t columns) {
    // The last column stays free: some terminals wrap when it is written.
    const auto room = columns > 1 ? columns - 1 : 0;
    std::string figures;
    double part = 0;
    // What was expected is an estimate: once it is exceeded nothing is known of the end.
    const bool has_end = state.total > 0 && state.done <= state.total;
    if (has_end) {
        part = static_cast<double>(state.done) / static_cast<double>(state.total);
        figures = fmt::format("{:3.0f} %  {} of {}", part * 100, base::format_size(state.done),
                              base::format_size(state.total));
    } else if (state.done > 0) {
        figures = base::format_size(state.done);
    } else if (state.elapsed > std::chrono::milliseconds{0}) {
        figures = base::format_duration(std::chrono::floor<std::chrono::seconds>(state.elapsed));
    }
    if (state.rate > 0) figures += fmt::format("  {}/s", base::format_size(state.rate));
    const auto what = base::printable(state.what);
    auto plain = figures.empty() ? what : what + "  " + figures;
    const auto width = display_width(plain);
    if (width > room) return base::clamp_utf8(plain, room);
    const auto left = room - width;
    if (!has_end || left < narrowest_bar + 2) return plain;
    return fmt::format("{}  {}  {}", what, bar(part, std::min(widest_bar, left - 2)), figures);
}

ProgressBar::ProgressBar(Context& context) : context_(context), began_(context.around.clock.steady()) {}

ProgressBar::~ProgressBar() {
    if (drawn_) context_.err << "\r\033[K" << std::flush;
}

std::chrono::milliseconds ProgressBar::elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(context_.around.clock.steady() - began_);
}

void ProgressBar::show(const ProgressState& state) {
    if (!context_.progress) return;
    const auto now = context_.around.clock.steady();
    if (now - began_ < patience || (drawn_ && now - drawn_at_ < pace)) return;
    drawn_ = true;
    drawn_at_ = now;
    context_.err << '\r' << progress_line(state, context_.around.columns) << "\033[K" << std::flush;
}

}  // namespace pgbakd::admin
