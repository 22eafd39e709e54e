"""A hub on this machine: the part of the Hugging Face hub's HTTP that pushing a dataset uses, over a real socket.

Repositories live in memory: created, uploaded into by git's large-file protocol or inside the commit, committed. It
answers as the public API does (huggingface.co/docs/hub/api; git-lfs' batch API) and refuses what that refuses:
another token, a commit into a repository that is not there, bytes that are not those that were announced.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import yaml


@dataclass
class Hub:
    """What the server holds: {repository: {path: bytes}}, and the objects of the large-file protocol by hash."""

    token: str
    address: str = ""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    commits: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    # Each answer is (status, JSON or None).

    def create(self, given: dict[str, Any]) -> tuple[int, Any]:
        name = f"{given.get('organization') or 'me'}/{given['name']}"
        address = {"url": f"{self.address}/datasets/{name}", "name": name}
        if name in self.repos:
            return 409, {"error": "You already created this dataset repo", **address}
        self.repos[name] = {}
        self.private[name] = given.get("visibility") == "private" or given.get("private") is True
        return 200, address

    def validate(self, given: dict[str, Any]) -> tuple[int, Any]:
        front = given["content"].split("---\n")[1]
        held = yaml.safe_load(front)
        errors = [] if isinstance(held, dict) else [{"message": "the front matter is no mapping"}]
        return (400 if errors else 200), {"errors": errors, "warnings": []}

    def preupload(self, name: str, given: dict[str, Any]) -> tuple[int, Any]:
        if name not in self.repos:
            return 404, {"error": "Repository not found"}
        modes = [("lfs" if file["path"].endswith(".parquet") else "regular", file) for file in given["files"]]
        return 200, {
            "files": [
                {"path": file["path"], "uploadMode": mode, "shouldIgnore": False} for mode, file in modes
            ]
        }

    def batch(self, name: str, given: dict[str, Any]) -> tuple[int, Any]:
        upload = {each["oid"]: {"href": f"{self.address}/objects/{each['oid']}"} for each in given["objects"]}
        objects = [
            {**each, "actions": {"upload": {**upload[each["oid"]], "header": {}}}}
            for each in given["objects"]
        ]
        return 200, {"transfer": "basic", "objects": objects}

    def put(self, oid: str, body: bytes) -> tuple[int, Any]:
        if hashlib.sha256(body).hexdigest() != oid:
            return 400, {"error": "the bytes are not those that were announced"}
        self.objects[oid] = body
        return 200, None

    def commit(self, name: str, lines: list[dict[str, Any]]) -> tuple[int, Any]:
        files = dict(self.repos[name])
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "header":
                    self.commits.append(value)
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self.objects[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
        self.repos[name] = files
        oid = f"{len(self.commits):040x}"
        return 200, {
            "success": True,
            "commitOid": oid,
            "commitUrl": f"{self.address}/datasets/{name}/commit/{oid}",
        }

    def tree(self, name: str) -> tuple[int, Any]:
        return 200, [
            {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for path, data in sorted(self.repos[name].items())
        ]


class Door(BaseHTTPRequestHandler):
    """Routes requests to the hub."""

    hub: Hub

    def do_GET(self) -> None:
        self.serve()

    do_POST = do_PUT = do_GET

    def serve(self) -> None:
        body = (
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.chunks() is None
            else self.chunked()
        )
        parts = [part for part in urlsplit(self.path).path.split("/") if part]
        self.hub.calls.append(f"{self.command} {urlsplit(self.path).path}")
        stored = parts[0] == "objects"  # those addresses carry their own right
        if not stored and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self.answer(401, {"error": "Invalid username or password."})
        return self.answer(*self.route(parts, body))

    def chunks(self) -> bool | None:
        return True if "chunked" in self.headers.get("Transfer-Encoding", "") else None

    def chunked(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def route(self, parts: list[str], body: bytes) -> tuple[int, Any]:
        match parts:
            case ["api", "repos", "create"]:
                return self.hub.create(json.loads(body))
            case ["api", "validate-yaml"]:
                return self.hub.validate(json.loads(body))
            case ["api", "datasets", owner, name, "preupload", "main"]:
                return self.hub.preupload(f"{owner}/{name}", json.loads(body))
            case ["api", "datasets", owner, name, "commit", "main"]:
                return self.hub.commit(f"{owner}/{name}", [json.loads(line) for line in body.splitlines()])
            case ["api", "datasets", owner, name, "tree", "main"]:
                return self.hub.tree(f"{owner}/{name}")
            case ["datasets", owner, name, "info", "lfs", "objects", "batch"]:
                return self.hub.batch(f"{owner}/{name.removesuffix('.git')}", json.loads(body))
            case ["objects", oid]:
                return self.hub.put(oid, body)
        return 404, {"error": f"{self.command} {self.path} is not spoken here"}

    def answer(self, status: int, given: Any) -> None:
        data = b"" if given is None else json.dumps(given).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status >= 400:
            self.send_header("X-Error-Message", str(given.get("error", "")))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def hub_at_home(token: str) -> Iterator[Hub]:
    """A running hub that takes this token."""
    hub = Hub(token)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnDoor", (Door,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
