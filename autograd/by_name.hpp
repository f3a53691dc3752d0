// Options that are given by name only.
#pragma once

namespace xtape::detail {

/// At the head of options: `{3, 5}` is not made options then, but a window's extents, a bias or a seed.
struct ByName {};

}  // namespace xtape::detail
