#!/usr/bin/env bash
# Installs what the integration tests run beside npm packages, once, into a cache folder outside the checkout.
set -euo pipefail

tools="${MODELGATE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/modelgate-tools}"
actionlint=v1.7.12
versitygw=v1.8.0

mkdir -p "$tools/bin"
if [ ! -x "$tools/bin/actionlint" ]; then
  command -v go > /dev/null || { echo "actionlint is built with Go, which is not installed: https://go.dev/dl" >&2; exit 1; }
  GOBIN="$tools/bin" go install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint"
fi
# An S3 server for the tests of the S3 store; where it cannot be built, moto stands in.
if [ ! -x "$tools/bin/versitygw" ] && [ ! -x "$tools/moto/bin/moto_server" ]; then
  if ! GOBIN="$tools/bin" go install "github.com/versity/versitygw/cmd/versitygw@$versitygw"; then
    python3 -m venv "$tools/moto"
    "$tools/moto/bin/pip" install --quiet --disable-pip-version-check 'moto[server,s3]'
  fi
fi
echo "$tools/bin"
