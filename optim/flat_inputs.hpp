// The inputs of a function as one vector.
#pragma once

#include <string>
#include <vector>

#include <autograd/variable.hpp>
#include <optim/state.hpp>

namespace xtape::optim::detail {

/// The elements of all floating-point inputs, one input after the other, as a vector of float64: what a method that
/// minimizes over all of them works with. Inputs of other dtypes are constants, and go to the function as they are.
class FlatInputs {
 public:
  /// `who` begins the messages of errors. Copies the inputs. @throws ValueError when one is undefined, has an element
  /// that is not finite, or none has floating-point elements.
  FlatInputs(std::string who, const std::vector<Variable>& inputs);

  const std::string& who() const { return who_; }
  std::size_t size() const { return size_; }
  /// The inputs as they were given.
  Variable start() const { return flat(inputs_); }
  /// As one vector: one part for each input, of its shape.
  Variable flat(const std::vector<Variable>& parts) const;
  /// The inputs whose elements are those of the vector, in their own dtypes.
  std::vector<Variable> parts(const Variable& flat) const;
  /// The floating-point ones among parts.
  std::vector<Variable> floating(const std::vector<Variable>& parts) const;
  /// Bounds, one for each input, which broadcast to it, rounded to its dtype; `none` where one is undefined, or there
  /// are none.
  /// @throws ValueError when their number is wrong or one is NaN, ShapeError when one does not broadcast.
  Variable bounds(const char* option, const std::vector<Variable>& bounds, double none) const;

 private:
  bool is_variable(std::size_t i) const;

  std::string who_;
  std::vector<Variable> inputs_;
  std::size_t size_ = 0;
};

/// Checks an option of `who`. @throws ValueError naming both.
inline auto checker_of_options(const char* who) {
  return [who](const char* name, auto value, const Range& range) {
    require_in_range(who, name, static_cast<double>(value), range);
  };
}
/// The options by which any method stops. @throws ValueError for one that is out of range.
template <class Options>
void check_when_to_stop(const char* who, const Options& o) {
  auto check = checker_of_options(who);
  check("gradient_tolerance", o.gradient_tolerance, {});
  check("value_tolerance", o.value_tolerance, {});
  check("step_tolerance", o.step_tolerance, {});
  check("max_iterations", o.max_iterations, {.low = 1});
  check("max_evaluations", o.max_evaluations, {.low = 1});
}

/// The greatest element in magnitude; 0 for a vector without elements.
double greatest(const Variable& x);

}  // namespace xtape::optim::detail
