// What a module exports that Emscripten has built with -sMODULARIZE -sEXPORT_ES6: copy it beside NAME.mjs as NAME.d.mts.
export default function createModule(options?: object): Promise<unknown>;
