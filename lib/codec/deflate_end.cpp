#include "codec/deflate_end.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using Symbol = DeflateWalker::Symbol;
using Kind = Symbol::Kind;

constexpr unsigned longest_code = 15;
constexpr std::size_t literal_codes = 288;
constexpr std::size_t distance_codes = 32;
constexpr std::size_t length_codes = 19;
constexpr std::size_t end_of_block = 256;

// RFC 1951, 3.2.7: in which order the lengths of the code for code lengths come.
constexpr std::array<std::uint8_t, length_codes> length_order{16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                              11, 4,  12, 3, 13, 2, 14, 1, 15};
// RFC 1951, 3.2.5: the extra bits of lengths (codes 257 to 285) and distances; codes beyond have no meaning.
constexpr std::array<std::uint8_t, 29> length_extra{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                    2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr std::array<std::uint8_t, 30> distance_extra{0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                      6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

Error damaged() {
    return {ErrorCode::corrupt, "the compressed data is damaged: what it says cannot be inflated"};
}

Symbol literal_symbol(std::size_t code) {
    if (code < end_of_block) return {Kind::literal, 0};
    if (code == end_of_block) return {Kind::end, 0};
    const std::size_t length = code - end_of_block - 1;
    return length < length_extra.size() ? Symbol{Kind::match, length_extra[length]} : Symbol{};
}
Symbol distance_symbol(std::size_t code) {
    return code < distance_extra.size() ? Symbol{Kind::match, distance_extra[code]} : Symbol{};
}
// The code's own value goes where others have their kind.
Symbol length_symbol(std::size_t code) {
    return {static_cast<Kind>(code), 0};
}

unsigned reversed(unsigned code, unsigned bits) noexcept {
    unsigned result = 0;
    for (unsigned i = 0; i < bits; ++i) result |= ((code >> i) & 1U) << (bits - 1 - i);
    return result;
}

// A table of as many bits as the longest code has, looked up by the bits that come next: RFC 1951, 3.2.2. Fails when
// codes would share their beginnings. A code that is not complete leaves entries of no bits; whoever meets one fails.
template <class SymbolOf>
Status build(std::vector<Symbol>& table, std::span<const std::uint8_t> lengths, SymbolOf symbol_of) {
    std::array<unsigned, longest_code + 1> count{};
    for (const auto length : lengths) ++count[length];
    count[0] = 0;
    unsigned longest = 1;
    std::array<unsigned, longest_code + 1> next{};
    unsigned code = 0;
    for (unsigned bits = 1; bits <= longest_code; ++bits) {
        code = (code + count[bits - 1]) << 1U;
        next[bits] = code;
        if (code + count[bits] > 1U << bits) return damaged();
        if (count[bits] > 0) longest = bits;
    }
    table.assign(std::size_t{1} << longest, {});
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        const unsigned bits = lengths[i];
        if (bits == 0) continue;
        Symbol symbol = symbol_of(i);
        symbol.bits = static_cast<std::uint8_t>(symbol.bits + bits);
        for (std::size_t at = reversed(next[bits]++, bits); at < table.size(); at += std::size_t{1} << bits)
            table[at] = symbol;
    }
    return {};
}

}  // namespace

class DeflateWalker::Walk {
  public:
    Walk(DeflateWalker& tables, Bytes bytes) : tables_(tables), bytes_(bytes), end_(std::uint64_t{8} * bytes.size()) {}

    base::Result<LastBlock> last_block() {
        for (;;) {
            const std::uint64_t begin = position_;
            const bool final = take(1) == 1;
            if (auto status = skip_block(take(2)); !status) return status.error();
            if (position_ > end_) return Error(ErrorCode::corrupt, "the compressed data ends too early");
            if (final) return LastBlock{begin, position_};
        }
    }

  private:
    // At least 57 bits from where we are; zeros behind the end, which whoever goes there is told of later.
    [[nodiscard]] std::uint64_t peek() const noexcept {
        const std::uint64_t at = position_ / 8;
        std::uint64_t word = 0;
        if (at + sizeof word <= bytes_.size())
            std::memcpy(&word, bytes_.data() + at, sizeof word);
        else if (at < bytes_.size())
            std::memcpy(&word, bytes_.data() + at, bytes_.size() - at);
        static_assert(std::endian::native == std::endian::little);
        return word >> (position_ % 8);
    }
    unsigned take(unsigned bits) noexcept {
        const auto value = static_cast<unsigned>(peek() & ((std::uint64_t{1} << bits) - 1));
        position_ += bits;
        return value;
    }

    Status skip_block(unsigned type) {
        switch (type) {
            case 0: return skip_stored();
            case 1: return skip_fixed();
            case 2: return skip_dynamic();
            default: return damaged();
        }
    }

    Status skip_stored() {
        position_ = (position_ + 7) / 8 * 8;
        const unsigned length = take(16);
        if (take(16) != (length ^ 0xffffU)) return damaged();
        position_ += std::uint64_t{8} * length;
        return {};
    }

    Status skip_fixed() {
        std::array<std::uint8_t, literal_codes> literals{};
        std::fill(literals.begin(), literals.end(), std::uint8_t{8});
        std::fill(literals.begin() + 144, literals.begin() + 256, std::uint8_t{9});
        std::fill(literals.begin() + 256, literals.begin() + 280, std::uint8_t{7});
        std::array<std::uint8_t, distance_codes> distances{};
        std::fill(distances.begin(), distances.end(), std::uint8_t{5});
        return skip_symbols(literals, distances);
    }

    Status skip_dynamic() {
        const std::size_t literals = take(5) + 257;
        const std::size_t distances = take(5) + 1;
        const std::size_t given = take(4) + 4;
        std::array<std::uint8_t, length_codes> code{};
        for (std::size_t i = 0; i < given; ++i) code[length_order[i]] = static_cast<std::uint8_t>(take(3));
        if (auto status = build(tables_.lengths_, code, length_symbol); !status) return status;
        std::array<std::uint8_t, literal_codes + distance_codes> lengths{};
        if (literals > literal_codes) return damaged();
        if (auto status = take_lengths(std::span(lengths).first(literals + distances)); !status) return status;
        return skip_symbols(std::span(lengths).first(literals), std::span(lengths).subspan(literals, distances));
    }

    // RFC 1951, 3.2.7: 16 repeats the length before, 17 and 18 are runs of zeros.
    Status take_lengths(std::span<std::uint8_t> lengths) {
        for (std::size_t i = 0; i < lengths.size();) {
            const Symbol symbol = tables_.lengths_[peek() & (tables_.lengths_.size() - 1)];
            if (symbol.bits == 0 || position_ > end_) return damaged();
            position_ += symbol.bits;
            const auto value = static_cast<std::uint8_t>(symbol.kind);
            if (value < 16) {
                lengths[i++] = value;
                continue;
            }
            if (value == 16 && i == 0) return damaged();
            const std::uint8_t repeated = value == 16 ? lengths[i - 1] : std::uint8_t{0};
            const std::size_t times = value == 16 ? take(2) + 3 : value == 17 ? take(3) + 3 : take(7) + 11;
            if (times > lengths.size() - i) return damaged();
            std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(i), times, repeated);
            i += times;
        }
        return {};
    }

    Status skip_symbols(std::span<const std::uint8_t> literal_lengths, std::span<const std::uint8_t> distance_lengths) {
        if (auto status = build(tables_.literals_, literal_lengths, literal_symbol); !status) return status;
        if (auto status = build(tables_.distances_, distance_lengths, distance_symbol); !status) return status;
        const Symbol* const literals = tables_.literals_.data();
        const Symbol* const distances = tables_.distances_.data();
        const std::uint64_t literal_mask = tables_.literals_.size() - 1;
        const std::uint64_t distance_mask = tables_.distances_.size() - 1;
        while (position_ <= end_) {
            std::uint64_t word = peek();
            Symbol symbol = literals[word & literal_mask];
            // Three literals are at most 45 bits, a match at most 48: what was peeked at has them all.
            if (symbol.kind == Kind::literal) {
                word >>= symbol.bits;
                position_ += symbol.bits;
                symbol = literals[word & literal_mask];
                if (symbol.kind == Kind::literal) {
                    word >>= symbol.bits;
                    position_ += symbol.bits;
                    symbol = literals[word & literal_mask];
                    if (symbol.kind == Kind::literal) position_ += symbol.bits;
                    continue;
                }
                word = peek();
            }
            if (symbol.kind == Kind::invalid) return damaged();
            position_ += symbol.bits;
            if (symbol.kind == Kind::end) return {};
            const Symbol distance = distances[(word >> symbol.bits) & distance_mask];
            if (distance.kind == Kind::invalid) return damaged();
            position_ += distance.bits;
        }
        return Error(ErrorCode::corrupt, "the compressed data ends too early");
    }

    DeflateWalker& tables_;
    Bytes bytes_;
    std::uint64_t end_;
    std::uint64_t position_ = 0;
};

base::Result<LastBlock> DeflateWalker::last_block(Bytes deflate) {
    return Walk(*this, deflate).last_block();
}

void leave_open(std::vector<std::byte>& deflate, const LastBlock& last) {
    deflate[last.begin / 8] &= ~(std::byte{1} << (last.begin % 8));
    // The three bits 000 of a stored block that is not final, and zeros up to a whole byte.
    deflate.resize((last.end + 3 + 7) / 8);
    if (last.end % 8 != 0) deflate[last.end / 8] &= static_cast<std::byte>((1U << (last.end % 8)) - 1);
    for (const unsigned byte : {0U, 0U, 0xffU, 0xffU}) deflate.push_back(static_cast<std::byte>(byte));
}

}  // namespace pgbakd::codec
