# shellcheck shell=bash
# The device part of setup.sh (which sources it): install and uninstall. Both can be run again at any time.
# A new version is built beside the running one and switched to at the end, so a failure leaves the old one working.

PREFIX=/opt/kiosk
STATE=/var/lib/kiosk
SETTINGS=/etc/kiosk
UNITS=/etc/systemd/system
ENABLED=(kiosk.service kiosk-settle.timer)
INSTALLED=("${ENABLED[@]}" kiosk-settle.service)
TMPFILES=/etc/tmpfiles.d/kiosk.conf
COMMAND=/usr/local/bin/kiosk

need_root() {
    [ "$(id -u)" -eq 0 ] || fail "$1 needs root" "run: sudo ./setup.sh $1"
}

# machine: prints pi, jetson or other. /proc/device-tree/model is where the boards name themselves.
machine() {
    local model=""
    [ ! -r /proc/device-tree/model ] || model="$(tr -d '\0' </proc/device-tree/model)"
    case "$model" in
        *Raspberry*) say pi ;;
        *Jetson* | *NVIDIA*) say jetson ;;
        *) if [ -e /etc/nv_tegra_release ]; then say jetson; else say other; fi ;;
    esac
}

device_packages() {
    missing_libraries "${SCREEN_LIBRARIES[@]}"
    npm_package
    if [ "$1" = pi ]; then # these two come from apt only
        python3 -c 'import picamera2' 2>/dev/null || say python3-picamera2
        python3 -c 'import lgpio' 2>/dev/null || say python3-lgpio
    fi
}

add_user() {
    local group
    getent passwd kiosk >/dev/null ||
        useradd --system --user-group --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin kiosk
    for group in video render input gpio; do # those that this system has
        if getent group "$group" >/dev/null; then usermod --append --groups "$group" kiosk; fi
    done
}

# source_mark: changes with any source file, the Python or the extras.
source_mark() {
    (cd -- "$ROOT" && find kiosk hardware models pyproject.toml -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum && "$PYTHON" -c 'import sys; print(sys.version)' && say "$1") | sha256sum | cut -c1-16
}

# build_venv EXTRA: /opt/kiosk/venv becomes a link to a complete new environment.
build_venv() {
    local mark copy venv
    mark="$(source_mark "$1")"
    venv="$PREFIX/venv-$mark"
    if [ "$(readlink "$PREFIX/venv" 2>/dev/null)" = "venv-$mark" ] && [ -f "$venv/.complete" ]; then
        say "/opt/kiosk is up to date"
        return
    fi
    mkdir -p -- "$PREFIX"
    check_space "$PREFIX" "$VENV_MB"
    say "Building $venv"
    # The system's packages are seen for picamera2 and lgpio, which no wheel carries.
    "$PYTHON" -m venv --clear --system-site-packages -- "$venv" ||
        fail "$PYTHON cannot make a virtual environment" "install its venv module (python3-venv)"
    copy="$(mktemp -d)" # building in the checkout would leave files of root there
    cp -R -- "$ROOT/kiosk" "$ROOT/hardware" "$ROOT/models" "$ROOT/pyproject.toml" "$ROOT/README.md" "$ROOT/LICENSE" "$copy/"
    pip_install "$venv/bin/python" "${copy}[$1]"
    rm -rf -- "$copy"
    say "$1" >"$venv/.complete"
    ln -sfn "venv-$mark" "$PREFIX/venv.new" && mv -T -- "$PREFIX/venv.new" "$PREFIX/venv"
}

# drop_old_venvs: at the very end, since until the door is started anew it runs from an old one.
drop_old_venvs() {
    find "$PREFIX" -mindepth 1 -maxdepth 1 -name 'venv-*' ! -name "$(readlink "$PREFIX/venv")" -exec rm -rf -- {} +
}

# configured WHAT: what kiosk.toml needs ("extras" or "network"), by the environment that is there; -I: whatever lies in
# the folder where this is run is not root's to import.
configured() { "$PREFIX/venv/bin/python" -I -m kiosk.config.needs "$1" --config "$SETTINGS/kiosk.toml"; }

# present_extras: those that the configuration needs; of one that cannot be read, those that are there.
present_extras() {
    [ -x "$PREFIX/venv/bin/python" ] || return 0
    configured extras 2>/dev/null || cat -- "$PREFIX/venv/.complete" 2>/dev/null || true
}

# wanted_extras BOARD: joined by commas; what staff asked for once (setup.sh install WORDS) stays.
wanted_extras() {
    local more=""
    [ ! -r "$SETTINGS/extras" ] || more="$(cat -- "$SETTINGS/extras")"
    { say "$1" && present_extras && say "$more"; } |
        tr -s ' ,\t\r' '\n' | sed '/^$/d' | LC_ALL=C sort -u | paste -sd,
}

# remember_extras WORD...: beside those that were asked for before, and those that the configuration needs.
remember_extras() {
    local word words=()
    mapfile -t words < <({ say "$*" && cat -- "$SETTINGS/extras" 2>/dev/null; } | tr -s ' ,\t\r' '\n' | sed '/^$/d' | LC_ALL=C sort -u)
    for word in ${words[@]+"${words[@]}"}; do
        case "$word" in
            cards | server | cloud | kpi | postgres) ;;
            *) fail "there is no extra \"$word\"" "known: cards, server, cloud, kpi, postgres (kept in $SETTINGS/extras)" ;;
        esac
    done
    [ "$#" -eq 0 ] || { install -d -m 0755 "$SETTINGS" && say "${words[*]}" >"$SETTINGS/extras"; }
}

# write_network: the door gets a network only where kiosk.toml names something to be reached.
write_network() {
    local text folder="$UNITS/kiosk.service.d"
    text="$(configured network)" || exit 1 # it has said why, in one line
    if [ -z "$text" ]; then
        rm -f -- "$folder/network.conf"
        return
    fi
    mkdir -p -- "$folder"
    say "$text" >"$folder/network.conf.new"
    mv -- "$folder/network.conf.new" "$folder/network.conf"
    say "kiosk.toml names engines or figures: kiosk.service may use the network ($folder/network.conf)"
}

write_settings() {
    install -d -m 0755 "$SETTINGS"
    [ -e "$SETTINGS/kiosk.toml" ] || install -m 0644 -- "$ROOT/docs/kiosk.example.toml" "$SETTINGS/kiosk.toml"
    if [ ! -e "$SETTINGS/records.key" ]; then
        # A fresh key beside an old database would only hide that the old key is lost.
        [ ! -e "$STATE/kiosk.db" ] ||
            fail "$STATE/kiosk.db exists but $SETTINGS/records.key is missing" "restore the key from its safe copy"
        (umask 077 && head -c 32 /dev/urandom >"$SETTINGS/records.key.new") && sync "$SETTINGS/records.key.new"
        mv -- "$SETTINGS/records.key.new" "$SETTINGS/records.key"
        say "Made $SETTINGS/records.key: keep a safe copy, without it the records cannot be read"
    fi
    install -d -m 0700 -o kiosk -g kiosk "$STATE"
}

# write_command: staff's "sudo kiosk ...": as user kiosk, who may in addition read (not write) any file, so that
# photographs in a private folder and the key can be read but nothing in the store ends up belonging to root.
write_command() {
    cat >"$COMMAND.new" <<'EOF'
#!/bin/sh
# Written by setup.sh install.
if [ "$(id -u)" -ne 0 ]; then echo "kiosk: run it with sudo" >&2; exit 2; fi
export KIOSK_DATA_DIR=/var/lib/kiosk CREDENTIALS_DIRECTORY=/etc/kiosk HOME=/var/lib/kiosk
exec setpriv --reuid=kiosk --regid=kiosk --init-groups --no-new-privs --securebits=+no_setuid_fixup \
    --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search \
    /opt/kiosk/venv/bin/kiosk "$@"
EOF
    chmod 0755 "$COMMAND.new"
    mv -- "$COMMAND.new" "$COMMAND"
}

install_unit() {
    local unit
    for unit in "${INSTALLED[@]}"; do install -D -m 0644 -- "$ROOT/systemd/$unit" "$UNITS/$unit"; done
    install -D -m 0644 -- "$ROOT/systemd/kiosk.tmpfiles" "$TMPFILES"
    if ! has systemctl; then
        say "systemd is not installed: the units lie in $UNITS for when it is"
        return
    fi
    systemctl --quiet enable "${ENABLED[@]}"
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl restart "${ENABLED[@]}" || fail "the unit did not start" "look at: journalctl -u kiosk"
        say "kiosk.service is running, kiosk-settle.timer is waiting"
    else
        say "systemd is not running here: the units are enabled and start at the next boot"
    fi
}

device_install() {
    local board extra extras packages=() source=()
    need_root install
    umask 022
    export PYTHONSAFEPATH=1 # nothing is imported from the folder where this is run
    remember_extras "$@"
    find_python
    board="$(machine)"
    case "$board" in pi) extra=pi ;; *) extra=jetson ;; esac # jetson: gpiod alone, which serves any other board
    mapfile -t packages < <(device_packages "$board")
    prepare_system "${packages[@]}"
    add_user
    extras="$(wanted_extras "$extra")"
    build_venv "$extras"
    write_settings
    # Before, there may have been no environment, or an older one, to read the configuration with.
    [ "$(wanted_extras "$extra")" = "$extras" ] || build_venv "$(wanted_extras "$extra")"
    [ ! -d "$DATA/models" ] || source=(--from "$DATA/models") # what the demo has already fetched
    KIOSK_DATA_DIR="$STATE" HOME=/root "$PREFIX/venv/bin/kiosk" models fetch --group core ${source[@]+"${source[@]}"} || exit 1
    chown -R kiosk:kiosk -- "$STATE"
    write_command
    write_network
    install_unit
    drop_old_venvs
    say "Installed for this machine ($board). Next: edit $SETTINGS/kiosk.toml, then: sudo kiosk doctor"
}

device_uninstall() {
    need_root uninstall
    case "${1:-}" in "" | --purge) ;; *) fail "uninstall knows only --purge" "run: sudo ./setup.sh uninstall" ;; esac
    if has systemctl; then
        if [ -d /run/systemd/system ]; then systemctl --quiet stop "${INSTALLED[@]}" 2>/dev/null || true; fi
        systemctl --quiet disable "${ENABLED[@]}" 2>/dev/null || true
    fi
    rm -f -- "${INSTALLED[@]/#/$UNITS/}" "$TMPFILES" "$COMMAND" "$UNITS/kiosk.service.d/network.conf"
    rmdir -- "$UNITS/kiosk.service.d" 2>/dev/null || true # a drop-in of somebody else's stays
    rm -rf -- "$PREFIX"
    if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
    if [ "${1:-}" = --purge ]; then
        rm -rf -- "$SETTINGS" "$STATE"
        if getent passwd kiosk >/dev/null; then userdel kiosk; fi
        say "Removed, with configuration, key and records"
    else
        say "Removed; $SETTINGS (with the key) and $STATE (with the records) stay: uninstall --purge removes them"
    fi
}
