#!/bin/sh
# Sees that the browser tests have a browser: a Chrome or Chromium that is there, else Debian's, installed when we are root.
# Where it cannot be installed it says so in one line and fails nothing: the browser tests then fail and say the same.
set -u

# The same names as in tests/browser/chromium.py.
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] && exit 0

lacking() {
    echo "browser: no Chrome or Chromium is here and $*; the browser tests will fail until one is installed" >&2
    exit 0
}

command -v apt-get >/dev/null 2>&1 || lacking "there is no apt-get to install one with"
[ "$(id -u)" = 0 ] || lacking "installing one needs root (apt-get install chromium fonts-dejavu-core)"

# The font has the marks of Vietnamese letters.
install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null 2>&1
}

echo "browser: installing Debian's chromium for the browser tests"
install || { apt-get update -qq >/dev/null 2>&1 && install; } || lacking "apt-get could not install one"
