"""c_runtime.py FOLDER: makes the two libraries that Wine 8 lacks, and points the packages that need them there.

numpy wants the complex functions of the C runtime, and every wheel made with Rust wants `ProcessPrng`.
"""

import re
import subprocess
import sys
from pathlib import Path

import pefile

OURS, THEIRS = b"xpi-ms-win-crt-math-l1-1-0", b"api-ms-win-crt-math-l1-1-0"
TO_REAL = ["cabs", "carg", "cimag", "creal"]
TO_COMPLEX = [
    "cacos",
    "cacosh",
    "casin",
    "casinh",
    "catan",
    "catanh",
    "ccos",
    "ccosh",
    "cexp",
    "clog",
    "conj",
    "cproj",
    "csin",
    "csinh",
    "csqrt",
    "ctan",
    "ctanh",
]
MADE = {name + kind for name in (*TO_REAL, *TO_COMPLEX, "cpow") for kind in ("", "f", "l")}
GCC = "/usr/bin/x86_64-w64-mingw32-gcc"
HEAD = """#include <complex.h>
#include <math.h>
typedef struct {float r, i;} FC;
typedef struct {double r, i;} DC;
static float complex F(FC a) {return __builtin_complex(a.r, a.i);}
static double complex D(DC a) {return __builtin_complex(a.r, a.i);}
static FC f(float complex z) {FC r = {crealf(z), cimagf(z)}; return r;}
static DC d(double complex z) {DC r = {creal(z), cimag(z)}; return r;}
FC u_cpowf(FC a, FC b) {return f(cpowf(F(a), F(b)));}
"""
RANDOM = """#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return SystemFunction036(p, (ULONG)n); }
"""


def imports(path: Path) -> set[str]:
    """The names that a library takes from the C runtime's mathematics."""
    try:
        image = pefile.PE(str(path), fast_load=True)
        image.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_IMPORT"]])
    except pefile.PEFormatError:
        return set()
    entries = [one for one in getattr(image, "DIRECTORY_ENTRY_IMPORT", []) if one.dll.lower()[1:26] == THEIRS[1:26]]
    return {name.name.decode() for entry in entries for name in entry.imports if name.name}


def mathematics() -> str:
    """The complex functions in C; on Windows a long double is a double."""
    lines = [f"float u_{name}f(FC a) {{return {name}f(F(a));}}" for name in TO_REAL]
    lines += [f"double u_{name}{kind}(DC a) {{return {name}(D(a));}}" for name in TO_REAL for kind in ("", "l")]
    lines += [f"FC u_{name}f(FC a) {{return f({name}f(F(a)));}}" for name in TO_COMPLEX]
    lines += [f"DC u_{name}{kind}(DC a) {{return d({name}(D(a)));}}" for name in TO_COMPLEX for kind in ("", "l")]
    lines += [f"DC u_cpow{kind}(DC a, DC b) {{return d(cpow(D(a), D(b)));}}" for kind in ("", "l")]
    return HEAD + "\n".join(lines)


def main(folder: Path) -> None:
    """Build both, and let the packages take the first under its own name."""
    wanted = {path: imports(path) for path in (folder / "packages").rglob("*") if path.suffix in {".pyd", ".dll"}}
    for path in (path for path, names in wanted.items() if names & MADE):
        path.write_bytes(re.sub(rb"(?i)" + THEIRS, OURS, path.read_bytes()))
    build = folder / "build"
    build.mkdir(exist_ok=True)
    exports = (
        f"  {name} = {'u_' + name if name in MADE else 'ucrtbase.' + name}"
        for name in sorted(MADE.union(*wanted.values()))
    )
    (build / "math.c").write_text(mathematics())
    (build / "math.def").write_text(f"LIBRARY {OURS.decode()}\nEXPORTS\n" + "\n".join(exports) + "\n")
    (build / "random.c").write_text(RANDOM)
    python = folder / "python"
    link("math.c", "math.def", "-nostartfiles", "-Wl,-e,0", "-static-libgcc", to=python / f"{OURS.decode()}.dll")
    link("random.c", "-ladvapi32", to=python / "bcryptprimitives.dll")


def link(*parts: str, to: Path) -> None:
    """A library of these parts."""
    subprocess.run([GCC, "-O2", "-shared", "-o", to, *parts], cwd=to.parents[1] / "build", check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
