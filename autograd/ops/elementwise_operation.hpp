// The operation that an elementwise rule is: its rows for this processor, and its partial derivatives, as a table. The
// rules themselves are in autograd/fused/; define_elementwise.hpp makes the tables of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include <autograd/fused/number.hpp>
#include <autograd/kernels/targets/map.hpp>
#include <autograd/tape.hpp>

namespace xtape::detail {

class Elementwise final : public ConstantOperation {
 public:
  /// A function of registers for each dtype, null where there is none.
  struct Rows {
    kernels::MapRow<float> of_float;
    kernels::MapRow<double> of_double;
    kernels::MapRow<std::int64_t> of_int64 = nullptr;

    template <class T>
    kernels::MapRow<T> of() const {
      if constexpr (std::is_same_v<T, float>) return of_float;
      else if constexpr (std::is_same_v<T, double>) return of_double;
      else return of_int64;
    }
  };

  /// The gradient of an operand, from the values that it is told and from that of the result: 0, the same, or a function.
  /// It is linear in the gradient, by a factor: the same function makes the tangent of the result of the operand's.
  struct Partial {
    enum class Kind { constant, pass, function };
    /// In the order in which the function takes them: operands by their number, or `result`.
    static constexpr std::uint8_t result = 255;
    static constexpr std::size_t most_values = 5;  ///< with the gradient
    using Values = std::array<std::uint8_t, most_values - 1>;

    Kind kind = Kind::constant;
    std::uint8_t count = 0;  // of the values
    Values values{};
    Rows rows{};  // of the values and the gradient, as are the following
    Variable (*of_variables)(const Variable*) = nullptr;
    fused::Number (*of_numbers)(const fused::Number*) = nullptr;

    std::span<const std::uint8_t> told() const { return {values.data(), count}; }
  };

  static constexpr std::size_t most_operands = 4;

  template <std::size_t n>
  Elementwise(const char* name, Rows rows, const std::array<Partial, n>& partials)
      : ConstantOperation(name), rows_(rows), operands_(n) {
    static_assert(n <= most_operands);
    std::copy(partials.begin(), partials.end(), partials_.begin());
  }

  std::size_t operands() const { return operands_; }
  const Rows& rows() const { return rows_; }
  /// Whether it is computed as fast as its result is read, as what integers have as well: sums, products, comparisons.
  bool is_cheap() const { return rows_.of_int64; }
  const Partial& partial(std::size_t k) const { return partials_[k]; }

  void evaluate(std::span<const Array> operands, std::span<Array> results) override {
    results[0] = computed(operands, operands[0].dtype());
  }
  std::uint32_t saves(std::uint32_t needed) override;
  void backward(const Node& node, std::span<Variable> gradients, std::span<InputGradient> inputs) const override;
  void jvp(const Node& node, std::span<Variable> tangents, std::span<ResultTangent> results) const override;
  bool map(const Batch& batch, std::span<Variable> results) const override;

  /// The rule on Variables.
  Variable operator()(std::span<const Variable* const> operands) const;

 private:
  Array computed(std::span<const Array> operands, DType dtype) const;
  Array empty_result(std::span<const Array> operands, DType dtype) const;
  static Variable times_partial(const Node& node, const Partial& partial, Variable v);

  Rows rows_;
  std::size_t operands_;
  std::array<Partial, most_operands> partials_;
};

}  // namespace xtape::detail
