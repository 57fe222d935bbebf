#include "agreement.h"

#include "patience.h"
#include "wire.h"

#include <cstring>

namespace surrogate::mpi {

namespace {

using Clock = std::chrono::steady_clock;

double silent_for(Clock::time_point now, Clock::time_point heard) {
    return std::chrono::duration<double>(now - heard).count();
}

enum class Mail { NONE, CAME, TORN };

/// Look for a message. TORN: its sender stopped in the middle of it, and is as silent as one that never began.
Mail look(Communicator &communicator, std::vector<char> &message, int from, int tag) {
    try {
        return communicator.take(message, from, tag) ? Mail::CAME : Mail::NONE;
    } catch (const Failure &failure) {
        if (failure.status() != SURROGATE_ERROR_TIMEOUT)
            throw;
        static_cast<void>(new std::vector<char>(std::move(message))); // MPI may still write to it
        message = {};
        return Mail::TORN;
    }
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
            const Mail mail = look(communicator, child.message, children[i], TAG_UP);
            if (mail == Mail::CAME) {
                child.heard = now;
                child.done = is_opinion(child.message);
                patience.refresh();
            } else if (mail == Mail::TORN || silent_for(now, child.heard) > communicator.deadline()) {
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
    for (auto heard = Clock::now(), now = heard;; now = patience.pause()) {
        const Mail mail = look(communicator, message, parent, TAG_DOWN);
        if (mail == Mail::CAME) {
            heard = now;
            if (is_opinion(message))
                return;
        } else if (mail == Mail::TORN || silent_for(now, heard) > communicator.deadline()) {
            message.clear();
            wire.evidence = ABSENT;
            wire.suspect = parent;
            return;
        }
    }
}

} // namespace

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
