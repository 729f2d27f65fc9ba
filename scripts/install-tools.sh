#!/usr/bin/env bash
# Installs what the integration tests run beside npm packages, once, into a cache folder outside the checkout.
set -euo pipefail

tools="${MODELGATE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/modelgate-tools}"
actionlint=v1.7.12

mkdir -p "$tools/bin"
if [ ! -x "$tools/bin/actionlint" ]; then
  command -v go > /dev/null || { echo "actionlint is built with Go, which is not installed: https://go.dev/dl" >&2; exit 1; }
  GOBIN="$tools/bin" go install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
fi
echo "$tools/bin"
