#include <autograd/kernels/strided.hpp>

#include <algorithm>
#include <array>

#include <autograd/kernels/loops.hpp>
#include <autograd/kernels/parallel.hpp>

namespace xtape::kernels {
namespace {

template <class T>
void copy_row(T* out, std::ptrdiff_t out_step, const T* in, std::ptrdiff_t in_step, std::size_t n) {
  if (out_step == 1 && in_step == 1) std::copy_n(in, n, out);
  else if (out_step == 1 && in_step == 0) std::fill_n(out, n, *in);
  else for (; n > 0; --n, out += out_step, in += in_step) *out = *in;
}

// A row of the one array is a column of the other: square blocks let both stay in the cache.
template <class T>
void copy_plane(T* out, const T* in, const Loops::Loop& outer, const Loops::Loop& inner) {
  constexpr std::size_t block = 16;
  for (std::size_t i0 = 0; i0 < outer.extent; i0 += block)
    for (std::size_t j0 = 0; j0 < inner.extent; j0 += block)
      for (std::size_t i = i0; i < std::min(i0 + block, outer.extent); ++i) {
        auto row = static_cast<std::ptrdiff_t>(i), column = static_cast<std::ptrdiff_t>(j0);
        copy_row(out + row * outer.step[0] + column * inner.step[0], inner.step[0],
                 in + row * outer.step[1] + column * inner.step[1], inner.step[1],
                 std::min(block, inner.extent - j0));
      }
}

template <class T>
void copy(T* out, const Strides& out_strides, const T* in, const Strides& in_strides, const Shape& shape) {
  Loops loops(shape, std::array{out_strides, in_strides});
  auto inner = loops.inner();
  bool crosses = inner.step[0] == 1 && inner.step[1] > 1 && loops.loops.size() > 1;
  if (!crosses) {
    parallel_for(loops.size(), worth_a_thread, [&](std::size_t begin, std::size_t end) {
      loops.for_each_row(begin, end, [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
        copy_row(out + offset[0], step[0], in + offset[1], step[1], n);
      });
    });
    return;
  }
  // The axis that is dense in `in` joins the innermost as a plane.
  auto dense = std::find_if(loops.loops.begin(), loops.loops.end() - 1, [](auto& l) { return l.step[1] == 1; });
  if (dense == loops.loops.end() - 1) dense = loops.loops.end() - 2;
  auto outer = *dense;
  loops.loops.erase(dense);
  loops.loops.back() = {1, Strides(2, 0)};
  if (outer.extent == 0 || inner.extent == 0) return;
  parallel_for(loops.size(), worth_a_thread_of(outer.extent * inner.extent), [&](std::size_t begin, std::size_t end) {
    loops.for_each_row(begin, end, [&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
      for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(n); ++i)
        copy_plane(out + offset[0] + i * step[0], in + offset[1] + i * step[1], outer, inner);
    });
  });
}

}  // namespace

Array read_part(const Array& x, const View& view) {
  Array result(view.shape, x.dtype());
  visit(x.dtype(), [&]<class T>(T) {
    copy(result.mutable_data<T>(), dense_strides(view.shape), x.data<T>() + view.offset, view.strides, view.shape);
  });
  return result;
}

void assign_part(Array& x, const View& view, const Array& elements) {
  visit(x.dtype(), [&]<class T>(T) {
    copy(x.mutable_data<T>() + view.offset, view.strides, elements.data<T>(), dense_strides(view.shape), view.shape);
  });
}

void add_part(Array& x, const View& view, const Array& elements) {
  Loops loops(view.shape, std::array{view.strides, dense_strides(view.shape)});
  visit(x.dtype(), [&]<class T>(T) {
    T* out = x.mutable_data<T>() + view.offset;
    const T* in = elements.data<T>();
    loops.for_each_row([&](const std::ptrdiff_t* offset, const std::ptrdiff_t* step, std::size_t n) {
      T* to = out + offset[0];
      const T* from = in + offset[1];
      for (std::size_t i = 0; i < n; ++i, to += step[0], from += step[1])
        *to = static_cast<T>(*to + *from);
    });
  });
}

Array transpose(const Array& x, const std::vector<std::size_t>& axes) {
  Strides strides = dense_strides(x.shape());
  View view;
  for (std::size_t axis : axes) {
    view.shape.push_back(x.shape()[axis]);
    view.strides.push_back(strides[axis]);
  }
  return read_part(x, view);
}

Array broadcast_to(const Array& x, const Shape& shape) {
  return read_part(x, {shape, broadcast_strides(x.shape(), shape), 0});
}

}  // namespace xtape::kernels
