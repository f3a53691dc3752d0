#include <nn/losses/ctc.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <autograd/fuse.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/gathering.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/padding.hpp>
#include <autograd/ops/reductions.hpp>
#include <nn/losses/checks.hpp>

namespace xtape::nn {
namespace {

using namespace detail;

// The logarithm of the probability of what cannot be. Not infinity, whose differences are NaN; a sum of it over all
// times is still finite in float32.
constexpr double never = -1e30, hopeless = 1e29;

// What a target says in full: its labels with a blank before, between and behind them, in 2 S + 1 states.
struct States {
  std::size_t count;
  Variable classes;  // (batch, count) int64
  Variable skips;    // (batch, count) 0 where the state may follow the last but one directly, else never
  std::vector<std::size_t> input_lengths, target_lengths;
};

std::vector<std::size_t> lengths_of(const char* what, const Variable& lengths, std::size_t batch,
                                    std::size_t longest) {
  if (!lengths.defined() || lengths.dtype() != int64 || lengths.shape() != Shape{batch})
    throw ShapeError(std::string("ctc_loss: ") + what + " " + describe(lengths) + " for a batch of " +
                     std::to_string(batch) + ", needs int64" + to_string(Shape{batch}));
  std::vector<std::size_t> result;
  for (std::size_t n = 0; n < batch; ++n) {
    std::int64_t length = lengths.data<std::int64_t>()[n];
    if (length < 0 || length > static_cast<std::int64_t>(longest))
      throw ValueError(std::string("ctc_loss: ") + what + " of sample " + std::to_string(n) + " is " +
                       std::to_string(length) + ", needs 0 to " + std::to_string(longest));
    result.push_back(static_cast<std::size_t>(length));
  }
  return result;
}

// Where the labels of each sample begin, in targets that are one row each or follow each other.
std::vector<std::size_t> starts_of(const Variable& targets, const std::vector<std::size_t>& lengths) {
  std::vector<std::size_t> starts;
  std::size_t next = 0;
  for (std::size_t length : lengths) {
    starts.push_back(next);
    next += targets.rank() == 2 ? targets.shape(1) : length;
  }
  if (targets.rank() == 1 && next != targets.size())
    throw ShapeError("ctc_loss: target lengths of " + std::to_string(next) + " in all for targets " +
                     describe(targets));
  return starts;
}

States states_of(const Variable& log_probabilities, const Variable& targets, const Variable& input_lengths,
                 const Variable& target_lengths, std::int64_t blank) {
  std::size_t times = log_probabilities.shape(0), batch = log_probabilities.shape(1);
  auto classes = static_cast<std::int64_t>(log_probabilities.shape(2));
  bool rows = targets.defined() && targets.rank() == 2 && targets.shape(0) == batch;
  if (!targets.defined() || targets.dtype() != int64 || !(rows || targets.rank() == 1))
    throw ShapeError("ctc_loss: targets " + describe(targets) + " for a batch of " + std::to_string(batch) +
                     ", needs int64 (batch, longest), or all of them on one axis");
  if (blank < 0 || blank >= classes)
    throw ValueError("ctc_loss: the blank is " + std::to_string(blank) + " of " + std::to_string(classes) + " classes");
  States states;
  states.input_lengths = lengths_of("input length", input_lengths, batch, times);
  states.target_lengths = lengths_of("target length", target_lengths, batch, targets.shape(-1));
  std::vector<std::size_t> starts = starts_of(targets, states.target_lengths);
  std::size_t longest = batch > 0 ? std::ranges::max(states.target_lengths) : 0;
  states.count = 2 * longest + 1;
  Array said = Array::full({batch, states.count}, static_cast<double>(blank), int64);
  Array skips = Array::full({batch, states.count}, never, log_probabilities.dtype());
  visit_floating("ctc_loss", skips.dtype(), [&]<class T>(T) {
    for (std::size_t n = 0; n < batch; ++n)
      for (std::size_t s = 0; s < states.target_lengths[n]; ++s) {
        const std::int64_t* label = targets.data<std::int64_t>() + starts[n] + s;
        if (*label < 0 || *label >= classes || *label == blank)
          throw ValueError("ctc_loss: label " + std::to_string(*label) + " of sample " + std::to_string(n) +
                           ", needs 0 to " + std::to_string(classes - 1) + ", and not the blank, " +
                           std::to_string(blank));
        std::size_t place = n * states.count + 2 * s + 1;
        said.mutable_data<std::int64_t>()[place] = *label;
        if (s > 0 && label[0] != label[-1]) skips.mutable_data<T>()[place] = 0;
      }
  });
  states.classes = Variable(said);
  states.skips = Variable(skips);
  return states;
}

// x[0], x[1], ... by halves: slices one by one would make each gradient as long as x.
void append_parts(const Variable& x, std::vector<Variable>& parts) {
  auto n = static_cast<std::ptrdiff_t>(x.shape(0));
  if (n == 1) return parts.push_back(x.reshape(Shape(x.shape().begin() + 1, x.shape().end())));
  append_parts(x[range(0, n / 2)], parts);
  append_parts(x[range(n / 2, n)], parts);
}

// (batch, 1) of int64 or bool
template <class F>
Variable column(const std::vector<std::size_t>& lengths, DType dtype, F f) {
  Array result({lengths.size(), 1}, dtype);
  visit(dtype, [&]<class T>(T) {
    for (std::size_t n = 0; n < lengths.size(); ++n) result.mutable_data<T>()[n] = static_cast<T>(f(lengths[n]));
  });
  return Variable(result);
}

// The logarithms of the forward variables at the end of each input: of all ways to be in each state by then.
Variable forward_variables(const Variable& log_probabilities, const States& states) {
  std::size_t times = log_probabilities.shape(0), batch = log_probabilities.shape(1);
  auto count = static_cast<std::ptrdiff_t>(states.count);
  Variable said = broadcast_to(states.classes, {times, batch, states.count});
  std::vector<Variable> emissions;
  append_parts(maximum(take_along_axis(log_probabilities, said, 2), never), emissions);
  Variable first = where(arange(states.count) < 2, 0, never).to(log_probabilities.dtype());
  std::size_t shortest = std::ranges::min(states.input_lengths);
  auto goes_on = [&](std::size_t t) {
    return column(states.input_lengths, boolean, [t](std::size_t length) { return t < length; });
  };
  Variable alpha = emissions[0] + first;
  if (shortest == 0) {
    // Without any time, nothing has been said for certain.
    Variable nothing = where(arange(states.count) == 0, 0, never).to(log_probabilities.dtype());
    alpha = where(goes_on(0), alpha, nothing);
  }
  for (std::size_t t = 1; t < times; ++t) {
    Variable before = pad(alpha, {{0, 0}, {2, 0}}, PadMode::constant, never);
    // By staying, from the state before, or from the one before that.
    Variable next = fuse([](auto stay, auto step, auto skip, auto allowed, auto emission) {
      return logaddexp(logaddexp(stay, step), skip + allowed) + emission;
    }, alpha, before[{ellipsis, range(1, count + 1)}], before[{ellipsis, range(0, count)}], states.skips, emissions[t]);
    alpha = t < shortest ? next : where(goes_on(t), next, alpha);
  }
  return alpha;
}

}  // namespace

Variable ctc_loss(const Variable& log_probabilities, const Variable& targets, const Variable& input_lengths,
                  const Variable& target_lengths, const CTCOptions& options) {
  if (!log_probabilities.defined() || log_probabilities.rank() != 3 || log_probabilities.shape(0) == 0 ||
      log_probabilities.shape(2) == 0)
    throw ShapeError("ctc_loss: log-probabilities " + describe(log_probabilities) +
                     ", needs (time, batch, classes), with one time and one class or more");
  visit_floating("ctc_loss", log_probabilities.dtype(), [](auto) {});
  States states = states_of(log_probabilities, targets, input_lengths, target_lengths, options.blank);
  if (log_probabilities.shape(1) == 0)
    return reduce("ctc_loss", log_probabilities[{0, range(), 0}], options.reduction);
  Variable alpha = forward_variables(log_probabilities, states);

  // A target ends in its last label or in the blank behind it; one without labels has the blank alone.
  const auto& lengths = states.target_lengths;
  Variable last = column(lengths, int64, [](std::size_t n) { return n > 0 ? 2 * n - 1 : 0; });
  Variable label = take_along_axis(alpha, last, 1);
  label = where(column(lengths, boolean, [](std::size_t n) { return n > 0; }), label, never);
  Variable blank = take_along_axis(alpha, column(lengths, int64, [](std::size_t n) { return 2 * n; }), 1);
  Variable losses = -logaddexp(label, blank).reshape({-1});

  losses = where(losses >= hopeless, options.zero_infinity ? 0 : std::numeric_limits<double>::infinity(), losses);
  if (options.reduction == Reduction::mean) {
    Variable divisors = column(lengths, int64, [](std::size_t n) { return std::max<std::size_t>(n, 1); });
    losses = losses / divisors.reshape({-1}).to(losses.dtype());
  }
  return reduce("ctc_loss", losses, options.reduction);
}

}  // namespace xtape::nn
