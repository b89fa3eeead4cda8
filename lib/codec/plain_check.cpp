// A dump as SQL has no structure to read to its end, but pg_dump and pg_dumpall write a last comment when all went
// well (pg_backup_archiver.c: RestoreArchive; pg_dumpall.c: main). Behind it, minor versions since August 2025 put a
// "\unrestrict TOKEN" line.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "codec/archive_check.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

class PlainCheck final : public Check {
  public:
    PlainCheck(std::string_view beginning, std::string_view ending) : beginning_(beginning), ending_(ending) {}

    Status write(Bytes bytes) override {
        result_.raw_bytes += bytes.size();
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        head_ += text.substr(0, kept - std::min(kept, head_.size()));
        if (text.size() >= kept) {
            tail_ = text.substr(text.size() - kept);
        } else {
            tail_ += text;
            // Cut only now and then: moving 4 KiB for each byte written would be a waste.
            if (tail_.size() > 4 * kept) tail_.erase(0, tail_.size() - kept);
        }
        return {};
    }

    Status finish() override {
        if (result_.raw_bytes == 0) return Error(ErrorCode::corrupt, "the dump is empty");
        if (!head_.starts_with(fmt::format("--\n-- {}\n--\n", beginning_)))
            return Error(ErrorCode::corrupt, fmt::format("the dump does not begin with \"-- {}\"", beginning_));
        std::string_view rest = base::trim(tail_);
        const auto last_line = rest.substr(rest.find_last_of('\n') + 1);
        if (last_line.starts_with("\\unrestrict ")) rest = base::trim(rest.substr(0, rest.size() - last_line.size()));
        if (!rest.ends_with(fmt::format("\n--\n-- {}\n--", ending_)))
            return Error(ErrorCode::corrupt,
                         fmt::format("the dump does not end with \"-- {}\": it is cut off after {} bytes", ending_,
                                     result_.raw_bytes));
        return {};
    }

    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    static constexpr std::size_t kept = 4096;
    std::string_view beginning_;
    std::string_view ending_;
    std::string head_;
    std::string tail_;
    CheckResult result_;
};

}  // namespace

std::unique_ptr<Check> make_plain_check(std::string_view beginning, std::string_view ending) {
    return std::make_unique<PlainCheck>(beginning, ending);
}

}  // namespace pgbakd::codec
