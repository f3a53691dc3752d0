#include <optim/data_parallel.hpp>

#include <cstring>
#include <optional>
#include <sstream>
#include <unordered_map>

#include <autograd/error.hpp>
#include <autograd/gradient_exchange.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/profile.hpp>
#include <autograd/random.hpp>

namespace xtape::optim {
namespace {

using Named = DataParallel::Named;

constexpr const char* summing = "the sum of gradients";

void copy_bytes(std::span<const std::byte> from, std::span<std::byte> to) {
  if (from.size() > to.size()) throw Error("DataParallel: more elements than there is room for");
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

/// Arrays that are summed up over the processes together: one alone as it is, several one behind the other.
class Bucket {
 public:
  explicit Bucket(DType dtype) : dtype_(dtype) {}

  /// Takes in another array of so many elements; returns its place.
  std::size_t add(std::size_t size) {
    firsts_.push_back(size_);
    sizes_.push_back(size);
    size_ += size;
    return sizes_.size() - 1;
  }
  std::size_t bytes() const { return size_ * item_size(dtype_); }
  std::size_t count() const { return sizes_.size(); }
  DType dtype() const { return dtype_; }

  /// Begins to sum up. An array that is undefined stands for zeros.
  void begin(std::vector<Array> arrays, Communicator& processes, Communicator::Wire wire) {
    if (arrays.size() == 1 && arrays[0].defined()) {
      sums_ = std::exchange(arrays[0], Array());
    } else {
      sums_ = Array::full({size_}, 0, dtype_);
      std::span<std::byte> to = detail::mutable_bytes_of(sums_);
      for (std::size_t i = 0; i < arrays.size(); ++i)
        if (arrays[i].defined()) copy_bytes(detail::bytes_of(arrays[i]), to.subspan(firsts_[i] * item_size(dtype_)));
    }
    aside_.emplace("all_reduce", bytes());
    pending_ = processes.start_all_reduce(detail::mutable_bytes_of(sums_).data(), size_, dtype_, wire, summing);
  }
  /// Whether it is done; a call lets it come forward.
  bool done() {
    if (!pending_->done()) return false;
    aside_->end();
    return true;
  }
  void wait() {
    pending_->wait();
    aside_->end();
    pending_.reset();
  }
  /// Lets the sums go.
  void clear() { sums_ = Array(); }

  /// The sum at a place, when the wait is over.
  Array sum(std::size_t place, const Shape& shape) const {
    if (count() == 1) return sums_.shape() == shape ? sums_ : sums_.reshaped(shape);
    Array result(shape, dtype_);
    std::size_t width = item_size(dtype_);
    copy_bytes(detail::bytes_of(sums_).subspan(firsts_[place] * width, sizes_[place] * width),
               detail::mutable_bytes_of(result));
    return result;
  }

 private:
  DType dtype_;
  std::vector<std::size_t> firsts_, sizes_;
  std::size_t size_ = 0;
  Array sums_;
  std::optional<detail::Aside> aside_;
  std::unique_ptr<Communicator::Pending> pending_;  // goes before the elements that it writes
};

std::string described(const Named& parameters, const Named& buffers, const DataParallelOptions& options) {
  std::string text = "options: average " + std::to_string(options.average) + ", bucket_bytes " +
                     std::to_string(options.bucket_bytes) + ", bfloat16 " + std::to_string(options.bfloat16) + "\n";
  for (const auto& [name, x] : parameters) text += "parameter \"" + name + "\", " + describe(x) + "\n";
  for (const auto& [name, x] : buffers) text += "buffer \"" + name + "\", " + describe(x) + "\n";
  return text;
}

// Each process throws the same when they do not have the same.
void require_alike(Communicator& processes, const std::string& own) {
  std::vector<std::string> all = processes.all_gather(own, "a DataParallel is made");
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    std::istringstream first(all[0]), other(all[r]);
    std::string expected, given;
    do {
      if (!std::getline(first, expected)) expected = "nothing more";
      if (!std::getline(other, given)) given = "nothing more";
    } while (expected == given);
    throw ValueError("DataParallel: the networks differ: rank 0 has " + expected + "; rank " + std::to_string(r) + " has " +
                     given);
  }
}

void require_complete(const Named& parameters) {
  if (parameters.empty()) throw ValueError("DataParallel: the network has no parameters");
  for (const auto& [name, x] : parameters)
    if (!x.defined() || x.size() == 0)
      throw ValueError("DataParallel: parameter \"" + name + "\" is " + describe(x) +
                       ", needs elements: call the network once before");
}

// FNV-1a (Fowler, Noll, Vo) of the state and the rank.
void seed_rank(Communicator& processes) {
  std::string state = processes.broadcast(default_generator().state());
  if (processes.is_main()) return;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : state + " " + std::to_string(processes.rank())) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  default_generator().seed(hash);
}

}  // namespace

namespace {

/// A parameter, as an Exchange knows it.
struct Slot {
  std::string name;
  Variable parameter;
  DType dtype;
  Shape shape;
  std::size_t bucket, place;
  Variable gradient = {};  // of this walk

  // What walks of this process alone have added to the parameter's gradient: the sum of it, what the gradient was before,
  // and what it was after the last one.
  Variable local = {}, before = {};
  Array after = {};

  void require_unchanged() const {
    if (!parameter.defined() || parameter.dtype() != dtype || parameter.shape() != shape)
      throw GraphError("DataParallel: parameter \"" + name + "\" is " + describe(parameter) +
                       " now: it was converted or replaced since; make it anew");
    if (local.defined() && parameter.grad().defined() && !parameter.grad().value().shares_elements_with(after))
      throw GraphError("DataParallel: the gradient of parameter \"" + name + "\" was changed between no_sync and the walk "
                       "that adds it up; change it after that, or forget it by zero_grad");
  }
  // Forgets what zero_grad has thrown away.
  void note_zero_grad() {
    if (local.defined() && !parameter.grad().defined()) local = before = Variable(), after = Array();
  }
  void add_locally() {
    if (!gradient.defined()) return;
    Variable grad = parameter.grad();
    if (!local.defined()) before = grad.defined() ? grad.detach() : Variable();
    local = local.defined() ? local + gradient : gradient;
    parameter.set_grad(grad.defined() ? grad + gradient : gradient);
    after = parameter.grad().value();
    gradient = Variable();
  }
  // The gradient of this walk and of those before; the parameter's is as if they had not been.
  Array take_contribution() {
    Variable sum = std::exchange(gradient, Variable());
    if (local.defined()) {
      sum = sum.defined() ? sum + local : local;
      parameter.set_grad(before);
      local = before = Variable(), after = Array();
    }
    return sum.defined() ? std::exchange(sum.mutable_value(), Array()) : Array();
  }
};

/// A floating-point buffer, of which the mean over the processes is taken where one of them has written it.
struct Averaged {
  Variable x;
  std::size_t place = 0;
  Array known = {};  // its elements when they were alike

  bool written() const { return !x.value().shares_elements_with(known); }
  Array weighted(double weight) const {
    return weight == 0 ? Array::full_like(x.value(), 0) : (x.detach() * weight).value();
  }
};

}  // namespace

class DataParallel::Exchange final : public detail::GradientExchange {
 public:
  Exchange(const Named& parameters, const Named& buffers, const DataParallelOptions& options,
           std::shared_ptr<int> no_sync_depth)
      : processes_(options.processes.get().duplicate()), shares_(options.processes), average_(options.average),
        wire_(options.bfloat16 ? Communicator::Wire::bfloat16 : Communicator::Wire::same),
        no_sync_depth_(std::move(no_sync_depth)) {
    // The way back comes to the last ones first.
    for (auto entry = parameters.rbegin(); entry != parameters.rend(); ++entry)
      if (!positions_.contains(entry->second.impl())) add(entry->second, entry->first, options.bucket_bytes);
    for (const auto& [name, x] : buffers)
      if (is_floating(x.dtype())) buffers_.push_back({x});
    for (Averaged& buffer : buffers_) buffer.place = averages(buffer.x.dtype()).add(buffer.x.size());
    used_.add(slots_.size() + buffers_.size());
    take_charge();
  }
  ~Exchange() override { let_go(slots_.size()); }

  /// The buffers are alike in all processes now.
  void note_buffers() {
    for (Averaged& buffer : buffers_) buffer.known = buffer.x.value();
  }

  double begin(bool create_graph) override {
    if (active_) throw GraphError("DataParallel: backward within backward, or in two threads at once");
    if (create_graph)
      throw GraphError("DataParallel: backward with create_graph: the sum over processes is not recorded; use grad, and "
                       "call backward on what is made of it");
    if (broken_) throw Error("DataParallel: an earlier backward failed while gradients were under way; make it anew");
    for (Slot& slot : slots_) {
      slot.note_zero_grad();
      slot.require_unchanged();
      slot.gradient = Variable();
    }
    next_ = unfinished_ = 0;
    missing_.assign(buckets_.size(), 0);
    for (const Slot& slot : slots_) ++missing_[slot.bucket];
    flags_ = Array::full({slots_.size() + buffers_.size()}, 0, int64);
    sync_ = *no_sync_depth_ == 0;
    if (sync_) begin_averages();
    active_ = true;
    return average_ ? shares_.share().weight() : 1;
  }

  void ready(const VariableImpl* leaf, Variable gradient) override {
    Slot& slot = slots_[positions_.at(leaf)];
    if (gradient.defined() && (gradient.shape() != slot.shape || gradient.dtype() != slot.dtype))
      throw GraphError("backward: a gradient of " + describe(gradient) + " for parameter \"" + slot.name + "\", which is " +
                       describe(slot.parameter) + " now: it was converted since the forward");
    slot.gradient = std::move(gradient);
    --missing_[slot.bucket];
    while (sync_ && next_ < buckets_.size() && missing_[next_] == 0) begin_next_bucket();
  }

  // One that is asked for lets all come forward.
  void go_on() override {
    while (unfinished_ < next_ && buckets_[unfinished_].done()) ++unfinished_;
  }

  void complete() override {
    if (!sync_) return;
    while (next_ < buckets_.size()) begin_next_bucket();
    used_.begin({flags_}, *processes_, Communicator::Wire::same);
  }

  std::vector<std::pair<Variable, Variable>> end() override {
    std::vector<std::pair<Variable, Variable>> gradients;
    if (sync_) gradients = summed();
    else for (Slot& slot : slots_) slot.add_locally();
    active_ = false;
    return gradients;
  }

  void fail() noexcept override { broken_ = std::exchange(active_, false) && sync_; }

 private:
  void add(const Variable& parameter, const std::string& name, std::size_t bucket_bytes) {
    std::size_t bytes = parameter.value().bytes();
    if (buckets_.empty() || buckets_.back().dtype() != parameter.dtype() || buckets_.back().bytes() + bytes > bucket_bytes)
      buckets_.emplace_back(parameter.dtype()), first_slots_.push_back(slots_.size());
    std::size_t place = buckets_.back().add(parameter.size());
    positions_[parameter.impl()] = slots_.size();
    slots_.push_back({name, parameter, parameter.dtype(), parameter.shape(), buckets_.size() - 1, place});
  }

  void take_charge() {
    std::size_t taken = 0;
    try {
      for (; taken < slots_.size(); ++taken) take_charge_of(slots_[taken].parameter);
    } catch (const GraphError&) {
      let_go(taken);
      throw GraphError("DataParallel: parameter \"" + slots_[taken].name + "\" is in another one already");
    }
  }
  void let_go(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) let_go_of(slots_[i].parameter);
  }

  // Buffers

  Bucket& averages(DType dtype) {
    for (Bucket& bucket : averages_)
      if (bucket.dtype() == dtype) return bucket;
    return averages_.emplace_back(dtype);
  }
  void begin_averages() {
    double weight = shares_.share().weight();
    for (std::size_t i = 0; i < buffers_.size(); ++i) flag(slots_.size() + i, buffers_[i].written());
    for (Bucket& bucket : averages_) {
      std::vector<Array> values;
      for (const Averaged& buffer : buffers_)
        if (buffer.x.dtype() == bucket.dtype()) values.push_back(buffer.weighted(weight));
      bucket.begin(std::move(values), *processes_, Communicator::Wire::same);
    }
  }
  void end_averages(const Array& used) {
    for (Bucket& bucket : averages_) bucket.wait();
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      Averaged& buffer = buffers_[i];
      if (used.at(slots_.size() + i) > 0)
        buffer.x.mutable_value().assign(averages(buffer.x.dtype()).sum(buffer.place, buffer.x.shape()));
      buffer.known = buffer.x.value();
    }
    for (Bucket& bucket : averages_) bucket.clear();
  }

  // Gradients

  void flag(std::size_t i, bool used) { flags_.mutable_data<std::int64_t>()[i] = used; }

  // In their order, which is the same in all processes.
  void begin_next_bucket() {
    std::vector<Array> arrays;
    for (std::size_t i = first_slots_[next_]; i < slots_.size() && slots_[i].bucket == next_; ++i) {
      arrays.push_back(slots_[i].take_contribution());
      flag(i, arrays.back().defined());
    }
    buckets_[next_++].begin(std::move(arrays), *processes_, wire_);
  }

  std::vector<std::pair<Variable, Variable>> summed() {
    for (Bucket& bucket : buckets_) bucket.wait();
    used_.wait();
    Array used = used_.sum(0, {slots_.size() + buffers_.size()});
    end_averages(used);
    std::vector<std::pair<Variable, Variable>> gradients;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (used.at(i) > 0)
        gradients.emplace_back(slots_[i].parameter, Variable(buckets_[slots_[i].bucket].sum(slots_[i].place, slots_[i].shape)));
    for (Bucket& bucket : buckets_) bucket.clear();
    return gradients;
  }

  std::unique_ptr<Communicator> processes_;  // with an order of its own: operations may sum up meanwhile
  Communicator& shares_;
  bool average_;
  Communicator::Wire wire_;
  std::shared_ptr<int> no_sync_depth_;
  std::vector<Slot> slots_;
  std::unordered_map<const VariableImpl*, std::size_t> positions_;
  std::vector<Bucket> buckets_, averages_;
  std::vector<std::size_t> first_slots_, missing_;  // by bucket: where its slots begin, how many gradients it lacks
  std::vector<Averaged> buffers_;
  Array flags_;                             // by slot and buffer: whether this process has something for it,
  Bucket used_{int64};                      // and how many processes have
  std::size_t next_ = 0, unfinished_ = 0;   // of the buckets
  bool active_ = false, sync_ = true, broken_ = false;
};

DataParallel::DataParallel(const Named& parameters, const Named& buffers, const DataParallelOptions& options)
    : processes_(options.processes) {
  require_alike(processes_, described(parameters, buffers, options));
  require_complete(parameters);
  if (processes_.size() == 1) return;
  exchange_ = std::make_shared<Exchange>(parameters, buffers, options, no_sync_depth_);
  for (const Named* list : {&parameters, &buffers})
    for (const auto& [name, x] : *list) processes_.broadcast(x.mutable_value());
  exchange_->note_buffers();
  if (options.seed_ranks) seed_rank(processes_);
}

DataParallel::~DataParallel() = default;

}  // namespace xtape::optim
