// Exponential moving averages of weights.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include <autograd/state_dict.hpp>
#include <autograd/variable.hpp>

namespace xtape::optim {

struct EMAOptions {
  double decay = 0.999;
};

/// Averages of parameters (or buffers) over the steps of a training, which often generalize better than the last ones
/// (Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; with exponential weights as in
/// Tarvainen and Valpola, Mean teachers are better role models, NeurIPS 2017). The first `update` copies the
/// parameters, each later one makes it
///
///     average = decay average + (1 - decay) parameter
///
/// A parameter that gets its elements later, in a lazy layer's first call, begins to be averaged then.
///
/// One thread may read averages, or the state, while another updates them.
class EMA {
 public:
  /// @throws ValueError when the list is empty, a parameter is undefined or listed twice, or decay is not in [0, 1];
  /// DTypeError for one that is not floating-point.
  explicit EMA(std::vector<Variable> parameters, const EMAOptions& options = {});
  EMA(const EMA&) = delete;
  EMA& operator=(const EMA&) = delete;

  /// Takes the parameters as they are now into the averages: after each step of the optimizer. @throws ShapeError, and
  /// changes nothing, for a parameter that has changed its shape.
  void update();
  /// The number of updates.
  std::int64_t updates() const;
  /// In the order of the parameters. @throws Error before the first update.
  std::vector<Variable> averages() const;

  /// Exchanges the parameters and their averages; a second call takes it back. @throws Error before the first update;
  /// ShapeError, and changes nothing, for a parameter that has changed its shape.
  void swap();
  /// For evaluation: within its scope the parameters are the averages.
  class Scope {
   public:
    explicit Scope(EMA& ema) : ema_(ema) { ema_.swap(); }
    ~Scope() { ema_.swap(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    EMA& ema_;
  };

  /// Copies of "updates", "decay" and the averages, "average.0", "average.1", ... by the parameters' positions.
  StateDict state_dict() const;
  /// @throws ValueError listing everything that does not fit, and changes nothing then.
  void load_state_dict(const StateDict& state);

 private:
  void require_updated(const char* operation) const;
  bool begins(std::size_t i) const;
  void check_shapes(const char* operation) const;
  Array& average(std::size_t i);
  std::vector<Array> prepared(const char* operation);
  std::vector<Variable> copies() const;

  mutable std::mutex mutex_;  // of what follows
  std::vector<Variable> parameters_;
  std::vector<Array> averages_;
  double decay_;
  std::int64_t updates_ = 0;
};

}  // namespace xtape::optim
