# SPDX-License-Identifier: MIT
"""The way of a page into Home Assistant: the Supervisor's ingress before the program, and a real Chromium behind it."""
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import house as parts

TOKEN = "Zx81aAbBcCdDeEfF"
PREFIX = f"/api/hassio_ingress/{TOKEN}"
# What the Supervisor takes for an attack, in the address of a request.
SUSPICIOUS = re.compile(r"\.\./|<script|union.*select|concat\s*\(|=/[^/]+/", re.I)


class Ingress:
    """Strips the prefix and adds the headers, as the Supervisor does; whatever is not below the prefix is not found."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.strays = []  # addresses that would have missed the program
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}{PREFIX}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                request = self._request(client)
                if request is None:
                    return
                with socket.create_connection(("127.0.0.1", self.upstream), 5) as program:
                    program.settimeout(None)
                    program.sendall(request)
                    # Whoever leaves first takes the other along: the program is to notice closed pages.
                    threading.Thread(target=self._until_left, args=(client, program), daemon=True).start()
                    while block := program.recv(65536):
                        client.sendall(block)
                    client.shutdown(socket.SHUT_RDWR)  # a mere close waits for the other thread
            except ConnectionRefusedError:
                self._refuse(client, "502 Bad Gateway")
            except OSError:
                pass

    @staticmethod
    def _until_left(client, program):
        try:
            client.recv(1)
            program.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    @staticmethod
    def _refuse(client, status):
        try:
            client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        except OSError:
            pass

    def _request(self, client):
        data = b""
        while b"\r\n\r\n" not in data:
            block = client.recv(65536)
            if not block:
                return None
            data += block
        head, body = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        if not target.startswith(PREFIX + "/"):
            self.strays.append(target)
            self._refuse(client, "404 Not Found")
            return None
        if SUSPICIOUS.search(target):
            self.strays.append(target)
            self._refuse(client, "400 Bad Request")
            return None
        headers = [line for line in lines if not re.match(r"(connection|x-remote-user|x-ingress-path)", line, re.I)]
        length = next((int(line.split(":")[1]) for line in headers if line.lower().startswith("content-length:")), 0)
        while len(body) < length:
            block = client.recv(65536)
            if not block:
                return None
            body += block
        headers += [f"X-Ingress-Path: {PREFIX}", "X-Remote-User-Id: 1", "X-Remote-User-Name: anna", "Connection: close"]
        return "\r\n".join([f"{method} {target[len(PREFIX):]} HTTP/1.1", *headers, "", ""]).encode("latin-1") + body

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def chromium():
    return next((path for name in ("chromium", "chromium-headless-shell", "google-chrome") if (path := shutil.which(name))), None)


def node():
    return shutil.which("node") or shutil.which("nodejs")


def browser_missing():
    """What the tests with a browser lack; empty if nothing."""
    if not chromium():
        return "no chromium (scripts/install ci)"
    if not node() or not (parts.ROOT / "web/node_modules/playwright-core").exists():
        return "no node, or web/node_modules without playwright-core (npm ci in web/)"
    return ""


class Browser:
    def __init__(self):
        self.process = subprocess.Popen([node(), str(parts.ROOT / "web/tests/browser.mjs"), chromium()], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True)

    def do(self, script):
        """Runs JavaScript with `page` in scope; its value, if it returns one."""
        self.process.stdin.write(json.dumps(script) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the browser is gone"
        answer = json.loads(line)
        assert "error" not in answer, f"{script}: {answer['error']}"
        return answer["value"]

    def open(self, address, **options):
        self.do(f"await state.open({json.dumps(options)})")
        self.do(f"await page.goto({json.dumps(address)})")

    def see(self, text, where="body"):
        """Waits until this text is seen."""
        self.do(f"await page.locator({json.dumps(where)}).filter({{hasText: {json.dumps(text)}, visible: true}}).first().waitFor()")

    def text(self, where):
        return self.do(f"return await page.locator({json.dumps(where)}).first().innerText()")

    def click(self, role, name):
        self.do(f"await page.getByRole({json.dumps(role)}, {{name: {json.dumps(name)}}}).first().click()")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
