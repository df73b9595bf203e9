// Included before everything else in a wasm build: CAF's config.hpp refuses platforms that it does not know, so it is
// read here, once, as if for the plainest POSIX system that it does.
#pragma once
#if defined(__EMSCRIPTEN__) && defined(__cplusplus) && __has_include("caf/config.hpp")
#  include <cstdio>
#  include <cstdlib>
#  define __CYGWIN__ 1
#  include "caf/config.hpp"
#  undef __CYGWIN__
#endif
