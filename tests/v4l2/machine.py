"""A small virtual machine with real virtual cameras: QEMU, Debian's own kernel and v4l2loopback.

Nothing is installed on the host: packages are downloaded, unpacked into a cache folder and built there. The guest sees
the host's files, read-only, under a layer that is thrown away, so it runs this checkout with this very environment. It
has no network, and it is slow (software emulation): nothing is inferred there, recorded pictures are sent.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NEEDS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "gcc": "gcc",
    "make": "make",
    "ffmpeg": "ffmpeg",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
}
"""Programs, and the Debian packages that bring them."""
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_rng", "videodev")
GUEST_TIMEOUT_S = 420.0
_BUILD_TIMEOUT_S = 300.0
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class NotPossible(Exception):
    """Why there can be no such machine here."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a machine boots."""

    image: Path
    initrd: Path
    loopback: Path
    """The module v4l2loopback, for the guest to load and unload."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command in the guest came to."""

    status: int | None
    """None where the machine itself failed."""
    output: str


def build(cache: Path | None = None) -> Kernel:
    """Kernel and initial memory file system, out of the cache if they are there. Takes half a minute the first time.

    Raises:
        NotPossible: Where programs are missing, or Debian's packages are not to be had.
    """
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        raise NotPossible("the virtual machine is one for Linux on x86_64")
    missing = sorted({package for program, package in NEEDS.items() if shutil.which(program, path=_PATH) is None})
    if missing:
        raise NotPossible(f"for a machine with a virtual camera: apt-get install {' '.join(missing)}")
    folder = cache or platformdirs.user_cache_path("kuchipaku-tests", appauthor=False) / "v4l2"
    folder = Path(os.environ.get("KUCHIPAKU_V4L2_CACHE", folder))
    folder.mkdir(parents=True, exist_ok=True)
    names = _package_names()
    kernel = Kernel(folder / "vmlinuz", folder / "initrd", folder / "v4l2loopback.ko")
    made_of = folder / "made_of"
    recipe = " ".join(names) + (HERE / "init.sh").read_text("utf-8")
    if made_of.exists() and made_of.read_text("utf-8") == recipe:
        return kernel
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _make(Path(scratch), names, kernel)
    made_of.write_text(recipe, "utf-8")
    return kernel


def run(kernel: Kernel, command: Sequence[str], job: Path, timeout_s: float = GUEST_TIMEOUT_S) -> Outcome:
    """Boot, run `command` in the checkout as root, and shut down. It may write into `job`, which it sees as /job."""
    shutil.copy(kernel.loopback, job / "v4l2loopback.ko")
    variables = {
        "PATH": _PATH,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "AV_LOG_FORCE_NOCOLOR": "1",
    }
    script = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    script += [f"cd {shlex.quote(str(ROOT))}", f"exec {shlex.join(command)}"]
    (job / "run.sh").write_text("\n".join(script) + "\n", "utf-8")
    share = "security_model=none,multidevs=remap"
    machine = [
        "qemu-system-x86_64",
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none"),
        *("-machine", "q35,usb=off,vmport=off", "-accel", "tcg,thread=multi,tb-size=512"),
        # No AVX: QEMU 7.2 emulates it slowly, and some programs hang on it.
        *("-cpu", "Nehalem", "-smp", "2", "-m", "2048", "-serial", "stdio", "-device", "virtio-rng-pci"),
        *("-kernel", str(kernel.image), "-initrd", str(kernel.initrd)),
        *("-append", "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off random.trust_cpu=on tsc=reliable"),
        *("-fsdev", f"local,id=root,path=/,readonly=on,{share}"),
        *("-device", "virtio-9p-pci,fsdev=root,mount_tag=root"),
        *("-fsdev", f"local,id=job,path={job},{share}"),
        *("-device", "virtio-9p-pci,fsdev=job,mount_tag=job"),
    ]
    try:
        console = subprocess.run(
            machine, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        ).stdout
    except subprocess.TimeoutExpired as error:
        console = error.stdout or b""
    output = job / "output"
    said = output.read_text("utf-8", "replace") if output.exists() else console.decode("utf-8", "replace")
    status = job / "status"
    return Outcome(int(status.read_text()) if status.exists() else None, said)


def _package_names() -> list[str]:
    """Debian's kernel, its headers, and the source of v4l2loopback; raises NotPossible elsewhere."""
    image = _depends("linux-image-amd64", r"linux-image-\d\S*")
    version = image.removeprefix("linux-image-")
    headers = f"linux-headers-{version}"
    common = _depends(headers, r"linux-headers-\S*-common")
    return [image, headers, common, _depends(headers, r"linux-kbuild-\S+"), "v4l2loopback-dkms"]


def _depends(package: str, pattern: str) -> str:
    found = re.search(rf"Depends: ({pattern})", _output(["apt-cache", "depends", package]))
    if found is None:
        raise NotPossible(f"this distribution has no package {package} to boot (Debian has)")
    return found[1]


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _must(command: Sequence[str], where: Path) -> None:
    done = subprocess.run(
        command,
        cwd=where,
        env={**os.environ, "PATH": _PATH},
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise NotPossible(f"{shlex.join(command)} ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")


def _make(scratch: Path, names: Sequence[str], kernel: Kernel) -> None:
    _must(["apt-get", "-o", "APT::Sandbox::User=root", "download", *names], scratch)
    root = scratch / "root"
    for package in scratch.glob("*.deb"):
        _must(["dpkg-deb", "-x", str(package), str(root)], scratch)
    version = names[0].removeprefix("linux-image-")
    shutil.copy(root / "boot" / f"vmlinuz-{version}", kernel.image)
    source = _build_loopback(root, version, names)
    shutil.copy(source / "v4l2loopback.ko", kernel.loopback)
    _must(["depmod", "-b", str(root), version], scratch)
    _pack_initrd(scratch, root, version, kernel.initrd)


def _build_loopback(root: Path, version: str, names: Sequence[str]) -> Path:
    """The header packages name each other by absolute paths, which are turned to the unpacked ones."""
    headers, common, kbuild = (name.removesuffix(":amd64") for name in names[1:4])
    makefile = root / "usr/src" / headers / "Makefile"
    makefile.write_text(makefile.read_text("utf-8").replace("/usr/src/", f"{root}/usr/src/"), "utf-8")
    for folder in (headers, common):
        for name in ("scripts", "tools"):
            link = root / "usr/src" / folder / name
            if link.is_symlink():
                link.unlink()
                link.symlink_to(root / "usr/lib" / kbuild / name)
    source = next((root / "usr/src").glob("v4l2loopback-*"))
    _must(["make", "-s", "-C", str(makefile.parent), f"M={source}", "modules"], source)
    return source


def _pack_initrd(scratch: Path, root: Path, version: str, initrd: Path) -> None:
    inside = scratch / "initrd"
    for name in ("bin", "mod", "new", "host", "layer"):
        (inside / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox", path=_PATH) or "busybox", inside / "bin/busybox")
    order = list(dict.fromkeys(file for module in MODULES for file in _module_files(root, version, module)))
    for file in order:
        shutil.copy(file, inside / "mod")
    (inside / "mod/order").write_text("".join(f"{file.name}\n" for file in order), "utf-8")
    shutil.copy(HERE / "init.sh", inside / "init")
    (inside / "init").chmod(0o755)
    with initrd.open("wb") as out:
        listing = "\n".join(str(path.relative_to(inside)) for path in sorted(inside.rglob("*")))
        subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet", "--owner", "0:0"],
            input=listing.encode(),
            cwd=inside,
            stdout=out,
            check=True,
        )


def _module_files(root: Path, version: str, module: str) -> Iterator[Path]:
    """A module's file after those of all that it needs."""
    listed = subprocess.run(
        ["modprobe", "-d", str(root), "-S", version, "--show-depends", module],
        env={**os.environ, "PATH": _PATH},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for line in listed.splitlines():
        word, _, rest = line.partition(" ")
        if word == "insmod":
            yield Path(rest.strip())
