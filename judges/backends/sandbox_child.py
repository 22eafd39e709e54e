"""The sandbox's inside: gives its rights up, then runs one job. Started by `judges.backends.sandbox` alone.

Standard library only and no import of the project: whatever is imported here can be reached by the code.
"""

# pathlib would bring half of the standard library into the code's reach; what it raises may be anything
# ruff: noqa: PTH110, PTH112, PTH116, PTH120, BLE001

import ctypes
import json
import os
import platform
import resource
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
NOBODY = 65534
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_ALLOW, SECCOMP_KILL = 0x7FFF0000, 0x80000000
SECCOMP_ERRNO_EPERM, SECCOMP_ERRNO_ENOSYS = 0x00050001, 0x00050026

# audit architecture and the refused system calls' numbers (linux/arch/*/entry/syscalls)
LATE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438,
}  # fmt: skip
X86_64 = {
    "socket": 41, "connect": 42, "sendto": 44, "bind": 49, "listen": 50, "socketpair": 53, "fork": 57,
    "vfork": 58, "execve": 59, "kill": 62, "ptrace": 101, "mount": 165, "tkill": 200, "tgkill": 234,
    "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
    "perf_event_open": 298, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321,
    "execveat": 322, "userfaultfd": 323,
}  # fmt: skip
AARCH64 = {
    "mount": 40, "unshare": 97, "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131, "socket": 198,
    "socketpair": 199, "bind": 200, "listen": 201, "connect": 203, "sendto": 206, "add_key": 217,
    "request_key": 218, "keyctl": 219, "execve": 221, "perf_event_open": 241, "setns": 268,
    "process_vm_readv": 270, "process_vm_writev": 271, "bpf": 280, "execveat": 281, "userfaultfd": 282,
}  # fmt: skip
ARCHITECTURES = {"x86_64": (0xC000003E, X86_64 | LATE), "aarch64": (0xC00000B7, AARCH64 | LATE)}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE_THREAD = 0x00010000

DEVICES = ("/dev/null", "/dev/urandom")
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
READ_RIGHTS = 1 << 0 | 1 << 2 | 1 << 3  # execute (for shared libraries' loader), read a file, read a folder
ALL_RIGHTS = (1 << 13) - 1  # version 1's thirteen


def bound(seconds: float, megabytes: int) -> None:
    """Hard limits on processor time, memory, file size, open files, processes and core dumps."""
    whole = int(seconds) + 1
    for what, most in (
        (resource.RLIMIT_CPU, whole),
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_FSIZE, 1 << 20),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def become_nobody() -> bool:
    """Drop to the user `nobody` where the process is root's and that user can read this Python."""
    if os.geteuid() != 0 or not all(map(open_to_all, (sys.prefix, sys.base_prefix))):
        return False
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    return True


def open_to_all(path: str) -> bool:
    """Whether every folder down to `path` may be entered by anybody."""
    path = os.path.realpath(path)
    while os.stat(path).st_mode & 0o001:
        if path == os.path.dirname(path):
            return True
        path = os.path.dirname(path)
    return False


def without_capabilities() -> bool:
    """Drop what root may do beyond its own files."""
    header = struct.pack("Ii", 0x20080522, 0)
    return LIBC.capset(header, bytes(24)) == 0


def landlocked(scratch: str) -> bool:
    """Of the file system leave Python's own folders to read and `scratch` to write; False on older
    kernels.
    """
    attributes = struct.pack("Q", ALL_RIGHTS)
    ruleset = LIBC.syscall(LANDLOCK_CREATE, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    readable = (sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64", "/etc/ld.so.cache", *DEVICES)
    allowed = [
        (path, READ_RIGHTS if os.path.isdir(path) else 1 << 2) for path in readable if os.path.exists(path)
    ]
    for path, rights in [*allowed, (scratch, ALL_RIGHTS & ~(1 << 0))]:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", rights, opened)
        added = LIBC.syscall(LANDLOCK_ADD, ruleset, 1, rule, 0)
        os.close(opened)
        if added:
            return False
    done = LIBC.syscall(LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return done == 0


def filtered() -> bool:
    """Refuse, with EPERM, the system calls that reach beyond the process; threads stay possible."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    audit, refused = ARCHITECTURES[machine]
    load_arch, load_nr, load_flags = (0x20, 0, 0, 4), (0x20, 0, 0, 0), (0x20, 0, 0, 16)
    rules = [load_arch, (0x15, 1, 0, audit), (0x06, 0, 0, SECCOMP_KILL), load_nr]
    if machine == "x86_64":  # the x32 numbers, which would slip past the list
        rules += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, SECCOMP_KILL)]
    for number in sorted(refused.values()):
        missing = number == refused["clone3"]  # glibc falls back to clone only where clone3 is not known
        rules += [
            (0x15, 0, 1, number),
            (0x06, 0, 0, SECCOMP_ERRNO_ENOSYS if missing else SECCOMP_ERRNO_EPERM),
        ]
    # clone is allowed for threads alone
    rules += [(0x15, 0, 3, CLONE[machine]), load_flags, (0x45, 1, 0, CLONE_THREAD)]
    rules += [(0x06, 0, 0, SECCOMP_ERRNO_EPERM), (0x06, 0, 0, SECCOMP_ALLOW)]
    program = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    held = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(held))
    return LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0


def give_up_rights(job: dict, scratch: str) -> str:
    """Why the machine cannot hold the code, or nothing."""
    bound(job["seconds"], job["megabytes"])
    nobody = become_nobody()
    if LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return "no_new_privs cannot be set"
    if not without_capabilities():
        return "capabilities cannot be dropped"
    if not landlocked(scratch) and not nobody:
        return "neither Landlock nor another user is to be had here"
    if not filtered():
        return "seccomp cannot be had here"
    return ""


def run(job: dict) -> tuple:
    """Whether the code and its test ran through, and the last line of what went wrong."""
    space = {"__name__": "__main__"}
    try:
        exec(compile(job["code"], "response", "exec"), space)
        exec(compile(job["test"], "test", "exec"), space)
    except BaseException as error:  # SystemExit and all: an answer that leaves has not passed
        return False, f"{type(error).__name__}: {error}"[:300]
    return True, ""


def main() -> None:
    pipe, scratch = int(sys.argv[1]), sys.argv[2]
    job = json.load(sys.stdin)
    refused = give_up_rights(job, scratch)
    passed, seen = (False, "") if refused else run(job)
    report = {"nonce": job["nonce"], "passed": passed, "seen": seen, "refused": refused}
    os.write(pipe, ("\n" + json.dumps(report) + "\n").encode())


main()
