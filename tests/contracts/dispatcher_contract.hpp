// What every dispatcher promises, as tests over a backend; TROUPE_DISPATCHER_CONTRACT(backend) instantiates them.
//
// A backend is default-constructible and has
//   dispatcher& get();                             a fresh dispatcher whose main thread is the caller's
//   static constexpr std::size_t threads;          thread_count() of the fresh one
//   static constexpr std::size_t threads_per_lane; what each open dedicated lane adds
//   static constexpr bool has_threads;             other threads may dispatch to it
//   static constexpr bool is_weighted;             it keeps the weights of priorities: a simulator may not
//   static constexpr bool allocates_nothing;       per dispatch of a runnable
// The tests make progress through block_until and stop alone, so virtual time and a single thread will do.
#pragma once
#include "tests/contracts/running_contract.hpp"
#include "tests/contracts/stopping_contract.hpp"
#include "tests/contracts/waiting_contract.hpp"

/// Instantiates the contract for a backend, once per file.
#define TROUPE_DISPATCHER_CONTRACT(backend)                                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_runs_once, backend);                                                              \
  TEST_CASE_TEMPLATE_INVOKE(contract_not_inside, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_again, backend);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(contract_frees_itself, backend);                                                           \
  TEST_CASE_TEMPLATE_INVOKE(contract_fifo, backend);                                                                   \
  TEST_CASE_TEMPLATE_INVOKE(contract_weights, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(contract_no_starvation, backend);                                                          \
  TEST_CASE_TEMPLATE_INVOKE(contract_no_starvation_of_like, backend);                                                  \
  TEST_CASE_TEMPLATE_INVOKE(contract_place, backend);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(contract_close_lane, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_timer_closed_lane, backend);                                                      \
  TEST_CASE_TEMPLATE_INVOKE(contract_many_lanes, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_thread_count, backend);                                                           \
  TEST_CASE_TEMPLATE_INVOKE(contract_timers, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(contract_cancel, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(contract_cancel_many, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_timeout, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(contract_latch, backend);                                                                  \
  TEST_CASE_TEMPLATE_INVOKE(contract_nested, backend);                                                                 \
  TEST_CASE_TEMPLATE_INVOKE(contract_nested_timeout, backend);                                                         \
  TEST_CASE_TEMPLATE_INVOKE(contract_stop_runs, backend);                                                              \
  TEST_CASE_TEMPLATE_INVOKE(contract_stop_inside, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_stop_timers, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_refuses, backend);                                                                \
  TEST_CASE_TEMPLATE_INVOKE(contract_destructor, backend);                                                             \
  TEST_CASE_TEMPLATE_INVOKE(contract_stop_dropping, backend);                                                          \
  TEST_CASE_TEMPLATE_INVOKE(contract_foreign_threads, backend);                                                        \
  TEST_CASE_TEMPLATE_INVOKE(contract_foreign_wait, backend);                                                           \
  TEST_CASE_TEMPLATE_INVOKE(contract_cancel_race, backend);                                                            \
  TEST_CASE_TEMPLATE_INVOKE(contract_no_allocation, backend)
