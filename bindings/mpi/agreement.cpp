#include "agreement.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>

namespace surrogate::mpi {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t TEXT_BYTES = 400;

/// How sure it is that a rank is silent: a rank that a wait of an exchange ran out on may itself have waited for
/// another; one that does not even join the agreement is silent.
enum Evidence : std::int32_t { NO_EVIDENCE, WAITED_FOR, ABSENT };

/// An opinion on its way, followed by the bits of the quantities, and by the sums.
struct Wire {
    std::uint64_t call;
    std::int32_t call_rank;       // that gave `call`
    std::int32_t other_call_rank; // that gave another; -1: none
    std::int32_t status, rank;
    std::int32_t evidence, suspect;
    std::int32_t changed;
    std::int32_t leaver;                        // lowest rank that makes no call after this one; -1: none
    std::int32_t quantity_count, quantity_rank; // of the bits that follow
    std::int32_t differing, differing_first, differing_second; // index of a quantity and two ranks; -1: none
    std::uint64_t differing_bits[2];
    std::uint64_t sum_count;
    surrogate_mpi_rejection offence;
    char text[TEXT_BYTES + 1];
};

struct Message {
    Wire wire;
    const char *rest;
};

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

void suspect(Wire &wire, Evidence evidence, int rank) {
    if (evidence > wire.evidence || (evidence == wire.evidence && rank < wire.suspect)) {
        wire.evidence = evidence;
        wire.suspect = rank;
    }
}

Wire wire_of(const Communicator &communicator, const char *call, const Opinion &mine, std::size_t count) {
    Wire wire{};
    wire.call = fnv(call, std::strlen(call));
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
    if (from.offence.rank >= 0 && (into.offence.rank < 0 || from.offence.rank < into.offence.rank))
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

double silent_for(Clock::time_point now, Clock::time_point heard) {
    return std::chrono::duration<double>(now - heard).count();
}

/// Hear every child, or find it absent.
void hear_children(Communicator &communicator, Wire &wire) {
    const auto &children = communicator.tree().children;
    auto now = Clock::now();
    for (auto &child : communicator.inbox) {
        child.heard = now;
        child.done = false;
    }
    Patience patience(communicator);
    for (std::size_t left = children.size(); left > 0; now = left ? patience.pause() : now)
        for (std::size_t i = 0; i < children.size(); ++i) {
            auto &child = communicator.inbox[i];
            if (child.done)
                continue;
            if (communicator.take(child.message, children[i], TAG_UP)) {
                child.heard = now;
                child.done = is_opinion(child.message);
                patience.refresh();
            } else if (silent_for(now, child.heard) > communicator.deadline()) {
                child.message.clear();
                child.done = true;
                suspect(wire, ABSENT, children[i]);
            }
            left -= child.done;
        }
}

/// The verdict from above, or that the parent is absent.
void hear_parent(Communicator &communicator, Wire &wire, std::vector<char> &message) {
    const int parent = communicator.tree().parent;
    Patience patience(communicator);
    for (auto heard = Clock::now(), now = heard;; now = patience.pause())
        if (communicator.take(message, parent, TAG_DOWN)) {
            heard = now;
            if (is_opinion(message))
                return;
        } else if (silent_for(now, heard) > communicator.deadline()) {
            message.clear();
            wire.evidence = ABSENT;
            wire.suspect = parent;
            return;
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

Opinion agree(Communicator &communicator, const char *call, const Opinion &mine, double *sums, std::size_t count) {
    communicator.require_heard();
    Wire wire = wire_of(communicator, call, mine, count);
    if (communicator.size() == 1)
        return verdict(communicator, call, wire, mine);
    auto &scratch = communicator.agreement;
    scratch.bits.clear();
    for (std::int32_t i = 0; i < wire.quantity_count; ++i)
        scratch.bits.push_back(mine.quantities[i].bits);
    hear_children(communicator, wire);
    {
        const core::FloatingPointHold hold; // sums may be NaN or infinite, and the host may trap that
        for (const auto &child : communicator.inbox)
            if (is_opinion(child.message))
                merge(wire, scratch.bits, sums, unpack(child.message));
    }
    if (const int parent = communicator.tree().parent; parent >= 0) {
        pack(scratch.message, wire, scratch.bits, sums, count);
        communicator.post(scratch.message.data(), scratch.message.size(), parent, TAG_UP);
        hear_parent(communicator, wire, scratch.message);
        if (is_opinion(scratch.message)) {
            const Message message = unpack(scratch.message);
            wire = message.wire;
            if (wire.sum_count == count && count)
                std::memcpy(sums, message.rest, sizeof(double) * count);
        }
    }
    wire.quantity_count = 0;
    scratch.bits.clear();
    pack(scratch.message, wire, scratch.bits, sums, wire.sum_count == count ? count : 0);
    for (const int child : communicator.tree().children)
        communicator.post(scratch.message.data(), scratch.message.size(), child, TAG_DOWN);
    if (wire.evidence != NO_EVIDENCE) {
        communicator.mark_silent(wire.suspect, silence_text(wire.suspect, communicator.deadline()));
        communicator.require_heard();
    }
    if (wire.other_call_rank >= 0 && wire.leaver >= 0)
        communicator.mark_left(wire.leaver);
    return verdict(communicator, call, wire, mine);
}

void require(const Opinion &agreed) {
    if (agreed.status < 0)
        fail(agreed.status, agreed.text);
}

} // namespace surrogate::mpi
