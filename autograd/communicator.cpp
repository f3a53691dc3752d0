#include <autograd/communicator.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

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
                ": mpirun is that of another MPI than the one that xtape was built with; srun needs --mpi=pmix for "
                "Open MPI, and --mpi=pmi2 for MPICH");
  return world;
}

std::string call_of(const char* name, const std::string& what, const char* purpose = "") {
  return name + (" of " + what) + (*purpose ? std::string(" (") + purpose + ")" : "");
}

std::string array_text(const Array& x) { return to_string(x.dtype()) + to_string(x.shape()); }

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

// One sum, over zeros but for the own place: it is as long whatever others call.
std::vector<std::uint64_t> Communicator::meet(const std::string& call, std::uint64_t number) {
  if (size() == 1) return {number};
  struct Said {
    std::uint64_t number, hash;
    char text[112];  // the beginning; the hash is of all
  };
  std::vector<Said> all(size(), Said{});
  Said& own = all[rank()];
  own.number = number;
  own.hash = std::hash<std::string>()(call);
  call.copy(own.text, sizeof own.text - 1);
  start_all_reduce(all.data(), all.size() * sizeof(Said) / sizeof(std::int64_t), int64, Wire::same, call.c_str())->wait();

  std::vector<std::uint64_t> numbers;
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].hash != all[0].hash)
      throw ValueError("Communicator: rank 0 calls " + std::string(all[0].text) + ", and rank " + std::to_string(r) +
                       " " + all[r].text + "; needs the same call in all processes, with the same shape and dtype");
    numbers.push_back(all[r].number);
  }
  return numbers;
}

void Communicator::all_reduce(Array& x) {
  require_numbers(x);
  meet(call_of("all_reduce", array_text(x)));
  start_all_reduce(detail::mutable_bytes_of(x).data(), x.size(), x.dtype(), Wire::same, "all_reduce")->wait();
}

double Communicator::sum(double x, const char* purpose) {
  double total = 0;
  for (std::uint64_t each : meet(call_of("sum", "a number", purpose), std::bit_cast<std::uint64_t>(x)))
    total += std::bit_cast<double>(each);
  return total;
}

void Communicator::broadcast(Array& x) {
  meet(call_of("broadcast", array_text(x)));
  broadcast_bytes(detail::mutable_bytes_of(x));
}

std::uint64_t Communicator::broadcast(std::uint64_t number, const char* purpose) {
  return meet(call_of("broadcast", "a number", purpose), number)[0];
}

std::string Communicator::broadcast(const std::string& text) {
  std::string result = text;
  result.resize(meet(call_of("broadcast", "a text"), text.size())[0]);
  broadcast_bytes(std::as_writable_bytes(std::span(result)));
  return result;
}

std::vector<std::string> Communicator::all_gather(const std::string& text, const char* purpose) {
  return gather(text, meet(call_of("all_gather", "texts", purpose), text.size()));
}

std::vector<std::string> Communicator::gather(const std::string& text, const std::vector<std::uint64_t>& lengths) {
  std::vector<std::string> texts;
  for (std::size_t length : lengths) texts.emplace_back(length, '\0');
  texts[rank()] = text;
  std::string all;
  for (const std::string& each : texts) all += each;
  gather_bytes(std::as_writable_bytes(std::span(all)), {lengths.begin(), lengths.end()});
  std::size_t first = 0;
  for (std::string& each : texts) {
    each = all.substr(first, each.size());
    first += each.size();
  }
  return texts;
}

Array Communicator::all_gather(const Array& x) {
  Shape shape = x.shape();
  if (shape.empty()) throw ShapeError("all_gather: a 0-d array, needs an axis that the processes' arrays are along");
  std::string others;  // whose extents all have
  for (std::size_t i = 1; i < shape.size(); ++i) others += ", " + std::to_string(shape[i]);
  std::span<const std::byte> bytes = detail::bytes_of(x);
  const std::string rows = to_string(x.dtype()) + ("(any" + others) + ")";
  std::vector<std::uint64_t> lengths = meet(call_of("all_gather", rows), bytes.size());
  std::string all;
  for (const std::string& piece : gather(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), lengths))
    all += piece;
  std::size_t row = item_size(x.dtype());
  for (std::size_t i = 1; i < shape.size(); ++i) row *= shape[i];
  shape[0] = row == 0 ? 0 : all.size() / row;
  Array result(shape, x.dtype());
  std::memcpy(detail::mutable_bytes_of(result).data(), all.data(), all.size());
  return result;
}

}  // namespace xtape
