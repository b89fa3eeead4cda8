// A prefix of a bucket of a real S3 server, as a place of the conformance suite.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "s3_server.hpp"
#include "target/s3_client.hpp"

namespace contract {

// Credentials that change while the target has them, as when a policy changes.
class ChangingCredentials final : public pgbakd::target::CredentialSource {
  public:
    explicit ChangingCredentials(pgbakd::target::Credentials credentials) : now(std::move(credentials)) {}
    pgbakd::asio::awaitable<pgbakd::target::Credentials> get(pgbakd::async::StopToken) override { co_return now; }
    [[nodiscard]] bool discard() override { return false; }
    pgbakd::target::Credentials now;
};

class S3Place {
  public:
    static constexpr bool hides_unfinished = true;

    explicit S3Place(S3Kind kind);

    std::shared_ptr<pgbakd::target::Target> open(const pgbakd::asio::any_io_executor& executor,
                                                 pgbakd::async::Pool& pool);
    [[nodiscard]] std::size_t leftovers() const;
    // Multipart uploads with one part; how old they are is not for us to say: see moment().
    void leave_upload(const std::string& name, std::size_t size, std::chrono::hours age) const;
    // An instant between what was left before this call and what is left after it.
    [[nodiscard]] static pgbakd::base::Timestamp moment(std::chrono::hours age);
    void fill(const std::vector<std::string>& keys) const;
    // Puts an object by a plain call that says this of its content.
    void put_with_md5(const std::string& name, const std::string& content, const std::string& content_md5) const;
    void forbid_writing();

    [[nodiscard]] const S3Server& server() const { return *server_; }
    [[nodiscard]] const std::string& prefix() const { return prefix_; }
    // The options that open() uses: to be changed before that.
    pgbakd::target::S3Options options;

  private:
    const S3Server* server_;
    std::string prefix_;
    std::shared_ptr<ChangingCredentials> credentials_;
};

class S3OnRgw : public S3Place {
  public:
    static std::string missing() { return S3Server::of(S3Kind::rgw).missing(); }
    S3OnRgw() : S3Place(S3Kind::rgw) {}
};

class S3OnSwift : public S3Place {
  public:
    static constexpr int many = 1200;
    static std::string missing() { return S3Server::of(S3Kind::swift).missing(); }
    S3OnSwift() : S3Place(S3Kind::swift) {}
};

}  // namespace contract
