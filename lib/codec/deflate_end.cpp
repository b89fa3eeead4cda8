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
using Code = DeflateWalker::Code;
using Kind = Symbol::Kind;

constexpr unsigned longest_code = 15;
constexpr std::size_t literal_codes = 288;
constexpr std::size_t distance_codes = 32;
constexpr std::size_t length_codes = 19;
constexpr std::size_t end_of_block = 256;
constexpr std::uint64_t index_mask = DeflateWalker::table_size - 1;
constexpr std::uint16_t distance_table = DeflateWalker::table_size;
constexpr unsigned longest_symbol = 28;  // a distance with its extra bits
constexpr unsigned peeked_bits = 57;

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

// What each code value stands for, without the bits of the code itself.
Symbol literal_symbol(std::size_t value) {
    if (value < end_of_block) return {Kind::known, 0, 0};
    if (value == end_of_block) return {Kind::end, 0, 0};
    const std::size_t length = value - end_of_block - 1;
    return length < length_extra.size() ? Symbol{Kind::known, length_extra[length], distance_table} : Symbol{};
}
Symbol distance_symbol(std::size_t value) {
    return value < distance_extra.size() ? Symbol{Kind::known, distance_extra[value], 0} : Symbol{};
}
Symbol length_symbol(std::size_t value) {
    return {Kind::known, 0, static_cast<std::uint16_t>(value)};
}
using SymbolOf = Symbol (*)(std::size_t);
using Symbols = std::span<Symbol, DeflateWalker::table_size>;

unsigned reversed(unsigned code, unsigned bits) noexcept {
    unsigned result = 0;
    for (unsigned i = 0; i < bits; ++i) result |= ((code >> i) & 1U) << (bits - 1 - i);
    return result;
}

// RFC 1951, 3.2.2. Fails when codes would share their beginnings. A code that is not complete leaves unknown symbols of
// no bits; whoever meets one fails.
Status build(Symbols symbols, Code& codes, std::span<const std::uint8_t> lengths, SymbolOf symbol_of) {
    codes.counts.fill(0);
    for (const auto length : lengths) ++codes.counts[length];
    codes.counts[0] = 0;
    std::array<unsigned, longest_code + 1> next_code{};
    std::array<unsigned, longest_code + 1> next_place{};
    for (unsigned bits = 1; bits <= longest_code; ++bits) {
        next_code[bits] = (next_code[bits - 1] + codes.counts[bits - 1]) << 1U;
        next_place[bits] = next_place[bits - 1] + codes.counts[bits - 1];
        if (next_code[bits] + codes.counts[bits] > 1U << bits) return damaged();
    }
    std::fill(symbols.begin(), symbols.end(), Symbol{});
    for (std::size_t value = 0; value < lengths.size(); ++value) {
        const unsigned bits = lengths[value];
        if (bits == 0) continue;
        codes.sorted[next_place[bits]++] = static_cast<std::uint16_t>(value);
        const unsigned code = next_code[bits]++;
        if (bits > DeflateWalker::index_bits) continue;
        Symbol symbol = symbol_of(value);
        symbol.bits = static_cast<std::uint8_t>(symbol.bits + bits);
        for (std::size_t at = reversed(code, bits); at < symbols.size(); at += std::size_t{1} << bits)
            symbols[at] = symbol;
    }
    return {};
}

bool is_literal(const Symbol& symbol) noexcept {
    return symbol.kind == Kind::known && symbol.next == 0;
}

// Literals that follow one another within the index are one symbol.
void join_literals(Symbols symbols) {
    // From the back: what is looked up stands before what is written, or is the same.
    for (std::size_t at = symbols.size(); at-- > 0;) {
        Symbol& symbol = symbols[at];
        if (!is_literal(symbol)) continue;
        const Symbol next = symbols[at >> symbol.bits];
        if (is_literal(next) && symbol.bits + next.bits <= int{DeflateWalker::index_bits})
            symbol.bits = static_cast<std::uint8_t>(symbol.bits + next.bits);
    }
}

// The symbol of a code that is longer than the index, or unknown: bit by bit, as long as there is a code that long.
Symbol find_long(const Code& codes, std::uint64_t bits, SymbolOf symbol_of) {
    unsigned code = 0;
    unsigned first = 0;
    unsigned place = 0;
    for (unsigned length = 1; length <= longest_code; ++length) {
        code |= static_cast<unsigned>((bits >> (length - 1)) & 1U);
        const unsigned count = codes.counts[length];
        if (code < first + count) {
            Symbol symbol = symbol_of(codes.sorted[place + code - first]);
            symbol.bits = static_cast<std::uint8_t>(symbol.bits + length);
            return symbol;
        }
        place += count;
        first = (first + count) << 1U;
        code <<= 1U;
    }
    return {};
}

}  // namespace

class DeflateWalker::Walk {
  public:
    Walk(Tables& tables, Bytes bytes) : tables_(tables), bytes_(bytes), end_(std::uint64_t{8} * bytes.size()) {}

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
        if (auto status = build(tables_.lengths, tables_.length_code, code, length_symbol); !status) return status;
        std::array<std::uint8_t, literal_codes + distance_codes> lengths{};
        if (literals > literal_codes) return damaged();
        if (auto status = take_lengths(std::span(lengths).first(literals + distances)); !status) return status;
        return skip_symbols(std::span(lengths).first(literals), std::span(lengths).subspan(literals, distances));
    }

    // RFC 1951, 3.2.7: 16 repeats the length before, 17 and 18 are runs of zeros.
    Status take_lengths(std::span<std::uint8_t> lengths) {
        for (std::size_t i = 0; i < lengths.size();) {
            const Symbol symbol = tables_.lengths[peek() & index_mask];
            if (symbol.kind == Kind::unknown || position_ > end_) return damaged();
            position_ += symbol.bits;
            const auto value = static_cast<std::uint8_t>(symbol.next);
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
        const std::span symbols(tables_.symbols);
        const auto literals = symbols.first<table_size>();
        if (auto status = build(literals, tables_.literal_code, literal_lengths, literal_symbol); !status)
            return status;
        if (auto status = build(symbols.last<table_size>(), tables_.distance_code, distance_lengths, distance_symbol);
            !status)
            return status;
        join_literals(literals);
        std::size_t table = 0;
        while (position_ <= end_) {
            std::uint64_t word = peek();
            unsigned used = 0;
            // One way for all symbols: which of them comes next cannot be foreseen by a processor.
            while (used <= peeked_bits - longest_symbol) {
                Symbol symbol = symbols[table + (word & index_mask)];
                if (symbol.kind != Kind::known) {
                    if (symbol.kind == Kind::unknown) symbol = table == 0 ? long_literal(word) : long_distance(word);
                    if (symbol.kind == Kind::unknown) return damaged();
                    if (symbol.kind == Kind::end) {
                        position_ += used + symbol.bits;
                        return {};
                    }
                }
                word >>= symbol.bits;
                used += symbol.bits;
                table = symbol.next;
            }
            position_ += used;
        }
        return Error(ErrorCode::corrupt, "the compressed data ends too early");
    }

    [[nodiscard]] Symbol long_literal(std::uint64_t bits) const {
        return find_long(tables_.literal_code, bits, literal_symbol);
    }
    [[nodiscard]] Symbol long_distance(std::uint64_t bits) const {
        return find_long(tables_.distance_code, bits, distance_symbol);
    }

    Tables& tables_;
    Bytes bytes_;
    std::uint64_t end_;
    std::uint64_t position_ = 0;
};

base::Result<LastBlock> DeflateWalker::last_block(Bytes deflate) {
    return Walk(*tables_, deflate).last_block();
}

void leave_open(std::vector<std::byte>& deflate, const LastBlock& last) {
    deflate[last.begin / 8] &= ~(std::byte{1} << (last.begin % 8));
    // The three bits 000 of a stored block that is not final, and zeros up to a whole byte.
    deflate.resize((last.end + 3 + 7) / 8);
    if (last.end % 8 != 0) deflate[last.end / 8] &= static_cast<std::byte>((1U << (last.end % 8)) - 1);
    for (const unsigned byte : {0U, 0U, 0xffU, 0xffU}) deflate.push_back(static_cast<std::byte>(byte));
}

}  // namespace pgbakd::codec
