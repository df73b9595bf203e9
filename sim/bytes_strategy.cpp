// Order from bytes: how a fuzzer's input becomes a schedule.
#include "sim/bytes_strategy.hpp"

namespace troupe {

std::size_t bytes_strategy::pick(decision_kind, const candidates& among) {
  const auto count = among.size();
  const std::size_t width = count > 256 ? 2 : 1;
  if (bytes_.size() - consumed_ < width) {
    consumed_ = bytes_.size(); // A lone last byte must not serve a later, smaller decision.
    return 0;
  }
  std::size_t value = 0;
  for (std::size_t place = 0; place < width; ++place)
    value |= static_cast<std::size_t>(bytes_[consumed_++]) << (8 * place);
  return value % count;
}

} // namespace troupe
