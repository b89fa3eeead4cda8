// A tar of files: every header, every name, the end mark. Of the files' own bytes a tar has no checksum.
#include <fmt/format.h>

#include <utility>

#include "codec/archive_check.hpp"
#include "codec/tar_reader.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

class TarCheck final : public Check {
  public:
    explicit TarCheck(std::string required) : counter_(std::move(required)) {}
    Status write(Bytes bytes) override {
        result_.raw_bytes += bytes.size();
        return reader_.write(bytes);
    }
    Status finish() override {
        if (auto status = reader_.finish(); !status) return status;
        result_.members = counter_.members;
        if (counter_.members == 0) return Error(ErrorCode::corrupt, "there is nothing in the tar");
        if (!counter_.required.empty() && !counter_.found)
            return Error(ErrorCode::corrupt, fmt::format("{} is missing, or empty", counter_.required));
        return {};
    }
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    struct Counter final : TarHandler {
        explicit Counter(std::string name) : required(std::move(name)) {}
        Status on_begin(const TarEntry& entry) override {
            ++members;
            if (entry.type == TarType::file && entry.size > 0 && entry.path == required) found = true;
            return {};
        }
        Status on_bytes(Bytes /*bytes*/) override { return {}; }
        Status on_end() override { return {}; }
        std::uint64_t members = 0;
        std::string required;
        bool found = false;
    };
    Counter counter_;
    TarReader reader_{counter_};
    CheckResult result_;
};

}  // namespace

std::unique_ptr<Check> make_tar_check(std::string required) {
    return std::make_unique<TarCheck>(std::move(required));
}

}  // namespace pgbakd::codec
