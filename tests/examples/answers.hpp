// Looks at an answer that may be missing, so that a missing one fails a check instead of ending the test program.
#pragma once
#include "examples/checkout/http_client.hpp"
#include <optional>
#include <string>

namespace checkout {

inline unsigned status_of(const std::optional<client_answer>& answer) { return answer ? answer->status : 0; }
inline std::string body_of(const std::optional<client_answer>& answer) { return answer ? answer->body : "(no answer)"; }
inline bool is_last_of(const std::optional<client_answer>& answer) { return answer && answer->is_last; }

} // namespace checkout
