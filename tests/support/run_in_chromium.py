#!/usr/bin/env python3
"""Runs a page or a program that Emscripten has built in headless Chromium; ends with its output and exit status.
A page (PROGRAM.html, or any other file with --page) reports by a POST to /result: its exit status, a line feed, text.
What it posts to /notes, as JSON, it can get there: for pages that do not live to report."""
import argparse
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

PAGE = """<!doctype html><meta charset="utf-8"><title>test</title><script>
const lines = [];
let told = false;
function report(status) {
  if (told) return;
  told = true;
  fetch('/result', {method: 'POST', body: status + '\\n' + lines.join('\\n')});
}
addEventListener('error', e => { lines.push('error: ' + (e.message || e)); report(1); });
addEventListener('unhandledrejection', e => { lines.push('rejected: ' + (e.reason && e.reason.stack || e.reason)); report(1); });
var Module = {arguments: %s, print: t => lines.push(t), printErr: t => lines.push(t),
              onExit: report, onAbort: what => { lines.push('aborted: ' + what); report(1); }};
</script><script src="%s"></script>
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map,
                      ".wasm": "application/wasm", ".mjs": "text/javascript", ".js": "text/javascript"}

    def do_GET(self):
        if self.path.split("?")[0] == "/run":
            self.answer(self.server.page.encode(), "text/html")
        elif self.path == "/notes":
            self.answer(json.dumps(self.server.notes).encode(), "application/json")
        elif self.path == "/favicon.ico":
            self.answer(b"", "image/x-icon")
        else:
            super().do_GET()

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode(errors="replace")
        self.answer(b"", "text/plain")
        if self.path == "/notes":
            self.server.notes.append(json.loads(text))
        else:
            self.server.result = text
            self.server.done.set()

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def chromium():
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="PROGRAM is a page that reports by itself")
    parser.add_argument("--root", help="the folder that is served (that of PROGRAM)")
    parser.add_argument("--limit", type=float, default=900, help="seconds to wait for the result")
    parser.add_argument("--screenshot", help="take a picture of the page when it has reported")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs="*")
    arguments, rest = parser.parse_known_args()
    arguments.arguments += rest
    browser = chromium()
    if not browser:
        print("SKIPPED: no Chromium (Debian's package chromium)")
        return 77
    program = os.path.abspath(arguments.program)
    root = os.path.abspath(arguments.root or os.path.dirname(program))
    name = os.path.relpath(program, root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=root))
    server.daemon_threads = True
    server.done = threading.Event()
    server.result = None
    server.notes = []
    server.page = PAGE % (repr(arguments.arguments).replace("<", "\\x3c"), name)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = name if arguments.page else "run"
    query = "?" + "&".join(arguments.arguments) if arguments.page and arguments.arguments else ""
    address = f"http://127.0.0.1:{server.server_port}/{page}{query}"
    # The browser's helpers may still write there when it has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--disable-popup-blocking", "--disable-background-timer-throttling",
                   "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--disable-extensions", "--disable-background-networking", "--mute-audio",
                   f"--user-data-dir={profile}"]
        log = open(os.path.join(profile, "log"), "w+", encoding="utf-8", errors="replace")
        process = subprocess.Popen(command + [address], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        ended = False
        for _ in range(int(arguments.limit * 4)):
            if server.done.wait(0.25):
                ended = True
                break
            if process.poll() is not None:
                break
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if ended and arguments.screenshot:
            subprocess.run(command + [f"--screenshot={os.path.abspath(arguments.screenshot)}", "--window-size=1100,1400",
                                      "--virtual-time-budget=60000", address], stdin=subprocess.DEVNULL, stdout=log,
                           stderr=log, timeout=120, check=False)
        if not ended:
            log.seek(0)
            print(log.read()[-4000:])
            print(f"the page has not reported{' within the time' if process.returncode is None else ''}")
            return 1
    status, _, text = server.result.partition("\n")
    print(text)
    return int(status) & 255


if __name__ == "__main__":
    sys.exit(main())
