// Communicator by MPI: what libxtape-mpi.so holds. See Communicator::world, which loads it.
//
// All collectives begin without blocking, and are waited for by asking again and again: so whoever waits notices that
// another process has ended, which sends a last message to all, and that it takes too long.
#define OMPI_SKIP_MPICXX  // the old interface of C++
#define MPICH_SKIP_MPICXX
#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <utility>

#include <autograd/communicator.hpp>
#include <autograd/error.hpp>
#include <autograd/threads.hpp>

namespace xtape {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(std::string("Communicator: ") + what + ": " + std::string(text, static_cast<std::size_t>(length)));
}

/// What processes say of themselves: that they have ended, as their last messages; and what they have long waited in.
class Others {
 public:
  void open() {
    check(MPI_Comm_dup(MPI_COMM_WORLD, &channel_), "MPI_Comm_dup");
    MPI_Comm_rank(channel_, &rank_);
    MPI_Comm_size(channel_, &size_);
    listen();
  }

  /// The least rank of a process that has ended; -1 while there is none.
  int first() {
    for (int arrived = 1; arrived;) {
      MPI_Status status;
      if (MPI_Test(&request_, &arrived, &status) != MPI_SUCCESS || !arrived) break;
      left_.push_back(status.MPI_SOURCE);
      listen();
    }
    return left_.empty() ? -1 : *std::ranges::min_element(left_);
  }
  /// How many processes of lower ranks are left.
  int turn() const {
    int lower = 0;
    for (int r = 0; r < rank_; ++r) lower += std::ranges::find(left_, r) == left_.end();
    return lower;
  }

  /// Tells all others that this process ends, and waits until they have said the same. MPI_Finalize would wait as well,
  /// but where the run is ended meanwhile, Open MPI's mpirun can hang then.
  void leave() {
    std::vector<MPI_Request> requests;
    for (int r = 0; r < size_; ++r)
      if (r != rank_) MPI_Isend(nullptr, 0, MPI_BYTE, r, ended, channel_, &requests.emplace_back());
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
    while (first(), static_cast<int>(left_.size()) < size_ - 1) usleep(1000);
    MPI_Cancel(&request_);
    MPI_Request_free(&request_);
  }

  /// Tells all others what this process waits in; nothing: no longer.
  void say(const std::string& what) {
    for (int r = 0; r < size_; ++r) {
      if (r == rank_) continue;
      MPI_Request request;
      std::string& text = said_.emplace_back(what, 0, longest);
      MPI_Isend(text.data(), static_cast<int>(text.size()), MPI_CHAR, r, waits, channel_, &request);
      MPI_Request_free(&request);
    }
  }
  /// What others have said last: "; rank 2 waits in sum".
  std::string waiting() {
    std::map<int, std::string> last;
    MPI_Status status;
    for (int found = 1; MPI_Iprobe(MPI_ANY_SOURCE, waits, channel_, &found, &status) == MPI_SUCCESS && found;) {
      char text[longest];
      int length = 0;
      MPI_Get_count(&status, MPI_CHAR, &length);
      MPI_Recv(text, length, MPI_CHAR, status.MPI_SOURCE, waits, channel_, MPI_STATUS_IGNORE);
      last[status.MPI_SOURCE] = std::string(text, static_cast<std::size_t>(length));
    }
    std::string all;
    for (const auto& [rank, what] : last)
      if (!what.empty()) all += "; rank " + std::to_string(rank) + " waits in " + what;
    return all;
  }

 private:
  static constexpr int ended = 1, waits = 2;  // tags
  static constexpr std::size_t longest = 255;
  void listen() { MPI_Irecv(nullptr, 0, MPI_BYTE, MPI_ANY_SOURCE, ended, channel_, &request_); }

  MPI_Comm channel_ = MPI_COMM_NULL;
  MPI_Request request_ = MPI_REQUEST_NULL;
  int rank_ = 0, size_ = 1;
  std::vector<int> left_;
  std::deque<std::string> said_;  // may be on its way
};

Others& others() {
  static Others& others = *new Others;  // never destroyed: what ends MPI comes after static objects are gone
  return others;
}

// How long a process waits for others before it takes them for lost, in seconds.
double patience = 600;

// The least that any process was given: launchers need not pass variables on to other machines.
void agree_on_patience() {
  double seconds = std::numeric_limits<double>::infinity();
  if (const char* text = std::getenv("XTAPE_MPI_TIMEOUT"); text && *text) {
    char* end = nullptr;
    seconds = std::strtod(text, &end);
    if (*end || !(seconds > 0)) seconds = 0;
  }
  check(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD), "MPI_Allreduce");
  if (seconds == 0) throw ValueError("XTAPE_MPI_TIMEOUT needs a number of seconds above 0, in all processes");
  if (std::isfinite(seconds)) patience = seconds;
}

// Whoever speaks first ends all others: in turn, so that one message is seen.
[[noreturn]] void end_run(const std::string& message, int turn) {
  std::fflush(stdout);
  sleep(static_cast<unsigned>(std::min(turn, 5)));
  std::fprintf(stderr, "xtape: %s; all processes end\n", message.c_str());
  usleep(200'000);  // MPICH's mpiexec may drop what it has not passed on when the run ends
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::abort();
}

/// Requests that are under way.
class Requests final : public Communicator::Pending {
 public:
  Requests(const char* what, int rank) : what_(what), rank_(rank) {}
  // A collective cannot be called off, nor may its memory go while it is under way.
  ~Requests() override {
    if (!done()) wait();
  }

  MPI_Request* add() { return &requests_.emplace_back(MPI_REQUEST_NULL); }

  bool done() override {
    int all = 0;
    check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &all, MPI_STATUSES_IGNORE), what_);
    return all;
  }

  void wait() override {
    Clock::time_point start = Clock::now(), noticed;
    bool told = false;
    for (unsigned turn = 0, gone = 0; !done(); ++turn) {
      if (turn < 1000) continue;
      sched_yield();
      if (turn % 256 != 0) continue;
      int left = others().first();
      // What it sent before may still be on its way.
      if (left >= 0 && !gone++) noticed = Clock::now();
      if (left >= 0 && seconds_since(noticed) > grace)
        end_run("rank " + std::to_string(left) + " has ended, and rank " + std::to_string(rank_) + " waits for it in " + what_,
                others().turn());
      if (!told && seconds_since(start) > patience / 2) others().say(what_), told = true;
      if (seconds_since(start) > patience)
        end_run("rank " + std::to_string(rank_) + " has waited for others in " + what_ + " for " +
                std::to_string(static_cast<int>(patience)) + " s (XTAPE_MPI_TIMEOUT)" + others().waiting() +
                "; each has to come to it as often", others().turn());
    }
    if (told) others().say("");
  }

 private:
  static constexpr double grace = 1;  // seconds
  const char* what_;
  int rank_;
  std::vector<MPI_Request> requests_;
};

// bfloat16: the upper half of a float32.

float widened(std::uint16_t half) { return std::bit_cast<float>(std::uint32_t{half} << 16); }

std::uint16_t narrowed(float x) {
  auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);  // NaN stays NaN
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);  // to nearest, ties to even
}

void add_halves(void* in, void* out, int* count, MPI_Datatype*) {
  auto* a = static_cast<const std::uint16_t*>(in);
  auto* b = static_cast<std::uint16_t*>(out);
  for (int i = 0; i < *count; ++i) b[i] = narrowed(widened(a[i]) + widened(b[i]));
}

MPI_Op sum_of_halves() {
  static MPI_Op op = [] {
    MPI_Op made;
    check(MPI_Op_create(add_halves, 1, &made), "MPI_Op_create");
    return made;
  }();
  return op;
}

/// A sum whose numbers travel as bfloat16.
class Halved final : public Communicator::Pending {
 public:
  Halved(float* elements, std::size_t count, std::unique_ptr<Requests> requests)
      : elements_(elements), halves_(count), requests_(std::move(requests)) {
    std::transform(elements, elements + count, halves_.begin(), narrowed);
  }
  std::uint16_t* halves() { return halves_.data(); }
  Requests& requests() { return *requests_; }
  bool done() override { return requests_->done(); }
  void wait() override {
    requests_->wait();
    std::transform(halves_.begin(), halves_.end(), elements_, widened);
  }

 private:
  float* elements_;
  std::vector<std::uint16_t> halves_;
  std::unique_ptr<Requests> requests_;  // goes first
};

class MpiCommunicator final : public Communicator {
 public:
  explicit MpiCommunicator(MPI_Comm from) {
    check(MPI_Comm_dup(from, &comm_), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  // MPI's communicator is not freed: that is a collective as well, and a process whose exception destroys this would wait.
  ~MpiCommunicator() override = default;

  std::size_t rank() const override { return static_cast<std::size_t>(rank_); }
  std::size_t size() const override { return static_cast<std::size_t>(size_); }

  std::unique_ptr<Pending> start_all_reduce(void* elements, std::size_t count, DType dtype, Wire wire,
                                            const char* what) override {
    auto requests = std::make_unique<Requests>(what, rank_);
    if (wire == Wire::bfloat16 && dtype == float32) {
      auto halved = std::make_unique<Halved>(static_cast<float*>(elements), count, std::move(requests));
      begin_sum(halved->requests(), halved->halves(), count, MPI_UINT16_T, sum_of_halves(), what);
      return halved;
    }
    MPI_Datatype type = dtype == float32 ? MPI_FLOAT : dtype == float64 ? MPI_DOUBLE : MPI_INT64_T;
    begin_sum(*requests, elements, count, type, MPI_SUM, what);
    return requests;
  }

  std::unique_ptr<Communicator> duplicate() override { return std::make_unique<MpiCommunicator>(comm_); }

 protected:
  void broadcast_bytes(std::span<std::byte> bytes) override {
    Requests requests("broadcast", rank_);
    for_pieces(bytes.size(), [&](std::size_t first, int count) {
      check(MPI_Ibcast(bytes.data() + first, count, MPI_BYTE, 0, comm_, requests.add()), "broadcast");
    });
    // Otherwise one could be done, and end, before others have come: as if it had left them.
    check(MPI_Ibarrier(comm_, requests.add()), "broadcast");
    requests.wait();
  }

  void gather_bytes(std::span<std::byte> bytes, const std::vector<std::size_t>& lengths) override {
    if (bytes.size() > INT_MAX) throw Error("Communicator: all_gather of 2 GiB or more");
    std::vector<int> counts(lengths.begin(), lengths.end()), firsts(lengths.size(), 0);
    for (std::size_t r = 1; r < counts.size(); ++r) firsts[r] = firsts[r - 1] + counts[r - 1];
    Requests requests("all_gather", rank_);
    check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, bytes.data(), counts.data(), firsts.data(), MPI_BYTE, comm_,
                          requests.add()), "all_gather");
    requests.wait();
  }

 private:
  // MPI counts by int.
  template <class F>
  static void for_pieces(std::size_t count, F&& f) {
    constexpr std::size_t most = 1 << 30;
    for (std::size_t first = 0; first < count; first += most)
      f(first, static_cast<int>(std::min(most, count - first)));
  }

  void begin_sum(Requests& requests, void* elements, std::size_t count, MPI_Datatype type, MPI_Op op, const char* what) {
    int bytes = 0;
    MPI_Type_size(type, &bytes);
    for_pieces(count, [&](std::size_t first, int n) {
      auto* at = static_cast<std::byte*>(elements) + first * static_cast<std::size_t>(bytes);
      check(MPI_Iallreduce(MPI_IN_PLACE, at, n, type, op, comm_, requests.add()), what);
    });
  }

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
};

// Processes that may run on the same cores share them, unless the user gave a number of threads.
void share_cores() {
  const char* given = std::getenv("XTAPE_NUM_THREADS");
  MPI_Comm machine;
  cpu_set_t own;
  CPU_ZERO(&own);
  sched_getaffinity(0, sizeof own, &own);
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine), "MPI_Comm_split_type");
  int count = 0;
  MPI_Comm_size(machine, &count);
  std::vector<cpu_set_t> sets(static_cast<std::size_t>(count));
  check(MPI_Allgather(&own, sizeof own, MPI_BYTE, sets.data(), sizeof own, MPI_BYTE, machine), "MPI_Allgather");
  MPI_Comm_free(&machine);
  if (given && *given) return;
  auto sharing = std::ranges::count_if(sets, [&](const cpu_set_t& other) {
    cpu_set_t both;
    CPU_AND(&both, &own, &other);
    return CPU_COUNT(&both) > 0;
  });
  if (sharing > 1 && num_threads() > 1) set_num_threads(std::max(1, num_threads() / static_cast<int>(sharing)));
}

void end_mpi() {
  int ended = 0;
  MPI_Finalized(&ended);
  if (ended) return;
  others().leave();
  MPI_Finalize();
}

}  // namespace
}  // namespace xtape

/// The processes of this run.
extern "C" xtape::Communicator* xtape_mpi_world() {
  using namespace xtape;
  int begun = 0, level = 0;
  MPI_Initialized(&begun);
  if (!begun) check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &level), "MPI_Init_thread");
  // What is done without blocking fails in calls that belong to no communicator.
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  others().open();
  std::atexit(end_mpi);
  agree_on_patience();
  share_cores();
  return new MpiCommunicator(MPI_COMM_WORLD);
}
