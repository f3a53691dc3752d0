// Processes that work together: what data-parallel training and layers with statistics of all processes talk through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <autograd/array.hpp>

namespace xtape {

/// Several processes that were started together, as this one sees them. Each has a rank, from 0 to `size() - 1`. What
/// exchanges something is a collective: every process has to call it, in the same order, and arrays are of the same shape
/// and dtype everywhere. Where they call different ones, or with different arrays, each throws a ValueError that names two
/// ranks and what they call. A process that ends while others wait for it ends them as well, within seconds and with one
/// message that names it.
class Communicator {
 public:
  /// All processes of this run: those that mpirun, mpiexec or srun started, by MPI; or this one alone where nothing did.
  /// The first call starts MPI: make it before other threads begin.
  /// @throws Error where a launcher started several and xtape was built without MPI, or with another one.
  static Communicator& world();

  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;

  /// Which one of the processes this is, from 0.
  virtual std::size_t rank() const = 0;
  /// How many there are.
  virtual std::size_t size() const = 0;
  /// Whether this is the process that prints, and writes files: that of rank 0.
  bool is_main() const { return rank() == 0; }

  /// Adds up the elements, of float32, float64 or int64, over the processes. All get the same bits.
  void all_reduce(Array& x);
  /// The sum of a number over the processes. `purpose`, here and below, is for errors.
  double sum(double x, const char* purpose = "");
  /// Rank 0's elements, in all processes' arrays of the same shape and dtype.
  void broadcast(Array& x);
  std::string broadcast(const std::string& text);
  std::uint64_t broadcast(std::uint64_t number, const char* purpose = "");
  /// What each process has, by rank; the texts may be of different lengths, and hold any bytes.
  std::vector<std::string> all_gather(const std::string& text, const char* purpose = "");
  /// The arrays of all processes behind each other along the first axis; the other extents are alike.
  /// @throws ShapeError for a 0-d array.
  Array all_gather(const Array& x);

  /// How the numbers of a sum travel.
  enum class Wire { same, bfloat16 };
  /// A collective that has begun.
  class Pending {
   public:
    virtual ~Pending() = default;
    /// Whether it is done; a call lets it come forward.
    virtual bool done() = 0;
    virtual void wait() = 0;
  };
  /// Begins to add up elements in place, and returns at once; `elements` are not to be touched until it is done.
  /// Several may be under way, begun in the same order everywhere. `what` names it in errors, and lives as long. That it
  /// is the same call everywhere is not checked, as that would wait for others.
  virtual std::unique_ptr<Pending> start_all_reduce(void* elements, std::size_t count, DType dtype, Wire wire,
                                                    const char* what) = 0;
  /// The same processes with an order of collectives of its own.
  virtual std::unique_ptr<Communicator> duplicate() = 0;

  // How a batch is divided

  /// The examples of the batch at hand: those of this process, and of all together.
  struct Share {
    double mine = 1, all = 1;
    /// The part of the whole; the weights of all processes add up to 1.
    double weight() const { return mine / all; }
  };
  /// That of the innermost pass over a DataLoader with a `shard`; equal parts where there is none.
  Share share() const { return shares_.empty() ? Share{1, static_cast<double>(size())} : shares_.back().second; }
  /// For those who divide batches themselves; nothing: no longer. `owner` tells several such from each other: the one that
  /// came last counts.
  void set_share(std::optional<Share> share, const void* owner = nullptr);
  /// Where the part of this process begins and ends, of so many examples.
  std::pair<std::size_t, std::size_t> part_of(std::size_t count) const {
    return {count * rank() / size(), count * (rank() + 1) / size()};
  }

 protected:
  virtual void broadcast_bytes(std::span<std::byte> bytes) = 0;
  /// Pieces of these lengths, by rank; the own one stands in its place already.
  virtual void gather_bytes(std::span<std::byte> bytes, const std::vector<std::size_t>& lengths) = 0;

 private:
  /// Each process says what it calls, and a number; gets the numbers of all, by rank. @throws ValueError, in all, where
  /// calls differ.
  std::vector<std::uint64_t> meet(const std::string& call, std::uint64_t number = 0);
  std::vector<std::string> gather(const std::string& text, const std::vector<std::uint64_t>& lengths);

  std::vector<std::pair<const void*, Share>> shares_;  // by owner
};

namespace detail {

/// The elements as they lie in memory.
std::span<const std::byte> bytes_of(const Array& x);
/// The same to write; see Array::mutable_data.
std::span<std::byte> mutable_bytes_of(Array& x);

}  // namespace detail
}  // namespace xtape
