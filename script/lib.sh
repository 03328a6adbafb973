# Shared by the scripts: where we are, what is installed, how messages look. Source, do not run.
set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"
export CCACHE_DIR="${CCACHE_DIR:-$ROOT/.cache/ccache}"
# Precompiled headers and ccache need these to agree (ccache manual, "Precompiled headers").
export CCACHE_SLOPPINESS="pch_defines,time_macros,include_file_mtime,include_file_ctime"
JOBS="${JOBS:-$(nproc)}"
VENV="$ROOT/.cache/venv"

say() { printf '\033[1m== %s\033[0m\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Runs "script/setup GROUP..." only when something is missing (it is quick when nothing is).
setup() { "$ROOT/script/setup" "$@"; }

# A Python with the packages of tests/python/requirements.txt; made once, renewed when they change.
python_env() {
  local wanted="$ROOT/tests/python/requirements.txt" stamp="$VENV/requirements.stamp"
  if [ ! -f "$stamp" ] || ! cmp -s "$wanted" "$stamp"; then
    say "Python packages for the tests"
    python3 -m venv --clear "$VENV"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$stamp"
  fi
}
