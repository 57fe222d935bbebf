// Programs that `surrogate lower` made of a bundle for one machine, and how fast programs are there.
//
// An overlay is a folder of the user, not of the bundle: what in it is damaged, or made for another machine or
// another torch, is passed over with a reason and never stops an open.
#pragma once

#include "json_node.h"
#include "manifest.h"

namespace surrogate::core {

/// A measured run of a program.
struct Timing {
    int threads = 0;
    std::int64_t batch = 1, cells = 1;
    double milliseconds = 0;
    double per_cell() const { return milliseconds / static_cast<double>(batch * cells); }
};

/// A program of an overlay, in its own folder.
struct OverlayEntry {
    ProgramSpec program;                    // `file`: absolute path of the file or of the unpacked package
    std::string folder;                     // where its program.json stands
    std::string damage;                     // why it cannot be read; "" if it can; then nothing below is to be used
    std::string bundle;                     // SHA-256 of the manifest that it was lowered from
    std::string made_with;                  // "torch 2.13.0"
    std::string cpu, compute_capability;    // of the machine that it was made on
    std::vector<std::string> isa;           // instruction sets that its code uses, as flags of /proc/cpuinfo
    std::map<std::string, FileEntry> files; // by path in `folder`
    std::vector<Timing> timings;
    double deviation = 0; // largest |y - expected| on the bundle's example, measured when it was accepted
};

/// What an overlay holds of one bundle.
struct Overlay {
    std::vector<OverlayEntry> entries;                  // by folder name
    std::map<std::string, std::vector<Timing>> timings; // on this machine, of the bundle's own programs
};

/// What the overlay in `folder` ("": none) says of the bundle whose manifest has this SHA-256, opened on `device`.
Overlay read_overlay(const std::string &folder, const std::string &manifest_hash, const std::string &device);

/// Why this machine cannot run an entry on `device`; "" if it can.
std::string foreign(const OverlayEntry &entry, const std::string &manifest_hash, const std::string &device);

/// Read the entry's files: what differs from the hashes that it states; "" if nothing.
std::string damaged(const OverlayEntry &entry);

/// The timing that tells best how fast a program is with `threads` threads: nearest number of threads, then smallest
/// batch, then most cells. NULL if there is none.
const Timing *best_timing(const std::vector<Timing> &timings, int threads);

} // namespace surrogate::core
