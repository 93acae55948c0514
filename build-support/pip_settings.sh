# shellcheck shell=bash
# Sourced by ./pants and build-support/lock. Reads what pip is configured with (environment, then configuration files), so that
# whatever installs wheels for `pip install` on this machine installs them here too. Needs $python, an interpreter with pip.

# Prints the value of one pip setting, several values on one line; nothing when it is not set.
pip_setting() {
    local line found=""
    while IFS= read -r line; do
        case $line in
            ":env:.$1="*) found=${line#*=}; break ;;
            "install.$1="*) found=${line#*=} ;;
            "global.$1="*) [[ -n $found ]] || found=${line#*=} ;;
        esac
    done <<<"$pip_settings"
    found=${found#\'}
    found=${found%\'}
    printf '%s' "${found//\\n/ }"
}

# Prints where torch's CPU build is found: on PyPI torch comes with gigabytes of CUDA, and the lock pins the CPU build.
torch_find_links() {
    local configured
    configured=$(pip_setting find-links)
    printf '%s' "${configured:-https://download.pytorch.org/whl/cpu/torch/}"
}

# Prints its arguments as a list for an option of Pants.
as_list() {
    local item list=""
    for item in "$@"; do list+="'$item',"; done
    printf '[%s]' "$list"
}

pip_settings=$("${python:?}" -m pip config list)
