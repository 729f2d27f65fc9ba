#!/usr/bin/env bash
# Installs what the integration tests run beside npm packages, once, into a cache folder outside the checkout.
# With --all also what only the proofs at full size use (npm run chaos:registry): a second S3 server.
set -euo pipefail

tools="${MODELGATE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/modelgate-tools}"
actionlint=v1.7.12
act=v0.2.89
zizmor=1.32.0
check_jsonschema=0.39.0
versitygw=v1.8.0
osv_scanner=v2.5.1

install_moto() {
  python3 -m venv "$tools/moto"
  "$tools/moto/bin/pip" install --quiet --disable-pip-version-check 'moto[server,s3]'
}

mkdir -p "$tools/bin"
if [ ! -x "$tools/bin/actionlint" ]; then
  command -v go > /dev/null || { echo "actionlint is built with Go, which is not installed: https://go.dev/dl" >&2; exit 1; }
  GOBIN="$tools/bin" go install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
fi
# A runner of workflows on this machine, for the tests that carry the templates out; it takes minutes to build.
if [ ! -x "$tools/bin/act" ]; then
  command -v go > /dev/null || { echo "act is built with Go, which is not installed: https://go.dev/dl" >&2; exit 1; }
  GOBIN="$tools/bin" go install "github.com/nektos/act@$act"
fi
if [ ! -x "$tools/linters/bin/zizmor" ] || [ ! -x "$tools/linters/bin/check-jsonschema" ]; then
  python3 -m venv "$tools/linters"
  "$tools/linters/bin/pip" install --quiet --disable-pip-version-check "zizmor==$zizmor" "check-jsonschema==$check_jsonschema"
fi
# The linearizability checker of the registry's races, our own program: Go's cache makes building it again cheap.
if command -v go > /dev/null; then
  (cd "$(dirname "$0")/../chaos/registry/porcupine" && go build -o "$tools/bin/porcupine" .)
fi
# Injects crashes and disk errors into the registry's tests; Linux alone has it.
if [ "$(uname)" = Linux ] && ! command -v strace > /dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    apt-get install --yes --quiet strace || { apt-get update --quiet && apt-get install --yes --quiet strace; }
  else
    echo "strace is not installed: sudo apt-get install strace" >&2
    exit 1
  fi
fi
# PostgreSQL for the tests of several bots on one inbox; its programs are often not on the PATH.
if ! command -v initdb > /dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    apt-get install --yes --quiet postgresql || { apt-get update --quiet && apt-get install --yes --quiet postgresql; }
  elif command -v brew > /dev/null; then
    brew install postgresql@17
  else
    echo "PostgreSQL is not installed: sudo apt-get install postgresql" >&2
    exit 1
  fi
fi
# A browser that looks at the HTML reports.
if ! command -v chromium > /dev/null && ! command -v chromium-browser > /dev/null && ! command -v google-chrome > /dev/null \
  && [ ! -d '/Applications/Google Chrome.app' ] && [ ! -d /Applications/Chromium.app ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    apt-get install --yes --quiet chromium || { apt-get update --quiet && apt-get install --yes --quiet chromium; }
  else
    echo "Chromium is not installed: sudo apt-get install chromium" >&2
    exit 1
  fi
fi
# The generator of the docs site, by a lock of its own: `npm ci` of the project does not bring it.
"$(dirname "$0")/../node_modules/.bin/node" "$(dirname "$0")/docs-site/build.ts" --install
# An S3 server for the tests of the S3 store; where it cannot be built, moto stands in.
if [ ! -x "$tools/bin/versitygw" ] && [ ! -x "$tools/moto/bin/moto_server" ]; then
  if ! GOBIN="$tools/bin" go install "github.com/versity/versitygw/cmd/versitygw@$versitygw"; then
    install_moto
  fi
fi
if [ "${1:-}" = --all ] && [ ! -x "$tools/moto/bin/moto_server" ]; then install_moto; fi
# The scanner of the workflows; some minutes to build.
if [ ! -x "$tools/bin/osv-scanner" ]; then
  GOBIN="$tools/bin" go install "github.com/google/osv-scanner/v2/cmd/osv-scanner@$osv_scanner"
fi
echo "$tools/bin"
