// einsum, as texts of any kind, and as ones that a plain loop over all letters computes as well.
#include <map>

#include <tests/fuzz/targets.hpp>

namespace xtape::fuzz {
namespace {

// The sum over all positions of the letters; nothing where the operands do not fit.
std::optional<Variable> sum_over_letters(const std::vector<std::string>& names, const std::string& output,
                                         const std::vector<Variable>& xs) {
  std::map<char, std::size_t> extents;
  for (std::size_t k = 0; k < xs.size(); ++k)
    for (std::size_t axis = 0; axis < names[k].size(); ++axis) {
      std::size_t &known = extents.try_emplace(names[k][axis], 1).first->second, extent = xs[k].shape()[axis];
      if (xs[k].shape()[names[k].find(names[k][axis])] != extent) return {};  // no diagonal
      if (known == 1) known = extent;
      else if (extent != 1 && extent != known) return {};
    }
  Shape all, result_shape;
  std::string letters;
  for (auto [letter, extent] : extents) {
    letters += letter;
    all.push_back(extent);
  }
  for (char letter : output) result_shape.push_back(extents.at(letter));
  Variable result = zeros(result_shape, float64);
  double* sums = result.mutable_data<double>();
  auto position = [&](const std::string& axes, const Shape& shape, const std::vector<std::size_t>& at) {
    std::vector<std::size_t> there;
    for (std::size_t axis = 0; axis < axes.size(); ++axis)
      there.push_back(shape[axis] == 1 ? 0 : at[letters.find(axes[axis])]);
    return ravel_position(there, shape);
  };
  for (std::size_t i = 0; i < element_count(all); ++i) {
    std::vector<std::size_t> place = unravel(i, all);
    double product = 1;
    for (std::size_t k = 0; k < xs.size(); ++k) product *= at(xs[k], position(names[k], xs[k].shape(), place));
    sums[position(output, result_shape, place)] += product;
  }
  return result;
}

void any_text(Input& input) {
  std::vector<Variable> xs;
  for (std::size_t n = input.below(4); n > 0; --n) xs.push_back(input.integers(input.shape(4, 3), input.floating()));
  std::string text = input.rest();
  if (xs.empty()) allowed([&] { xtape::einsum(text, xs); });
  else differentiate(input, xs[0], [&](const Variable& x) {
    std::vector<Variable> operands = xs;
    operands[0] = x;
    return xtape::einsum(text, operands);
  });
}

void good_text(Input& input) {
  std::map<char, std::size_t> extents;
  for (char letter : {'a', 'b', 'c', 'd', 'e'}) extents[letter] = input.below(4) == 3 ? 0 : 1 + input.below(3);
  std::vector<std::string> names(1 + input.below(4));
  std::vector<Variable> xs;
  std::string text, used;
  for (std::string& name : names) {
    Shape shape;
    for (std::size_t n = input.below(5); n > 0; --n) {
      std::uint8_t code = input.byte();
      name += static_cast<char>('a' + code % 5);
      shape.push_back(code >= 240 ? 1 : code >= 236 ? 3 : extents[name.back()]);
    }
    text += (xs.empty() ? "" : ",") + name;
    used += name;
    xs.push_back(input.integers(shape, float64));
  }
  std::string output;
  if (input.flag()) {
    for (std::size_t n = input.below(5); n > 0 && !used.empty(); --n)
      if (char letter = used[input.below(used.size())]; output.find(letter) == std::string::npos) output += letter;
    text += "->" + output;
  } else {
    for (char letter : {'a', 'b', 'c', 'd', 'e'})
      if (std::count(used.begin(), used.end(), letter) == 1) output += letter;
  }
  std::optional<Variable> expected = sum_over_letters(names, output, xs);
  Variable got;
  bool done = allowed([&] { got = xtape::einsum(text, xs); });
  std::string shapes;
  for (const Variable& x : xs) shapes += " " + to_string(x.shape());
  require(done == expected.has_value(), text + (done ? " computes what does not fit:" : " is refused:") + shapes);
  if (done) {
    Variable difference = got - *expected;  // 0 may have either sign
    require(got.shape() == expected->shape() && fuzz::same(abs(difference), zeros_like(difference)),
        text + ": other sums");
  }
  for (std::size_t k = 0; k < xs.size(); ++k)
    differentiate(input, xs[k], [&](const Variable& x) {
      std::vector<Variable> operands = xs;
      operands[k] = x;
      return xtape::einsum(text, operands);
    }, true);
}

}  // namespace

void einsum(Input& input) { input.flag() ? good_text(input) : any_text(input); }

}  // namespace xtape::fuzz
