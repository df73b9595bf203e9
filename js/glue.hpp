// The calls from C++ into JavaScript. Not installed.
#pragma once
#include <emscripten.h>

extern "C" {
/// Makes `Module.troupeFace`, which troupe.mjs builds upon.
void troupe_js_start();
/// Calls the function of that name of the system on `dispatcher`; its promise settles `number`.
void troupe_js_call(int number, int dispatcher, const char* function, const char* arguments);
/// Nobody waits for the promise any more.
void troupe_js_abort(int number);
/// Has `troupe_js_collect(number)` called soon, outside of everything that runs now.
void troupe_js_collect_soon(int number);
/// The answer to request `number`: JSON text.
void troupe_js_answer(int number, const char* text);
}
