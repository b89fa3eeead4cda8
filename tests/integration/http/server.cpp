#include "integration/http/server.hpp"

#include <stdexcept>

namespace pgbakd::http::testing {
namespace {

asio::awaitable<void> one_after_another(Client& client, std::vector<Request> requests, async::StopToken stop,
                                        std::vector<Response>& responses) {
    for (auto& request : requests) {
        auto response = co_await client.perform(std::move(request), stop);
        responses.push_back(std::move(response));
    }
}

std::vector<Response> run(std::vector<Request> requests, const Options& options, const async::StopToken& stop) {
    asio::io_context io;
    Client client(io.get_executor(), options);
    std::vector<Response> responses;
    std::exception_ptr failure;
    asio::co_spawn(io, one_after_another(client, std::move(requests), stop, responses),
                   [&failure](const std::exception_ptr& thrown) { failure = thrown; });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return responses;
}

}  // namespace

Server::Server() : script_("http_faults.py", directory_.path()) {}

const Server& server() {
    static const Server only;
    return only;
}

Response perform(Request request, Options options, async::StopToken stop) {
    std::vector<Request> requests;
    requests.push_back(std::move(request));
    return run(std::move(requests), options, stop).front();
}

std::vector<Response> perform_all(std::vector<Request> requests, Options options) {
    return run(std::move(requests), options, {});
}

base::Error failure_of(Request request, Options options) {
    try {
        const auto response = perform(std::move(request), std::move(options));
        throw std::logic_error("the request succeeded with status " + std::to_string(response.status));
    } catch (const base::Error& error) {
        return error;
    }
}

Request get(std::string url) {
    Request request;
    request.url = std::move(url);
    return request;
}

Request put(std::string url, std::string_view body) {
    Request request;
    request.method = "PUT";
    request.url = std::move(url);
    request.body = std::make_shared<MemoryBody>(body);
    return request;
}

}  // namespace pgbakd::http::testing
