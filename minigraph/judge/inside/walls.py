"""What a student's process can no longer do, whatever stands around it.

`build` is called in the process itself, after its imports and before the first line of a student's.
Limits of the kernel's bound memory, seconds and open files. A filter of system calls refuses, on
Linux: other processes (none is started, signalled, traced or read), the network, every write to a
file, and limits that are raised again. What a filter cannot see is which file is read; that is what
the sandbox around it is for.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

EPERM, EACCES, ENOSYS = 1, 13, 38
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CLONE_THREAD = 0x10000


def _numbers(table: str) -> dict[str, int]:
    words = table.split()
    return dict(zip(words[::2], map(int, words[1::2])))


# By machine: the number that the kernel gives it, and the numbers of system calls.
ARCHITECTURES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        _numbers("""
            open 2 ioctl 16 shmget 29 shmat 30 socket 41 connect 42 accept 43 sendto 44
            sendmsg 46 bind 49 listen 50 socketpair 53 clone 56 fork 57 vfork 58 execve 59
            kill 62 semget 64 msgget 68 fcntl 72 truncate 76 ftruncate 77 rename 82 mkdir 83
            rmdir 84 creat 85 link 86 unlink 87 symlink 88 chmod 90 fchmod 91 chown 92 fchown 93
            lchown 94 ptrace 101 setpgid 109 setsid 112 rt_sigqueueinfo 129 utime 132 mknod 133
            personality 135 setpriority 141 sched_setparam 142 sched_setscheduler 144
            pivot_root 155 adjtimex 159 setrlimit 160 chroot 161 acct 163 settimeofday 164
            mount 165 umount2 166 swapon 167 swapoff 168 reboot 169 sethostname 170
            setdomainname 171 iopl 172 ioperm 173 init_module 175 delete_module 176 quotactl 179
            setxattr 188 lsetxattr 189 fsetxattr 190 removexattr 197 lremovexattr 198
            fremovexattr 199 tkill 200 sched_setaffinity 203 clock_settime 227 tgkill 234
            utimes 235 mq_open 240 kexec_load 246 add_key 248 request_key 249 keyctl 250
            ioprio_set 251 inotify_init 253 migrate_pages 256 openat 257 mkdirat 258 mknodat 259
            fchownat 260 futimesat 261 unlinkat 263 renameat 264 linkat 265 symlinkat 266
            fchmodat 268 unshare 272 move_pages 279 utimensat 280 fallocate 285 accept4 288
            rt_tgsigqueueinfo 297 perf_event_open 298 fanotify_init 300 prlimit64 302
            name_to_handle_at 303 open_by_handle_at 304 sendmmsg 307 setns 308
            process_vm_readv 310 process_vm_writev 311 kcmp 312 finit_module 313
            sched_setattr 314 renameat2 316 memfd_create 319 kexec_file_load 320 bpf 321
            execveat 322 userfaultfd 323 pidfd_send_signal 424 io_uring_setup 425
            io_uring_enter 426 io_uring_register 427 open_tree 428 move_mount 429 fsopen 430
            fsmount 432 pidfd_open 434 clone3 435 openat2 437 pidfd_getfd 438
            process_madvise 440 mount_setattr 442 memfd_secret 447 fchmodat2 452
        """),
    ),
    "aarch64": (
        0xC00000B7,
        _numbers("""
            setxattr 5 lsetxattr 6 fsetxattr 7 removexattr 14 lremovexattr 15 fremovexattr 16
            fcntl 25 ioctl 29 ioprio_set 30 mknodat 33 mkdirat 34 unlinkat 35 symlinkat 36
            linkat 37 renameat 38 umount2 39 mount 40 pivot_root 41 truncate 45 ftruncate 46
            fallocate 47 chroot 51 fchmod 52 fchmodat 53 fchownat 54 fchown 55 openat 56
            quotactl 60 utimensat 88 acct 89 personality 92 unshare 97 kexec_load 104
            init_module 105 delete_module 106 clock_settime 112 ptrace 117 sched_setparam 118
            sched_setscheduler 119 sched_setaffinity 122 kill 129 tkill 130 tgkill 131
            rt_sigqueueinfo 138 setpriority 140 reboot 142 setpgid 154 setsid 157
            sethostname 161 setdomainname 162 setrlimit 164 settimeofday 170 adjtimex 171
            mq_open 180 msgget 186 semget 190 shmget 194 shmat 196 socket 198 socketpair 199
            bind 200 listen 201 accept 202 connect 203 sendto 206 sendmsg 211 add_key 217
            request_key 218 keyctl 219 clone 220 execve 221 swapon 224 swapoff 225
            migrate_pages 238 move_pages 239 rt_tgsigqueueinfo 240 perf_event_open 241
            accept4 242 prlimit64 261 fanotify_init 262 name_to_handle_at 264
            open_by_handle_at 265 setns 268 sendmmsg 269 process_vm_readv 270
            process_vm_writev 271 kcmp 272 finit_module 273 sched_setattr 274 renameat2 276
            memfd_create 279 bpf 280 execveat 281 userfaultfd 282 kexec_file_load 294
            pidfd_send_signal 424 io_uring_setup 425 io_uring_enter 426 io_uring_register 427
            open_tree 428 move_mount 429 fsopen 430 fsmount 432 pidfd_open 434 clone3 435
            openat2 437 pidfd_getfd 438 process_madvise 440 mount_setattr 442 memfd_secret 447
            fchmodat2 452
        """),
    ),
}  # fmt: skip


def build(memory: int, seconds: int) -> None:
    """Bound this process: bytes beyond what it has, seconds of computing, and what it may ask."""
    import resource

    limits = {
        "RLIMIT_CPU": seconds,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_AS": _in_use() + memory,
    }
    for name, most in limits.items():
        with suppress(ValueError, OSError):  # macOS bounds no addresses
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))
    if is_filtered():
        _filter()


def is_filtered() -> bool:
    """Whether system calls can be refused here."""
    return sys.platform == "linux" and platform.machine() in ARCHITECTURES


def _in_use() -> int:
    """Bytes of addresses in use."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # where /proc is out of sight; room for the interpreter and for NumPy
        return 2**29


# --- the filter -----------------------------------------------------------------------------------

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE = 0, 4  # where they stand in what the filter is given
# What may be asked of an open file. The pipes are the server's too, and so is what is set on them:
# whether reading waits, and who is sent a signal when there is something to read.
ASKED_OF_FILES = {
    "fcntl": (0, 1, 2, 3, 1030),  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
    "ioctl": (0x5401, 0x5413, 0x5450, 0x5451),  # TCGETS, TIOCGWINSZ, FIONCLEX, FIOCLEX
}
PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 4, 22, 2


def _argument(n: int, high: bool = False) -> int:
    return 16 + 8 * n + 4 * high


def _step(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, k)


def _program() -> Iterator[bytes]:
    """The filter: what is refused returns an error, everything else goes on."""
    machine, number = ARCHITECTURES[platform.machine()]
    number = dict(number)
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_JUMP_EQUAL, machine, yes=1)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER)
    yield _step(_JUMP_AT_LEAST, 0x40000000, no=1)  # the same calls by other numbers
    yield _step(_RETURN, _ERRNO | EPERM)
    for name in ("clone3", "openat2"):  # their flags are out of sight; callers try the older one
        yield _step(_JUMP_EQUAL, number.pop(name), no=1)
        yield _step(_RETURN, _ERRNO | ENOSYS)
    yield _step(_JUMP_EQUAL, number.pop("clone"), no=4)
    yield _step(_LOAD, _argument(0))
    yield _step(_JUMP_ANY, CLONE_THREAD, yes=1)
    yield _step(_RETURN, _ERRNO | EPERM)
    yield _step(_RETURN, _ALLOW)
    for name, place in (("open", 1), ("openat", 2)):
        if name in number:
            yield _step(_JUMP_EQUAL, number.pop(name), no=4)
            yield _step(_LOAD, _argument(place))
            yield _step(_JUMP_ANY, WRITING, no=1)
            yield _step(_RETURN, _ERRNO | EACCES)
            yield _step(_RETURN, _ALLOW)
    for name, allowed in ASKED_OF_FILES.items():
        yield _step(_JUMP_EQUAL, number.pop(name), no=len(allowed) + 3)
        yield _step(_LOAD, _argument(1))
        for n, command in enumerate(allowed):
            yield _step(_JUMP_EQUAL, command, yes=len(allowed) - n)
        yield _step(_RETURN, _ERRNO | EPERM)
        yield _step(_RETURN, _ALLOW)
    yield _step(_JUMP_EQUAL, number.pop("prlimit64"), no=6)  # asking is allowed
    yield _step(_LOAD, _argument(2))
    yield _step(_JUMP_EQUAL, 0, no=2)
    yield _step(_LOAD, _argument(2, high=True))
    yield _step(_JUMP_EQUAL, 0, yes=1)
    yield _step(_RETURN, _ERRNO | EPERM)
    yield _step(_RETURN, _ALLOW)
    for refused in number.values():
        yield _step(_JUMP_EQUAL, refused, no=1)
        yield _step(_RETURN, _ERRNO | EPERM)
    yield _step(_RETURN, _ALLOW)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


@cache
def program() -> bytes:
    """All steps of the filter, which are the same for each process."""
    return b"".join(_program())


def _filter() -> None:
    steps = program()
    filtering = _Program(len(steps) // len(_step(0, 0)), steps)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filtering), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "system calls cannot be refused here")
