// Trees of Variables: what the transforms take, and what functions return, beside single Variables.
//
// A tree is a Variable, or is made of trees: a vector or another sequence, a std::array, a std::map, a pair or tuple, a
// std::optional, or a struct. A struct is taken apart by itself where it is an aggregate of at most 16 members, without
// base classes and C arrays; any other class says what it is made of, copies of it having members of their own:
//
//     class Line {
//      public:
//       static auto members(auto& self) { return std::tie(self.slope_, self.offset_); }
//      private:
//       Variable slope_, offset_;
//     };
//
// Numbers, enumerations, strings and sequences of such may stand between the Variables: they stay as they are. A pair of
// a string and a tree is a tree with a name, so that `net.named_parameters()` is one of Variables by name.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {
namespace detail {

// Converts to anything: to count the members of an aggregate by what initializes it.
struct Anything {
  template <class T>
  operator T() const;
};

template <class T, std::size_t... I>
constexpr bool takes_members(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything())...}; };
}
template <class T, std::size_t N>
constexpr std::size_t member_count() {
  if constexpr (N == 0 || takes_members<T>(std::make_index_sequence<N>())) return N;
  else return member_count<T, N - 1>();
}

template <class T>
concept SaysMembers = requires(T& t) { T::members(t); };
template <class T>
concept OrderedMap = requires { typename T::key_compare; typename T::mapped_type; };
template <class T>
concept Sequence = !requires { typename T::key_type; } && requires(T& t) {
  typename T::value_type;
  t.begin() != t.end();
  t.size();
};
template <class T>
concept Optional = requires(T& t) {
  typename T::value_type;
  t.has_value();
  *t;
};
template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; };
template <class T>
concept NamedPair = TupleLike<T> && requires(const T& t) { std::string_view(t.first); };

template <class T>
constexpr bool is_tree() {
  if constexpr (std::derived_from<T, Variable> || SaysMembers<T>) return true;
  else if constexpr (OrderedMap<T>) return is_tree<typename T::mapped_type>();
  else if constexpr (Sequence<T> || Optional<T>) return is_tree<std::remove_cv_t<typename T::value_type>>();
  else if constexpr (TupleLike<T>)
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (is_tree<std::remove_cvref_t<std::tuple_element_t<I, T>>>() || ...);
    }(std::make_index_sequence<std::tuple_size_v<T>>());
  else return std::is_class_v<T> && std::is_aggregate_v<T>;
}

// What may stand between the Variables of a tree.
template <class T>
constexpr bool is_constant() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) return true;
  else if constexpr (std::convertible_to<const T&, std::string_view>) return true;
  else if constexpr (Sequence<T>) return is_constant<std::remove_cv_t<typename T::value_type>>();
  else return false;
}

template <class T>
auto members_of(T& t) {
  using Struct = std::remove_const_t<T>;
  if constexpr (SaysMembers<Struct>) {
    return Struct::members(t);
  } else {
    constexpr std::size_t n = member_count<Struct, 17>();
    static_assert(n <= 16, "a struct of more than 16 members: give it a static function `members`");
    // clang-format off
    if constexpr (n == 0) return std::tuple();
    else if constexpr (n == 1) { auto& [a] = t; return std::tie(a); }
    else if constexpr (n == 2) { auto& [a, b] = t; return std::tie(a, b); }
    else if constexpr (n == 3) { auto& [a, b, c] = t; return std::tie(a, b, c); }
    else if constexpr (n == 4) { auto& [a, b, c, d] = t; return std::tie(a, b, c, d); }
    else if constexpr (n == 5) { auto& [a, b, c, d, e] = t; return std::tie(a, b, c, d, e); }
    else if constexpr (n == 6) { auto& [a, b, c, d, e, f] = t; return std::tie(a, b, c, d, e, f); }
    else if constexpr (n == 7) { auto& [a, b, c, d, e, f, g] = t; return std::tie(a, b, c, d, e, f, g); }
    else if constexpr (n == 8) { auto& [a, b, c, d, e, f, g, h] = t; return std::tie(a, b, c, d, e, f, g, h); }
    else if constexpr (n == 9) { auto& [a, b, c, d, e, f, g, h, i] = t; return std::tie(a, b, c, d, e, f, g, h, i); }
    else if constexpr (n == 10) {
      auto& [a, b, c, d, e, f, g, h, i, j] = t;
      return std::tie(a, b, c, d, e, f, g, h, i, j);
    } else if constexpr (n == 11) {
      auto& [a, b, c, d, e, f, g, h, i, j, k] = t;
      return std::tie(a, b, c, d, e, f, g, h, i, j, k);
    } else if constexpr (n == 12) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l] = t;
      return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
    } else if constexpr (n == 13) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = t;
      return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m);
    } else if constexpr (n == 14) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o] = t;
      return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, o);
    } else if constexpr (n == 15) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p] = t;
      return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p);
    } else {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q] = t;
      return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q);
    }
    // clang-format on
  }
}

/// The way from the root of a tree to a leaf.
struct TreePath {
  const TreePath* outer = nullptr;
  std::string_view key = {};  // or else
  std::size_t index = 0;

  /// As messages name the leaf: "layers.0.weight".
  std::string text() const;
};

template <class K>
TreePath path_by_key(const TreePath& outer, const K& key, std::size_t place) {
  if constexpr (std::convertible_to<const K&, std::string_view>) return {&outer, key};
  else if constexpr (std::is_integral_v<K>) return {&outer, {}, static_cast<std::size_t>(key)};
  else return {&outer, {}, place};
}

/// Calls f(leaf, path) for each Variable in the tree. Where `strict`, what is neither tree nor constant does not compile;
/// elsewhere it is passed over.
template <bool strict, class T, class F>
void visit_leaves(T& tree, const TreePath& path, F& f) {
  using Tree = std::remove_const_t<T>;
  std::size_t i = 0;
  if constexpr (std::derived_from<Tree, Variable>) {
    f(tree, path);
  } else if constexpr (is_constant<Tree>()) {
  } else if constexpr (OrderedMap<Tree>) {
    for (auto& [key, value] : tree) visit_leaves<strict>(value, path_by_key(path, key, i++), f);
  } else if constexpr (Sequence<Tree>) {
    for (auto& each : tree) {
      if constexpr (NamedPair<typename Tree::value_type>) visit_leaves<strict>(each, path, f);  // its name will do
      else visit_leaves<strict>(each, TreePath{&path, {}, i++}, f);
    }
  } else if constexpr (Optional<Tree>) {
    if (tree.has_value()) visit_leaves<strict>(*tree, path, f);
  } else if constexpr (NamedPair<Tree>) {
    visit_leaves<strict>(tree.second, TreePath{&path, tree.first}, f);
  } else if constexpr (TupleLike<Tree>) {
    static_assert(!strict || []<std::size_t... I>(std::index_sequence<I...>) {
      return !(std::is_reference_v<std::tuple_element_t<I, Tree>> || ...);
    }(std::make_index_sequence<std::tuple_size_v<Tree>>()), "a tuple of references: std::make_tuple holds values");
    std::apply([&](auto&... each) { (visit_leaves<strict>(each, TreePath{&path, {}, i++}, f), ...); }, tree);
  } else if constexpr (is_tree<Tree>()) {
    std::apply([&](auto&... each) { (visit_leaves<strict>(each, TreePath{&path, {}, i++}, f), ...); }, members_of(tree));
  } else {
    static_assert(!strict, "a tree holds Variables, containers and structs of them, numbers and strings, but not this; "
                           "a class with a static function `members` says what it is made of");
  }
}

/// The Variables of a tree in their order, and their names; a list, or a Variable alone, has no names.
struct FlatTree {
  std::vector<Variable> leaves;
  std::vector<std::string> names = {};
};

template <class T>
FlatTree flat_tree(const T& tree) {
  FlatTree result;
  auto add = [&](const Variable& leaf, const TreePath& path) {
    result.leaves.push_back(leaf);
    if constexpr (!std::same_as<T, std::vector<Variable>> && !std::derived_from<T, Variable>)
      result.names.push_back(path.text());
  };
  visit_leaves<true>(tree, TreePath(), add);
  return result;
}

/// A copy of a tree with these Variables in the place of its own, in their order.
template <bool strict = true, class T>
T with_leaves(T tree, const std::vector<Variable>& leaves) {
  auto next = leaves.begin();
  auto put = [&](Variable& leaf, const TreePath&) { leaf = *next++; };
  visit_leaves<strict>(tree, TreePath(), put);
  return tree;
}

/// @throws ValueError, in the caller's name, unless the two have leaves in the same places.
void require_same_places(const char* caller, const FlatTree& tree, const FlatTree& other);

// What a tree becomes with a T in the place of each Variable.
template <class Y, class T>
struct Replaced {
  static_assert(!is_tree<Y>(), "a struct of Variables has no place for anything else: have a std::map or a tuple");
  using type = Y;
};
template <class T>
struct Replaced<Variable, T> { using type = T; };
template <class Y, class T>
struct Replaced<std::vector<Y>, T> { using type = std::vector<typename Replaced<Y, T>::type>; };
template <class Y, std::size_t N, class T>
struct Replaced<std::array<Y, N>, T> { using type = std::array<typename Replaced<Y, T>::type, N>; };
template <class K, class Y, class T>
struct Replaced<std::map<K, Y>, T> { using type = std::map<K, typename Replaced<Y, T>::type>; };
template <class A, class B, class T>
struct Replaced<std::pair<A, B>, T> {
  using type = std::pair<typename Replaced<A, T>::type, typename Replaced<B, T>::type>;
};
template <class... Y, class T>
struct Replaced<std::tuple<Y...>, T> { using type = std::tuple<typename Replaced<Y, T>::type...>; };

/// The tree with next() in the place of each Variable.
template <class T, class Y, class Next>
typename Replaced<Y, T>::type replaced(const Y& tree, Next& next) {
  using Result = typename Replaced<Y, T>::type;
  if constexpr (std::same_as<Y, Variable>) return next();
  else if constexpr (is_constant<Y>()) return tree;
  else if constexpr (OrderedMap<Y>) {
    Result result;
    for (const auto& [key, value] : tree) result.emplace(key, replaced<T>(value, next));
    return result;
  } else if constexpr (TupleLike<Y>) {
    return std::apply([&](const auto&... each) { return Result{replaced<T>(each, next)...}; }, tree);
  } else {
    Result result;
    for (const auto& each : tree) result.push_back(replaced<T>(each, next));
    return result;
  }
}

}  // namespace detail

/// A tree of Variables, see above.
template <class T>
concept Tree = detail::is_tree<T>();

/// The Variables of a tree, in their order: those of a map by the order of its keys.
template <Tree T>
std::vector<Variable> tree_leaves(const T& tree) {
  std::vector<Variable> result;
  auto add = [&](const Variable& leaf, const detail::TreePath&) { result.push_back(leaf); };
  detail::visit_leaves<true>(tree, detail::TreePath(), add);
  return result;
}

/// The tree with f of each Variable in its place, and of those in the same place of further trees:
///
///     weights = tree_map([](auto& w, auto& g) { return w - 0.1 * g; }, weights, gradients);
///
/// Undefined Variables stay as they are. @throws ValueError unless the trees have Variables in the same places.
template <class F, Tree T, std::same_as<T>... Ts>
T tree_map(F&& f, const T& tree, const Ts&... further) {
  detail::FlatTree flat = detail::flat_tree(tree);
  const std::array<detail::FlatTree, sizeof...(Ts)> others{detail::flat_tree(further)...};
  for (const detail::FlatTree& other : others) detail::require_same_places("tree_map", flat, other);
  for (std::size_t i = 0; i < flat.leaves.size(); ++i) {
    Variable& leaf = flat.leaves[i];
    if (leaf.defined())
      leaf = [&]<std::size_t... K>(std::index_sequence<K...>) -> Variable {
        return f(std::as_const(leaf), std::as_const(others[K].leaves[i])...);
      }(std::index_sequence_for<Ts...>());
  }
  return detail::with_leaves(tree, flat.leaves);
}

}  // namespace xtape
