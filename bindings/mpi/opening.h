// surrogate_mpi_open: one rank reads a bundle, all open it, those that are to run it load a program.
#pragma once

#include "model.h"
#include "package.h"
#include "roles.h"
#include "shared_bytes.h"
#include "wish.h"

namespace surrogate::mpi {

/// The stages of one open. In each every rank does its part, then all agree that it worked.
class Opening {
  public:
    /// model.options are agreed upon; `wish` is this rank's.
    Opening(Model &model, Wish &wish);

    /// Fills all of `model`. Throws what all agreed upon.
    void open();

  private:
    void open_alone();
    void hear_wish();
    void list();
    void open_manifest();
    void settle_roles();
    void fetch();
    void unpack();
    void load();
    void compare_programs();
    void note_facts(int threads);
    bool reads() const { return model_.communicator.rank() == model_.options.reader; }

    Model &model_;
    Wish &wish_;
    const std::string path_; // of the reader
    Package package_;
    std::vector<char> manifest_;
    std::vector<Surroundings> surroundings_; // of the ranks of this node
    std::vector<int> crew_;                  // of this node: who needs the bytes, the one that gets them first
    Kept<SharedBytes> bytes_;
    ScratchFolder folder_;
    std::string unpacked_; // where the crew's files are; "": nowhere
};

} // namespace surrogate::mpi
