// JavaScript's side of the calls: what it keeps, and how text gets across.
#include "js/glue.hpp"
#include <cstdlib>

// What the functions here throw never reaches C++: it becomes a rejection. What leaves C++ has stopped the module
// (platform/js_loop.cpp): `stopped` is what that was, `ended` says so to whoever awaits something.
// (Formatting would take JavaScript's operators apart.)
// clang-format off
EM_JS(void, troupe_em_start, (), {
  if (Module['troupeFace'])
    return;
  var copy = function(text) {
    var size = lengthBytesUTF8(text) + 1;
    var at = _troupe_js_new(size);
    stringToUTF8(text, at, size);
    return at;
  };
  var nameOf = function(e) { return e && typeof e === 'object' && e.name ? String(e.name) : 'Error'; };
  var messageOf = function(e) {
    return e && typeof e === 'object' && e.message !== undefined ? String(e.message) : String(e);
  };
  var face = Module['troupeFace'] = {
    functions: new Map(),
    controllers: new Map(),
    stopped: undefined,
    answered: function(number, answer) {},
    ended: function(message) {},
    enter: function(call, argument) {
      try {
        return call(argument);
      } catch (e) {
        Module['troupeStopped'](e);
        throw e;
      }
    },
    request: function(request) {
      if (face.stopped !== undefined)
        return {error: {code: 'stopped', message: face.stopped}};
      var json = JSON.stringify(request);
      return face.enter(function() {
        var text = copy(json);
        var at = _troupe_js_request(text);
        _troupe_js_delete(text);
        var answer = UTF8ToString(at);
        _troupe_js_delete(at);
        return JSON.parse(answer);
      });
    },
    settled: function(number, name, text) {
      if (face.stopped === undefined)
        face.enter(function() { _troupe_promise_settled(number, name === null ? 0 : copy(name), copy(text)); });
    },
    reject: function(number, e) { face.settled(number, nameOf(e), messageOf(e)); },
    settle: function(number, promise) {
      Promise.resolve(promise).then(function(value) {
        face.controllers.delete(number);
        var text;
        try {
          text = JSON.stringify(value);
        } catch (e) {
          return face.reject(number, e);
        }
        face.settled(number, null, text === undefined ? 'null' : text);
      }, function(e) {
        face.controllers.delete(number);
        face.reject(number, e);
      });
    },
    hold: function(promise) {
      var number = _troupe_promise_new();
      face.settle(number, promise);
      return number;
    },
    // The signals of one system's calls, now: from a callback of the host's, where listeners may do as they like.
    abort: function(dispatcher) {
      face.controllers.forEach(function(call, number) {
        if (call.dispatcher !== dispatcher)
          return;
        face.controllers.delete(number);
        call.controller.abort();
      });
    }
  };
  Module['troupeStopped'] = function(e) {
    if (face.stopped !== undefined)
      return;
    face.stopped = 'the module has stopped: ' + messageOf(e);
    if (Module['troupeLoop'])
      Module['troupeLoop'].stopped = true;
    face.ended(face.stopped);
  };
});

EM_JS(void, troupe_em_call, (int number, int dispatcher, const char* name, const char* text), {
  var face = Module['troupeFace'];
  try {
    name = UTF8ToString(name);
    var functions = face.functions.get(dispatcher);
    var called = functions && Object.prototype.hasOwnProperty.call(functions, name) ? functions[name] : undefined;
    if (typeof called !== 'function')
      throw new TypeError('no function named "' + name + '" was given to createSystem');
    var context = {};
    if (typeof AbortController === 'function') {
      var controller = new AbortController();
      face.controllers.set(number, {controller: controller, dispatcher: dispatcher});
      context.signal = controller.signal;
    }
    face.settle(number, called(JSON.parse(UTF8ToString(text)), context));
  } catch (e) {
    face.controllers.delete(number);
    face.settle(number, Promise.reject(e));
  }
});

EM_JS(void, troupe_em_abort, (int number), {
  var face = Module['troupeFace'];
  var call = face.controllers.get(number);
  if (call) {
    face.controllers.delete(number);
    // Its listeners are the user's, and may do what no runnable may have done to it.
    Promise.resolve().then(function() { call.controller.abort(); });
  }
});

EM_JS(void, troupe_em_collect_soon, (int number), {
  var face = Module['troupeFace'];
  Promise.resolve().then(function() {
    if (face.stopped === undefined)
      face.enter(_troupe_js_collect, number);
  });
});

EM_JS(void, troupe_em_answer, (int number, const char* text), {
  Module['troupeFace'].answered(number, JSON.parse(UTF8ToString(text)));
});
// clang-format on

extern "C" {
EMSCRIPTEN_KEEPALIVE void* troupe_js_new(int size) { return std::malloc(static_cast<std::size_t>(size)); }
EMSCRIPTEN_KEEPALIVE void troupe_js_delete(void* block) { std::free(block); }

// The linker finds these in an archive; what EM_JS declares it does not look for.
void troupe_js_start() { troupe_em_start(); }
void troupe_js_call(int number, int dispatcher, const char* function, const char* arguments) {
  troupe_em_call(number, dispatcher, function, arguments);
}
void troupe_js_abort(int number) { troupe_em_abort(number); }
void troupe_js_collect_soon(int number) { troupe_em_collect_soon(number); }
void troupe_js_answer(int number, const char* text) { troupe_em_answer(number, text); }
}
