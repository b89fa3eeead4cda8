// The scripted server of tests/support/http_faults.py, and a reactor with a client to speak to it.
#pragma once

#include <string>
#include <vector>

#include "http/client.hpp"
#include "support/script.hpp"
#include "support/temporary_directory.hpp"

namespace pgbakd::http::testing {

class Server {
  public:
    Server();
    [[nodiscard]] std::string plain(const std::string& path) const {
        return "http://127.0.0.1:" + script_.port("plain") + path;
    }
    [[nodiscard]] std::string ipv6(const std::string& path) const {
        return "http://[::1]:" + script_.port("ipv6") + path;
    }
    [[nodiscard]] bool has_ipv6() const { return script_.port("ipv6") != "0"; }
    [[nodiscard]] std::string tls(const std::string& path, const std::string& host = "localhost") const {
        return "https://" + host + ":" + script_.port("tls") + path;
    }
    [[nodiscard]] std::string authority() const { return (directory_ / "ca.pem").native(); }

  private:
    support::TemporaryDirectory directory_;
    support::Script script_;
};

// One server for all cases of the program: it keeps nothing between requests.
const Server& server();

// The request to its end on a reactor of its own; throws what it threw.
Response perform(Request request, Options options = {}, async::StopToken stop = {});
// Several with one client, one after another.
std::vector<Response> perform_all(std::vector<Request> requests, Options options = {});
// The error of a request that has to fail.
base::Error failure_of(Request request, Options options = {});

Request get(std::string url);
Request put(std::string url, std::string_view body);

}  // namespace pgbakd::http::testing
