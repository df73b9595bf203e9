// JavaScript's side of the calls: what it keeps, and how text gets across.
#include "js/glue.hpp"
#include <cstdlib>

// What is thrown in here never reaches C++: it becomes a rejection.
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
    answered: function(number, answer) {},
    request: function(request) {
      var text = copy(JSON.stringify(request));
      var at = _troupe_js_request(text);
      _troupe_js_delete(text);
      var answer = UTF8ToString(at);
      _troupe_js_delete(at);
      return JSON.parse(answer);
    },
    reject: function(number, e) { _troupe_promise_settled(number, copy(nameOf(e)), copy(messageOf(e))); },
    settle: function(number, promise) {
      Promise.resolve(promise).then(function(value) {
        face.controllers.delete(number);
        var text;
        try {
          text = JSON.stringify(value);
        } catch (e) {
          return face.reject(number, e);
        }
        _troupe_promise_settled(number, 0, copy(text === undefined ? 'null' : text));
      }, function(e) {
        face.controllers.delete(number);
        face.reject(number, e);
      });
    },
    hold: function(promise) {
      var number = _troupe_promise_new();
      face.settle(number, promise);
      return number;
    }
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
      face.controllers.set(number, controller);
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
  var controller = face.controllers.get(number);
  if (controller) {
    face.controllers.delete(number);
    // Its listeners are the user's, and may do what no runnable may have done to it.
    Promise.resolve().then(function() { controller.abort(); });
  }
});

EM_JS(void, troupe_em_collect_soon, (int number), {
  Promise.resolve().then(function() { _troupe_js_collect(number); });
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
