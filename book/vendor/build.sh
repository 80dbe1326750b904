#!/bin/sh
# Rebuild book/extra/vendor and book/extra/_static from npm packages. Requires Node 18 or later; see README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
extra="$here/../extra"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --no-audit --no-fund --loglevel=error --save-exact \
  ol@10.11.0 rbush@4.0.1 quickselect@3.0.0 mathjax-full@3.2.2 esbuild@0.25.12 axe-core@4.10.3 \
  @fortawesome/fontawesome-svg-core@6.7.2 @fortawesome/free-solid-svg-icons@6.7.2
cp "$here"/*-entry.js .

# bundle ENTRY FILE [OPTIONS]
bundle() {
  entry=$1 file=$2
  shift 2
  npx esbuild "$entry" --bundle --minify --format=iife --target=es2020 --legal-comments=none --log-level=warning \
    --outfile="$file" "$@"
}

rm -rf "$extra/vendor" "$extra/_static"
mkdir -p "$extra/vendor/ol" "$extra/vendor/mathjax/fonts" "$extra/vendor/fontawesome"

bundle ol-entry.js "$extra/vendor/ol/ol.js" --global-name=ol
cp node_modules/ol/ol.css "$extra/vendor/ol/"
for part in ol rbush quickselect; do
  cp node_modules/$part/LICENSE* "$extra/vendor/ol/LICENSE-$part.txt"
done

# from TypeScript: the package's JavaScript targets browsers of 2010 and is nearly twice as long
bundle mathjax-entry.js "$extra/vendor/mathjax/mathjax.js" \
  --tsconfig-raw='{"compilerOptions": {"useDefineForClassFields": false}}'
cp node_modules/mathjax-full/es5/output/chtml/fonts/woff-v2/*.woff "$extra/vendor/mathjax/fonts/"
cp node_modules/mathjax-full/LICENSE "$extra/vendor/mathjax/LICENSE.txt"

bundle icons-entry.js "$extra/_static/scripts/fontawesome.js" # replaces the theme's file of the same name
cp node_modules/@fortawesome/free-solid-svg-icons/LICENSE.txt "$extra/vendor/fontawesome/LICENSE.txt"

axe="$here/../../tests/axe"
mkdir -p "$axe"
cp node_modules/axe-core/axe.min.js node_modules/axe-core/LICENSE-3RD-PARTY.txt "$axe/"
cp node_modules/axe-core/LICENSE "$axe/LICENSE.txt"
