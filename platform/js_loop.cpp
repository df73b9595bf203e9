// The calls into JavaScript: the same ones in node, a page, a worker and an isolate.
#include "platform/js_loop.hpp"
#include <emscripten.h>
#include <unordered_map>

namespace troupe::platform::js_loop {
namespace {

std::unordered_map<int, guest*>& guests() {
  static std::unordered_map<int, guest*> all;
  return all;
}

guest* find(int number) {
  auto at = guests().find(number);
  return at == guests().end() ? nullptr : at->second;
}

} // namespace

extern "C" EMSCRIPTEN_KEEPALIVE void troupe_turn(int number) {
  if (auto* who = find(number))
    who->turn();
}

extern "C" EMSCRIPTEN_KEEPALIVE void troupe_fired(int number) {
  if (auto* who = find(number))
    who->fired();
}

// What the module that was loaded keeps of its host: `next` posts a macrotask, `timers` are by a guest's number.
// `enter` calls into the module. An exception that leaves it there has unwound nothing and left its memory in the
// middle of something, so it is not entered any more; `Module.troupeStopped` is told, and the host sees the exception
// as uncaught. (Formatting would take JavaScript's operators apart.)
// clang-format off
EM_JS(void, troupe_loop_start, (), {
  if (Module['troupeLoop'])
    return;
  var loop = Module['troupeLoop'] = {timers: new Map()};
  loop.enter = function(call, number) {
    if (loop.stopped)
      return;
    try {
      call(number);
    } catch (e) {
      loop.stopped = true;
      if (Module['troupeStopped'])
        Module['troupeStopped'](e);
      throw e;
    }
  };
  loop.soon = typeof queueMicrotask === 'function' ? queueMicrotask.bind(globalThis)
                                                   : function(f) { Promise.resolve().then(f); };
  if (typeof setImmediate === 'function') {
    loop.next = setImmediate;
  } else if (typeof MessageChannel === 'function') {
    // Without the 4 ms that setTimeout(0) takes when it is nested.
    var channel = new MessageChannel();
    var waiting = [];
    channel.port1.onmessage = function() { waiting.shift()(); };
    loop.next = function(f) {
      waiting.push(f);
      channel.port2.postMessage(0);
    };
  } else {
    loop.next = function(f) { setTimeout(f, 0); };
  }
});
EM_JS(void, troupe_post_soon, (int number), {
  var loop = Module['troupeLoop'];
  loop.soon(function() { loop.enter(_troupe_turn, number); });
});
EM_JS(void, troupe_post_next, (int number), {
  var loop = Module['troupeLoop'];
  loop.next(function() { loop.enter(_troupe_turn, number); });
});
EM_JS(void, troupe_disarm, (int number), {
  var timers = Module['troupeLoop'].timers;
  var timer = timers.get(number);
  if (timer !== undefined) {
    clearTimeout(timer);
    timers.delete(number);
  }
});
EM_JS(void, troupe_arm, (int number, double milliseconds), {
  var loop = Module['troupeLoop'];
  var old = loop.timers.get(number);
  if (old !== undefined)
    clearTimeout(old);
  loop.timers.set(number, setTimeout(function() {
    loop.timers.delete(number);
    loop.enter(_troupe_fired, number);
  }, milliseconds));
});
EM_JS(void, troupe_refuse_to_wait, (), {
  err('Troupe: this would wait for ever (a blocking actor, a scoped_actor or a condition variable): there is no ' +
      'other thread that could end it. co_await instead.');
});
EM_JS(void, troupe_say_aborted, (), {
  if (Module['onAbort'])
    Module['onAbort']("");
  err('Troupe: the module has aborted, for the reason above if one was given.');
});
// clang-format on

/// The linker puts it into the place of the C library's, which would burn the thread for ever.
extern "C" int __wrap_pthread_cond_wait(void*, void*) {
  troupe_refuse_to_wait();
  __builtin_trap(); // An exception of JavaScript's would be caught on its way out.
}

/// The same for abort: Emscripten's throws an exception of JavaScript's, which a `noexcept` on its way out turns into
/// another abort, until the stack has overflowed.
extern "C" [[noreturn]] void __wrap_abort() {
  troupe_say_aborted();
  __builtin_trap();
}

namespace {
int add(guest* who) {
  static int last = 0;
  troupe_loop_start();
  guests()[++last] = who;
  return last;
}
} // namespace

double now() noexcept { return emscripten_get_now(); }

guest::guest() : number_(add(this)) {}
guest::~guest() {
  guests().erase(number_);
  troupe_disarm(number_);
}
void guest::post_soon() noexcept { troupe_post_soon(number_); }
void guest::post_next() noexcept { troupe_post_next(number_); }
void guest::arm(double milliseconds) noexcept { troupe_arm(number_, milliseconds); }
void guest::disarm() noexcept { troupe_disarm(number_); }

} // namespace troupe::platform::js_loop
