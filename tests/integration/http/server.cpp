#include "integration/http/server.hpp"

#include <poll.h>
#include <unistd.h>

#include <stdexcept>

namespace pgbakd::http::testing {
namespace {

os::Child start(const std::filesystem::path& directory) {
    os::Command command{
        .argv = {"/usr/bin/python3", "-B", PGBAKD_SOURCE_DIR "/tests/support/http_faults.py", directory.native()},
        .environment = {},
        .working_directory = {}};
    command.feed_input = true;  // it ends when this is closed
    return os::Child::spawn(command);
}

std::string first_line(os::Child& child) {
    std::string text;
    while (text.find('\n') == std::string::npos) {
        struct pollfd wanted {
            child.output().get(), POLLIN, 0
        };
        if (::poll(&wanted, 1, 30000) <= 0) throw std::runtime_error("the scripted server does not start");
        char buffer[256];
        const auto count = ::read(child.output().get(), buffer, sizeof buffer);
        if (count <= 0) throw std::runtime_error("the scripted server has ended");
        text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
}

std::string value_of(const std::string& line, const std::string& name) {
    const auto begin = line.find(name + "=") + name.size() + 1;
    return line.substr(begin, line.find_first_of(" \n", begin) - begin);
}

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

Server::Server() : child_(start(directory_.path())) {
    const auto line = first_line(child_);
    plain_ = value_of(line, "plain");
    ipv6_ = value_of(line, "ipv6");
    tls_ = value_of(line, "tls");
}

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
