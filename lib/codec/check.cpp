#include "codec/check.hpp"

#include "codec/archive_check.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// Any bytes but none at all.
class RawCheck final : public Check {
  public:
    Status write(Bytes bytes) override {
        result_.raw_bytes += bytes.size();
        return {};
    }
    Status finish() override { return {}; }
    [[nodiscard]] const CheckResult& result() const noexcept override { return result_; }

  private:
    CheckResult result_;
};

// The whole file: its outer compression, then its content.
class FileCheck final : public Check {
  public:
    FileCheck(Method method, std::unique_ptr<Check> content)
        : content_(std::move(content)), decoder_(make_decoder(method, *content_)) {}
    Status write(Bytes bytes) override {
        offset_ += bytes.size();
        return decoder_->write(bytes);
    }
    Status finish() override {
        if (offset_ == 0) return Error(ErrorCode::corrupt, "the file is empty");
        return decoder_->finish();
    }
    [[nodiscard]] const CheckResult& result() const noexcept override { return content_->result(); }

  private:
    std::unique_ptr<Check> content_;
    std::unique_ptr<Sink> decoder_;
    std::uint64_t offset_ = 0;
};

std::unique_ptr<Check> make_content_check(Content content) {
    switch (content) {
        case Content::custom_archive: return make_custom_archive_check();
        case Content::directory_archive: return make_directory_archive_check();
        case Content::plain_dump:
            return make_plain_check("PostgreSQL database dump", "PostgreSQL database dump complete");
        case Content::plain_globals:
            return make_plain_check("PostgreSQL database cluster dump", "PostgreSQL database cluster dump complete");
        case Content::tar: return make_tar_check();
        case Content::backup_manifest: return make_manifest_check();
        case Content::taosdump: return make_tar_check("dbs.sql");
        case Content::raw: break;
    }
    return std::make_unique<RawCheck>();
}

}  // namespace

std::unique_ptr<Check> make_check(Content content, Method method) {
    return make_check(make_content_check(content), method);
}

std::unique_ptr<Check> make_check(std::unique_ptr<Check> content, Method method) {
    return std::make_unique<FileCheck>(method, std::move(content));
}

}  // namespace pgbakd::codec
