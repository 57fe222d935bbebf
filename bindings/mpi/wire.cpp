#include "wire.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace surrogate::mpi {

namespace {

constexpr std::size_t TEXT_BYTES = sizeof(Wire::text) - 1;

std::uint64_t fnv(const void *data, std::size_t bytes) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const auto *at = static_cast<const unsigned char *>(data), *end = at + bytes; at != end; ++at)
        hash = (hash ^ *at) * 0x100000001b3U;
    return hash;
}

/// Which of two statuses stands: errors before REJECTED before OK, then that of the lower rank.
bool worse(const Wire &a, const Wire &b) {
    const auto weight = [](std::int32_t status) { return status < 0 ? 2 : status > 0 ? 1 : 0; };
    if (weight(a.status) != weight(b.status))
        return weight(a.status) > weight(b.status);
    return a.rank < b.rank;
}

/// Whether `a` is told and not `b`: as guards judge, the input first (what is wrong there spreads to the frames of
/// other ranks), and values that are not finite before those out of bounds; then that of the lower rank.
bool told_before(const surrogate_mpi_rejection &a, const surrogate_mpi_rejection &b) {
    constexpr std::int32_t ORDER[] = {SURROGATE_REASON_INPUT_NOT_FINITE, SURROGATE_REASON_INPUT_OUT_OF_BOUNDS,
                                      SURROGATE_REASON_OUTPUT_NOT_FINITE, SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS};
    if (a.rank < 0 || b.rank < 0)
        return a.rank >= 0;
    const auto *first = std::find(std::begin(ORDER), std::end(ORDER), a.reason);
    const auto *second = std::find(std::begin(ORDER), std::end(ORDER), b.reason);
    return first != second ? first < second : a.rank < b.rank;
}

void merge_quantities(Wire &into, std::vector<std::uint64_t> &bits, const Wire &from, const char *rest) {
    const auto first = [&](std::size_t i) {
        std::uint64_t value = 0;
        std::memcpy(&value, rest + sizeof value * i, sizeof value);
        return value;
    };
    if (into.differing < 0 && from.differing >= 0) {
        into.differing = from.differing;
        into.differing_first = from.differing_first;
        into.differing_second = from.differing_second;
        std::copy(from.differing_bits, from.differing_bits + 2, into.differing_bits);
    }
    if (from.quantity_count == 0)
        return;
    const auto count = static_cast<std::size_t>(from.quantity_count);
    if (into.quantity_count == 0) {
        into.quantity_count = from.quantity_count;
        into.quantity_rank = from.quantity_rank;
        for (std::size_t i = 0; i < count; ++i)
            bits.push_back(first(i));
        return;
    }
    for (std::size_t i = 0; i < std::min(count, bits.size()) && into.differing < 0; ++i)
        if (bits[i] != first(i)) {
            into.differing = static_cast<std::int32_t>(i);
            into.differing_first = into.quantity_rank;
            into.differing_second = from.quantity_rank;
            into.differing_bits[0] = bits[i];
            into.differing_bits[1] = first(i);
        }
}

std::string value_text(Quantity::Kind kind, std::uint64_t bits) {
    if (kind == Quantity::INTEGER)
        return text(static_cast<std::int64_t>(bits));
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return text(value);
}

Failure difference(const Wire &wire, const Opinion &mine) {
    const int a = wire.differing_first, b = wire.differing_second;
    if (!mine.quantities || static_cast<std::size_t>(wire.differing) >= mine.quantity_count)
        return {SURROGATE_ERROR_ARGUMENT, text("rank ", a, " and rank ", b, " gave different arguments")};
    const Quantity &quantity = mine.quantities[wire.differing];
    if (quantity.kind == Quantity::DIGEST)
        return {SURROGATE_ERROR_ARGUMENT,
                text(quantity.name, ": rank ", a, " gave another than rank ", b, "; give the same on all ranks")};
    return {SURROGATE_ERROR_ARGUMENT,
            text(quantity.name, ": rank ", a, " gave ", value_text(quantity.kind, wire.differing_bits[0]), ", rank ", b,
                 " gave ", value_text(quantity.kind, wire.differing_bits[1]), "; give the same on all ranks")};
}

} // namespace

Quantity Quantity::integer(const char *name, std::int64_t value) {
    return {name, INTEGER, static_cast<std::uint64_t>(value)};
}

Quantity Quantity::real(const char *name, double value) {
    const double canonical = std::isnan(value) ? std::nan("") : value == 0 ? 0.0 : value;
    Quantity quantity{name, REAL, 0};
    std::memcpy(&quantity.bits, &canonical, sizeof canonical);
    return quantity;
}

Quantity Quantity::digest(const char *name, const void *data, std::size_t bytes) {
    return {name, DIGEST, fnv(data, bytes)};
}

Quantity Quantity::digest(const char *name, const char *string) {
    return string ? digest(name, string, std::strlen(string) + 1) : digest(name, "", 0);
}

void suspect(Wire &wire, Evidence evidence, int rank) {
    if (evidence > wire.evidence || (evidence == wire.evidence && rank < wire.suspect)) {
        wire.evidence = evidence;
        wire.suspect = rank;
    }
}

Wire wire_of(const Communicator &communicator, const char *call, const Opinion &mine, std::size_t count) {
    Wire wire{};
    wire.call = Quantity::digest("call", call).bits;
    wire.call_rank = wire.rank = wire.quantity_rank = communicator.rank();
    wire.other_call_rank = wire.differing = wire.suspect = -1;
    wire.status = mine.status;
    wire.changed = mine.changed;
    wire.leaver = mine.leaves ? communicator.rank() : -1;
    wire.quantity_count = mine.quantities ? static_cast<std::int32_t>(mine.quantity_count) : 0;
    wire.sum_count = count;
    wire.offence = mine.offence;
    if (communicator.suspect() >= 0)
        suspect(wire, WAITED_FOR, communicator.suspect());
    std::size_t length = std::min(mine.text.size(), TEXT_BYTES);
    while (length < mine.text.size() && length > 0 && (mine.text[length] & 0xc0) == 0x80)
        --length; // not inside a character
    mine.text.copy(wire.text, length);
    return wire;
}

void pack(std::vector<char> &out, const Wire &wire, const std::vector<std::uint64_t> &bits, const double *sums,
          std::size_t count) {
    const std::size_t quantities = sizeof(std::uint64_t) * bits.size();
    out.resize(sizeof wire + quantities + sizeof(double) * count);
    std::memcpy(out.data(), &wire, sizeof wire);
    if (quantities)
        std::memcpy(out.data() + sizeof wire, bits.data(), quantities);
    if (count)
        std::memcpy(out.data() + sizeof wire + quantities, sums, sizeof(double) * count);
}

Message unpack(const std::vector<char> &bytes) {
    Message message{};
    std::memcpy(&message.wire, bytes.data(), sizeof message.wire);
    message.rest = bytes.data() + sizeof message.wire;
    return message;
}

void merge(Wire &into, std::vector<std::uint64_t> &bits, double *sums, const Message &message) {
    const Wire &from = message.wire;
    if (into.other_call_rank < 0)
        into.other_call_rank = from.call != into.call ? from.call_rank : from.other_call_rank;
    if (worse(from, into)) {
        into.status = from.status;
        into.rank = from.rank;
        std::memcpy(into.text, from.text, sizeof into.text);
    }
    if (from.evidence != NO_EVIDENCE)
        suspect(into, static_cast<Evidence>(from.evidence), from.suspect);
    into.changed |= from.changed;
    if (from.leaver >= 0 && (into.leaver < 0 || from.leaver < into.leaver))
        into.leaver = from.leaver;
    if (told_before(from.offence, into.offence))
        into.offence = from.offence;
    merge_quantities(into, bits, from, message.rest);
    const char *theirs = message.rest + sizeof(std::uint64_t) * static_cast<std::size_t>(from.quantity_count);
    for (std::size_t i = 0; i < std::min<std::size_t>(into.sum_count, from.sum_count); ++i) {
        double value = 0;
        std::memcpy(&value, theirs + sizeof value * i, sizeof value);
        sums[i] += value;
    }
}

bool is_opinion(const std::vector<char> &message) {
    return message.size() >= sizeof(Wire);
}

Opinion verdict(const Communicator &communicator, const char *call, const Wire &wire, const Opinion &mine) {
    Opinion agreed;
    agreed.changed = wire.changed;
    agreed.offence = wire.offence;
    agreed.rank = wire.rank;
    agreed.status = wire.status;
    if (wire.status != SURROGATE_OK)
        agreed.text = communicator.size() > 1 ? text("rank ", wire.rank, ": ", static_cast<const char *>(wire.text))
                                              : std::string(wire.text);
    if (wire.status < 0)
        return agreed;
    if (wire.other_call_rank >= 0) {
        agreed.set(
            Failure(SURROGATE_ERROR_ARGUMENT, text("rank ", wire.call_rank, " and rank ", wire.other_call_rank,
                                                   " are in different calls (this one in ", call,
                                                   "); all ranks make the same collective calls in the same order")));
        agreed.rank = wire.other_call_rank;
    } else if (wire.differing >= 0) {
        agreed.set(difference(wire, mine));
        agreed.rank = wire.differing_second;
    }
    return agreed;
}

} // namespace surrogate::mpi
