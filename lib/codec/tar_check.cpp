// A tar of files: every header, every name, the end mark. Of the files' own bytes a tar has no checksum.
#include "codec/archive_check.hpp"
#include "codec/tar_reader.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

class TarCheck final : public Check {
  public:
    Status write(Bytes bytes) override {
        result_.raw_bytes += bytes.size();
        return reader_.write(bytes);
    }
    Status finish() override {
        if (auto status = reader_.finish(); !status) return status;
        result_.members = counter_.members;
        if (counter_.members == 0) return Error(ErrorCode::corrupt, "there is nothing in the tar");
        return {};
    }
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    struct Counter final : TarHandler {
        Status on_begin(const TarEntry& /*entry*/) override {
            ++members;
            return {};
        }
        Status on_bytes(Bytes /*bytes*/) override { return {}; }
        Status on_end() override { return {}; }
        std::uint64_t members = 0;
    };
    Counter counter_;
    TarReader reader_{counter_};
    CheckResult result_;
};

}  // namespace

std::unique_ptr<Check> make_tar_check() {
    return std::make_unique<TarCheck>();
}

}  // namespace pgbakd::codec
