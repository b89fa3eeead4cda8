// A list of texts as libcurl wants it: headers, recipients, commands of SFTP.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <new>
#include <string>

namespace pgbakd::http {

class StringList {
  public:
    void append(const std::string& text) {
        curl_slist* const longer = curl_slist_append(list_.get(), text.c_str());
        if (longer == nullptr) throw std::bad_alloc();
        (void)list_.release();  // the longer list is the same one
        list_.reset(longer);
    }
    void clear() noexcept { list_.reset(); }
    // Null if it is empty. Must outlive the transfer that was given it.
    [[nodiscard]] curl_slist* get() const noexcept { return list_.get(); }

  private:
    struct Free {
        void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
    };
    std::unique_ptr<curl_slist, Free> list_;
};

}  // namespace pgbakd::http
