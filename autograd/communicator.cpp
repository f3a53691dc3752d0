#include <autograd/communicator.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <autograd/error.hpp>

namespace xtape {
namespace {

/// A run without a launcher.
class OneProcess final : public Communicator {
 public:
  std::size_t rank() const override { return 0; }
  std::size_t size() const override { return 1; }
  std::unique_ptr<Pending> start_all_reduce(void*, std::size_t, DType, Wire, const char*) override {
    return std::make_unique<Done>();
  }
  std::unique_ptr<Communicator> duplicate() override { return std::make_unique<OneProcess>(); }

 protected:
  void broadcast_bytes(std::span<std::byte>) override {}
  void gather_bytes(std::span<std::byte>, const std::vector<std::size_t>&) override {}

 private:
  struct Done final : Pending {
    bool done() override { return true; }
    void wait() override {}
  };
};

// How many processes a launcher says that it started: Open MPI's, those with PMI (MPICH, Intel MPI), and Slurm's srun.
std::size_t started_together() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"})
    if (const char* text = std::getenv(name))
      if (long count = std::strtol(text, nullptr, 10); count > 0) return static_cast<std::size_t>(count);
  return 1;
}

// MPI is in a library of its own beside this one: programs that use one process do not load it.
std::filesystem::path mpi_library() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&started_together), &info) == 0 || !info.dli_fname) return "libxtape-mpi.so";
  std::filesystem::path beside = std::filesystem::path(info.dli_fname).parent_path() / "libxtape-mpi.so";
  return std::filesystem::exists(beside) ? beside : "libxtape-mpi.so";
}

Communicator* load_world(std::size_t processes) {
  const std::string started = "Communicator: this is one of " + std::to_string(processes) + " processes, ";
  void* library = dlopen(mpi_library().c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!library)
    throw Error(started + "and xtape was built without MPI; install it (Debian's libopenmpi-dev and openmpi-bin), and "
                          "build again with -Dmpi=enabled (" + dlerror() + ")");
  auto make = reinterpret_cast<Communicator* (*)()>(dlsym(library, "xtape_mpi_world"));
  if (!make) throw Error(started + "and libxtape-mpi.so is not this version's");
  Communicator* world = make();
  if (world->size() != processes)
    throw Error(started + "but MPI knows of " + std::to_string(world->size()) +
                ": mpirun is that of another MPI than the one that xtape was built with");
  return world;
}

void require_numbers(const Array& x) {
  if (!x.defined() || x.dtype() == boolean)
    throw DTypeError("all_reduce: an array of booleans, or none; needs float32, float64 or int64");
}

}  // namespace

std::span<const std::byte> detail::bytes_of(const Array& x) {
  return visit(x.dtype(), [&]<class T>(T) { return std::as_bytes(std::span(x.data<T>(), x.size())); });
}

std::span<std::byte> detail::mutable_bytes_of(Array& x) {
  return visit(x.dtype(), [&]<class T>(T) { return std::as_writable_bytes(std::span(x.mutable_data<T>(), x.size())); });
}

Communicator& Communicator::world() {
  static Communicator* world = [] {  // never destroyed: MPI ends in a handler of its own
    std::size_t processes = started_together();
    return processes > 1 ? load_world(processes) : new OneProcess;
  }();
  return *world;
}

void Communicator::set_share(std::optional<Share> share, const void* owner) {
  auto own = std::ranges::find(shares_, owner, [](const auto& entry) { return entry.first; });
  if (!share && own != shares_.end()) shares_.erase(own);
  else if (share && own != shares_.end()) own->second = *share;
  else if (share) shares_.emplace_back(owner, *share);
}

void Communicator::all_reduce(Array& x) {
  require_numbers(x);
  start_all_reduce(detail::mutable_bytes_of(x).data(), x.size(), x.dtype(), Wire::same, "all_reduce")->wait();
}

double Communicator::sum(double x) {
  start_all_reduce(&x, 1, float64, Wire::same, "sum")->wait();
  return x;
}

void Communicator::broadcast(Array& x) { broadcast_bytes(detail::mutable_bytes_of(x)); }

std::uint64_t Communicator::broadcast(std::uint64_t number) {
  broadcast_bytes(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

std::string Communicator::broadcast(const std::string& text) {
  std::string result = text;
  result.resize(broadcast(std::uint64_t{text.size()}));
  broadcast_bytes(std::as_writable_bytes(std::span(result)));
  return result;
}

std::vector<std::string> Communicator::all_gather(const std::string& text) {
  Array sizes = Array::full({size()}, 0, int64);
  sizes.mutable_data<std::int64_t>()[rank()] = static_cast<std::int64_t>(text.size());
  all_reduce(sizes);
  std::vector<std::size_t> lengths(sizes.data<std::int64_t>(), sizes.data<std::int64_t>() + size());
  std::vector<std::string> texts;
  for (std::size_t length : lengths) texts.emplace_back(length, '\0');
  texts[rank()] = text;
  std::string all;
  for (const std::string& each : texts) all += each;
  gather_bytes(std::as_writable_bytes(std::span(all)), lengths);
  std::size_t first = 0;
  for (std::string& each : texts) {
    each = all.substr(first, each.size());
    first += each.size();
  }
  return texts;
}

Array Communicator::all_gather(const Array& x) {
  std::span<const std::byte> bytes = detail::bytes_of(x);
  std::string all;
  for (const std::string& piece : all_gather(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())))
    all += piece;
  Shape shape = x.shape();
  std::size_t row = item_size(x.dtype());
  for (std::size_t i = 1; i < shape.size(); ++i) row *= shape[i];
  shape[0] = row == 0 ? 0 : all.size() / row;
  Array result(shape, x.dtype());
  std::memcpy(detail::mutable_bytes_of(result).data(), all.data(), all.size());
  return result;
}

}  // namespace xtape
