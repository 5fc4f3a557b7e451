"""Make or refresh ``.venv`` from ``requirements.lock``; run with any Python ≥ 3.11, needs nothing else.

Does nothing when the lock has not changed. On Linux it also looks for the system libraries Qt needs,
installs them where it may (root, apt), and else names the one command that does.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "lock.sha256"

QT_LIBRARIES = {
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
}
WINDOW_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def main() -> int:
    if sys.version_info < (3, 11):
        print(f"Broadcaster needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    try:
        make_environment()
    except subprocess.CalledProcessError as error:
        print(f"This step failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    return system_libraries(with_window="--window" in sys.argv)


def make_environment() -> None:
    """Create the environment and install exactly what the lock file names, by hash."""
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
        return
    if not PYTHON.exists():
        create_venv()
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    print("Installing the pinned dependencies …", file=sys.stderr, flush=True)
    run([*pip, "--require-hashes", "-r", str(LOCK)])
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    STAMP.write_text(wanted)


def create_venv() -> None:
    """``python -m venv``; Debian and Ubuntu split its parts into a package of their own."""
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not apt_install([package]):
        print(f"Python's venv is missing. Install it with: {apt_command([package])}", file=sys.stderr)
        sys.exit(2)
    run([sys.executable, "-m", "venv", str(VENV)])


def system_libraries(with_window: bool) -> int:
    """Install or name Qt's system libraries that are missing. Only Linux keeps them apart."""
    if not sys.platform.startswith("linux"):
        return 0
    needed = QT_LIBRARIES | (WINDOW_LIBRARIES if with_window else {})
    missing = [package for library, package in needed.items() if not loads(library)]
    if not missing:
        return 0
    print(f"Qt needs system libraries that are missing: {', '.join(missing)}.", file=sys.stderr, flush=True)
    if apt_install(missing):
        return 0
    print(f"Install them with: {apt_command(missing)}", file=sys.stderr)
    return 2


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_install(packages: list[str]) -> bool:
    """Install with apt-get where this user may; False where not."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], environment)
    run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages], environment)
    return True


def apt_command(packages: list[str]) -> str:
    return f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=environment, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
