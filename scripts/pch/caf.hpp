// Precompiled for the library and the tests: what nearly every translation unit includes. (Without a guard: nobody
// includes it by hand.)
#include <caf/all.hpp>
