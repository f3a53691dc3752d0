// Shapes: the same elements arranged otherwise, and what lies around them. Most of these are linear maps, of which the
// gradient is the transposed one; and many have an inverse.
#include <tests/fuzz/targets.hpp>

namespace xtape::fuzz {
namespace {

using Map = std::function<Variable(const Variable&)>;

void linear(Input& input, const Variable& x, const Map& f) { differentiate(input, x, f, true); }

// That g undoes what f did, where f does anything.
void inverse(const Variable& x, const Map& f, const Map& g) {
  Variable y;
  if (!allowed([&] { y = f(x); })) return;
  require(fuzz::same(g(y), x), "the inverse gives something else");
}

// The shape has to be as it would be if no number had an end.
void require_extent(const Variable& y, std::ptrdiff_t axis, double extent) {
  require(static_cast<double>(y.shape(axis)) == extent, "an extent of " + std::to_string(y.shape(axis)));
}

void same_elements(const Variable& x, const Map& f) {
  Variable y;
  if (!allowed([&] { y = f(x); })) return;
  require(fuzz::same(ravel(y), ravel(x)), "other elements, or in another order");
}

}  // namespace

void shapes(Input& input) {
  Variable x = input.integers(float64);
  auto rank = static_cast<std::ptrdiff_t>(x.rank());
  std::vector<std::ptrdiff_t> numbers = input.numbers(5);
  Axes axes = input.axes();
  std::ptrdiff_t a = input.number(), b = input.number();
  Map f;
  switch (input.below(24)) {
    case 0: same_elements(x, f = [&](const Variable& v) { return reshape(v, numbers); }); break;
    case 1:
      f = [&](const Variable& v) { return transpose(v, axes); };
      inverse(x, f, [&](const Variable& y) {
        std::vector<std::ptrdiff_t> back(x.rank());
        std::ptrdiff_t to = 0;
        for (std::ptrdiff_t axis : axes) back[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = to++;
        return transpose(y, axes.empty() ? Axes() : Axes(back));
      });
      break;
    case 2: same_elements(x, f = [&](const Variable& v) { return squeeze(v, axes); }); break;
    case 3: same_elements(x, f = [&](const Variable& v) { return expand_dims(v, axes); }); break;
    case 4:
      f = [&](const Variable& v) { return broadcast_to(v, numbers); };
      allowed([&] {
        Variable y = f(x);
        for (std::size_t i = 0; i < y.size(); ++i) {
          std::vector<std::size_t> place = unravel(i, y.shape());
          place.erase(place.begin(), place.end() - rank);
          for (std::size_t axis = 0; axis < x.rank(); ++axis)
            if (x.shape()[axis] == 1) place[axis] = 0;
          require(at(y, i) == at(x, ravel_position(place, x.shape())), "another element");
        }
      });
      break;
    case 5: same_elements(x, f = [&](const Variable& v) { return flatten(v, a, b); }); break;
    case 6: same_elements(x, f = [&](const Variable& v) { return unflatten(v, a, numbers); }); break;
    case 7: f = [&](const Variable& v) { return expand(v, numbers); }; break;
    case 8: {
      Axes to = input.axes();
      f = [&, to](const Variable& v) { return movedim(v, axes, to); };
      inverse(x, f, [&](const Variable& y) { return movedim(y, to, axes); });
      break;
    }
    case 9:
      f = [&](const Variable& v) { return swapaxes(v, a, b); };
      inverse(x, f, f);
      break;
    case 10:
      f = [&](const Variable& v) { return tile(v, numbers); };
      allowed([&] {
        Variable y = f(x);
        for (std::ptrdiff_t axis = -1; axis >= -std::min(rank, static_cast<std::ptrdiff_t>(numbers.size())); --axis)
          require_extent(y, axis, 1.0 * static_cast<double>(numbers.end()[axis]) * static_cast<double>(x.shape(axis)));
        for (std::size_t i = 0; i < y.size(); ++i) {
          std::vector<std::size_t> place = unravel(i, y.shape());
          place.erase(place.begin(), place.end() - rank);
          for (std::size_t axis = 0; axis < x.rank(); ++axis) place[axis] %= x.shape()[axis];
          require(at(y, i) == at(x, ravel_position(place, x.shape())), "another element");
        }
      });
      break;
    case 11: f = [&, step = input.count()](const Variable& v) { return windows(v, a, static_cast<std::size_t>(b),
        step); }; break;
    case 12:
      f = [&](const Variable& v) { return flip(v, axes); };
      inverse(x, f, f);
      break;
    case 13: {
      auto axis = input.maybe_number();
      f = [&, axis](const Variable& v) { return roll(v, a, axis); };
      if (a != std::numeric_limits<std::ptrdiff_t>::min()) inverse(x, f, [&](const Variable& y) { return roll(y, -a,
          axis); });
      break;
    }
    case 14: f = [&](const Variable& v) { return roll(v, numbers, axes); }; break;
    case 15: {
      std::ptrdiff_t k = input.number();
      f = [&, k](const Variable& v) { return rot90(v, k, a, b); };
      inverse(x, f, [&](const Variable& y) { return rot90(y, k, b, a); });
      break;
    }
    case 16: {
      auto axis = input.maybe_number();
      f = [&, axis](const Variable& v) { return repeat_interleave(v, static_cast<std::size_t>(a), axis); };
      if (axis)
        allowed([&] {
          auto copies = static_cast<double>(static_cast<std::size_t>(a));
          require_extent(f(x), *axis, copies * static_cast<double>(x.shape(*axis)));
        });
      break;
    }
    case 17: {
      auto axis = input.maybe_number();
      Variable copies = input.positions(input.shape(2, 4), 4);
      f = [=](const Variable& v) { return repeat_interleave(v, copies, axis); };
      if (axis && copies.size() > 1)
        allowed([&] {
          Variable y = f(x);
          double total = 0;
          for (std::size_t i = 0; i < copies.size(); ++i) total += at(copies, i);
          require_extent(y, *axis, total);
        });
      break;
    }
    case 18: {
      std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>> widths(input.below(5));
      for (auto& [before, after] : widths) before = input.number(), after = input.number();
      PadMode mode = input.pick({PadMode::constant, PadMode::reflect, PadMode::replicate, PadMode::circular});
      f = [=](const Variable& v) { return pad(v, widths, mode); };
      allowed([&] {
        Variable y = f(x);
        for (std::size_t axis = 0; axis < widths.size(); ++axis) {
          double around = static_cast<double>(widths[axis].first) + static_cast<double>(widths[axis].second);
          require_extent(y, static_cast<std::ptrdiff_t>(axis), static_cast<double>(x.shape()[axis]) + around);
        }
      });
      break;
    }
    case 19: f = [&, k = input.number()](const Variable& v) { return diagonal(v, k, a, b); }; break;
    case 20: f = [&](const Variable& v) { return a % 2 ? diag(v, b) : diag_embed(v, b); }; break;
    case 21: {
      f = [&](const Variable& v) { return triu(v, a); };
      allowed([&] {
        if (a != std::numeric_limits<std::ptrdiff_t>::min())
          require(fuzz::same(f(x) + tril(x, a - 1), x + 0.0), "triangles that are not the whole");
      });
      break;
    }
    case 22: f = [&](const Variable& v) { return a % 2 ? vec_to_tril_matrix(v, b) : tril_matrix_to_vec(v, b); }; break;
    default: f = [&](const Variable& v) {
      return a % 2 ? pixel_shuffle(v, static_cast<std::size_t>(b)) : pixel_unshuffle(v, static_cast<std::size_t>(b));
    };
  }
  linear(input, x, f);
}

void joining(Input& input) {
  std::vector<Variable> xs;
  Shape shape = input.shape(3, 4);
  DType dtype = input.dtype();
  for (std::size_t n = input.below(4); n > 0; --n)
    xs.push_back(input.integers(input.below(4) ? shape : input.shape(3, 4), input.below(8) ? dtype : input.dtype()));
  Variable x = input.integers(shape, float64);
  std::ptrdiff_t axis = input.number();
  std::size_t sections = input.count();
  std::vector<std::ptrdiff_t> sizes = input.numbers(4);
  auto whole_again = [&](const std::function<std::vector<Variable>()>& parts) {
    std::vector<Variable> pieces;
    if (allowed([&] { pieces = parts(); }) && !pieces.empty() && pieces.size() < 1000)
      require(fuzz::same(concatenate(pieces, axis), x), "parts that are not the whole");
  };
  switch (input.below(10)) {
    case 0: allowed([&] {
      Variable all = concatenate(xs, axis);
      std::vector<std::ptrdiff_t> extents;
      for (const Variable& part : xs) extents.push_back(static_cast<std::ptrdiff_t>(part.shape(axis)));
      std::vector<Variable> again = split(all, Dims(extents), axis);
      for (std::size_t i = 0; i < xs.size(); ++i) require(fuzz::same(again[i], xs[i].to(again[i].dtype())),
          "another part");
    }); break;
    case 1: allowed([&] {
      std::vector<Variable> again = unbind(stack(xs, axis), axis);
      for (std::size_t i = 0; i < xs.size(); ++i) require(fuzz::same(again[i], xs[i].to(again[i].dtype())),
          "another part");
    }); break;
    case 2: whole_again([&] { return split(x, sections, axis); }); break;
    case 3: whole_again([&] {
      std::vector<Variable> parts = split(x, Dims(sizes), axis);
      for (std::size_t i = 0; i < parts.size(); ++i) require_extent(parts[i], axis, static_cast<double>(sizes[i]));
      return parts;
    }); break;
    case 4: whole_again([&] { return chunk(x, sections, axis); }); break;
    case 5: whole_again([&] { return array_split(x, sections, axis); }); break;
    case 6: allowed([&] { hstack(xs); }); allowed([&] { vstack(xs); }); break;
    case 7: allowed([&] { dstack(xs); }); allowed([&] { block_diag(xs); }); break;
    case 8: allowed([&] { meshgrid(xs, input.word({"ij", "xy"})); }); break;
    default: differentiate(input, x, [&](const Variable& v) {
      std::vector<Variable> all = xs;
      all.push_back(v);
      return sections % 2 ? concatenate(all, axis) : stack(all, axis);
    });
  }
}

void creation(Input& input) {
  DType dtype = input.dtype();
  std::vector<std::ptrdiff_t> extents = input.numbers(3);
  Scalar first = input.flag() ? Scalar(input.real()) : Scalar(input.number());
  switch (input.below(12)) {
    case 0: allowed([&] { full(extents, first, dtype); }); break;
    case 1: allowed([&] { zeros(extents, dtype); }); break;
    case 2: allowed([&] { eye(input.count(), input.count(), dtype); }); break;
    case 3: {
      double start = input.real(), stop = input.real(), step = input.real();
      if (std::abs((stop - start) / step) < 1e5 || std::abs((stop - start) / step) > 1e12)
        allowed([&] { arange(start, stop, step, dtype); });
      break;
    }
    case 4: {
      // What is long but can be had is left out: it only takes time.
      std::ptrdiff_t start = input.number(), stop = input.number(), step = input.number();
      if (step == 0 || std::abs((1.0 * stop - 1.0 * start) / step) < 1e5 ||
          std::abs(1.0 * (stop - 1.0 * start) / step) > 1e12)
        allowed([&] { arange(Scalar(start), Scalar(stop), Scalar(step), dtype); });
      break;
    }
    case 5: allowed([&] { linspace(input.real(), input.real(), input.count(), dtype); }); break;
    case 6: allowed([&] { logspace(input.real(), input.real(), input.count(), input.real(), dtype); }); break;
    case 7: {
      std::int64_t low = input.number(), high = input.number();
      Generator generator(1);
      allowed([&] {
        Variable x = randint(low, high, extents, dtype, generator);
        if (dtype == int64)
          for (std::size_t i = 0; i < x.size(); ++i) {
            std::int64_t value = x.data<std::int64_t>()[i];
            require(low <= value && value < high, "a random number out of range");
          }
      });
      break;
    }
    case 8: allowed([&] { tril_indices(input.count(), input.count(), input.number()); }); break;
    case 9: allowed([&] { triu_indices(input.count(), input.count(), input.number()); }); break;
    case 10: {
      Generator generator(1);
      Variable p = input.reals(input.shape(2, 4), input.dtype());
      allowed([&] { bernoulli(p, generator); });
      allowed([&] { multinomial(p, input.count(), input.flag(), generator); });
      allowed([&] { randperm(input.count(), generator); });
      break;
    }
    default: {
      Variable x = input.reals(input.shape(), dtype);
      allowed([&] { x.to(input.dtype()); });
      allowed([&] { dropout(x, input.real()); });
      allowed([&] { full_like(x, first); });
    }
  }
}

}  // namespace xtape::fuzz
