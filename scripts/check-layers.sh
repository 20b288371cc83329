#!/usr/bin/env bash
# Checks who may import whom, in src/ (Rust) and in js/. Needs bash 4 and nothing else.
# Usage: scripts/check-layers.sh [ROOT]   (ROOT: another tree; the test uses it)
set -euo pipefail
cd "${1:-"$(dirname "$0")/.."}"

leaves="slot node_addr resp"
pure="$leaves command topology routing pubsub"
# What each module of src/ may use of ours, besides itself. A module that is not here is an error.
declare -A may_use=(
  [slot]=""          [node_addr]=""          [resp]=""
  [command]="$leaves"
  [topology]="$leaves"
  [routing]="$leaves command topology"
  [pubsub]="$leaves topology"
  [connection]="$leaves"
  [config]="$pure connection"
  [error]="$pure connection config"
  [cluster]="$pure connection config error"
  [binding]="resp command cluster config error"
)
# In a pure module time and chance are arguments, and bytes come from the caller.
impure='\b(tokio|mio|socket2|rand|fastrand|getrandom)::|\bInstant::now|\bSystemTime\b'
impure+='|\bstd::thread\b|\b(Tcp|Udp|Unix)(Stream|Socket|Listener|Datagram)\b'

# Files of js/ (without .js) that may load the addon, and that may reach into node-redis's packages.
native_users="channel cluster node-client native-addon"
definition_users="commands errors definitions command-index"

failures=0
report() {
  echo "$1"
  failures=$((failures + 1))
}

has_word() { [[ " $1 " == *" $2 "* ]]; }

# "line:match" for every match of a pattern in a file, without comments (and JSDoc types).
matches() {
  sed -E 's,^[[:space:]]*(/\*|\*[ /]).*,,; s,(^|[[:space:];{}(])//.*,\1,' "$2" |
    grep -noE "$1" || true
}

check_rust_imports() { # module file
  local module=$1 file=$2 line used inside
  while IFS=: read -r line used; do
    [[ -n $line ]] && report "$file:$line: write \`use crate::module::..\` in full"
  done < <(matches 'crate::(\{|\*)' "$file")
  while IFS=: read -r line used; do
    used=${used#*::}
    # A name that is no module is an item of the crate's root, which belongs to nobody.
    if [[ -n $line && $used != "$module" ]] && ! has_word "${may_use[$module]}" "$used"; then
      report "$file:$line: \`$module\` may not use \`crate::$used\`"
    fi
  done < <(matches 'crate::[a-z_0-9]+' "$file")
  # `super::cluster` where no such submodule exists can only be a way around `crate::cluster`.
  while IFS=: read -r line used; do
    used=${used##*::}
    inside=src/$module/$used
    if [[ -n $line && -v may_use[$used] && ! -e $inside.rs && ! -e $inside ]]; then
      report "$file:$line: write \`crate::$used\` instead of \`super::$used\`"
    fi
  done < <(matches 'super::[a-z_0-9]+' "$file")
}

check_rust_words() { # module file
  local module=$1 file=$2 line used
  if has_word "$pure" "$module"; then
    while IFS=: read -r line used; do
      [[ -n $line ]] && report "$file:$line: \`$module\` is pure and may not use \`$used\`"
    done < <(matches "$impure" "$file")
  fi
  if [[ $module != binding ]]; then
    while IFS=: read -r line used; do
      [[ -n $line ]] && report "$file:$line: only \`binding\` may name napi"
    done < <(matches '\bnapi(_derive)?::|#!?\[napi\b|\buse napi\b' "$file")
  fi
}

check_rust() {
  local file module
  [[ -f src/lib.rs ]] || { report "src/lib.rs is missing"; return; }
  while read -r file; do
    [[ $file == src/lib.rs ]] && continue
    module=${file#src/}
    module=${module%%/*}
    module=${module%.rs}
    if [[ ! -v may_use[$module] ]]; then
      report "$file: module \`$module\` has no line in the table of scripts/check-layers.sh"
      continue
    fi
    check_rust_imports "$module" "$file"
    check_rust_words "$module" "$file"
  done < <(find src -name '*.rs' | sort)
}

declare -A requires # file of js/ -> the files of js/ that it requires

check_js_file() { # file
  local file=$1 name line used
  name=${file#js/}
  name=${name%.js}
  while IFS=: read -r line used; do
    if [[ -n $line ]] && ! has_word "$native_users" "$name"; then
      report "$file:$line: only js/{${native_users// /,}}.js may load the addon"
    fi
  done < <(matches "require\\(['\"](\\.\\./)+native(\\.js)?['\"]" "$file")
  while IFS=: read -r line used; do
    if [[ -n $line ]] && ! has_word "$definition_users" "$name"; then
      report "$file:$line: only js/{${definition_users// /,}}.js may reach into @redis/*/dist"
    fi
  done < <(matches "(require|import)\\(['\"]@redis/[a-z-]+/dist" "$file")
  requires[$file]=""
  while IFS=: read -r line used; do
    [[ -n $line ]] && requires[$file]+=" $(resolve_js "$(dirname "$file")" "$used")"
  done < <(matches "require\\(['\"]\\.[^'\"]*['\"]" "$file")
}

resolve_js() { # folder require('./x'  ->  folder/x.js
  local target=${2#*[\'\"]} folder=$1
  target=${target%[\'\"]}
  while [[ $target == ./* || $target == ../* ]]; do
    [[ $target == ../* ]] && folder=$(dirname "$folder")
    target=${target#*/}
  done
  target=$folder/$target
  [[ -f $target ]] || target=$([[ -f $target.js ]] && echo "$target.js" || echo "$target/index.js")
  echo "$target"
}

# Takes away files that depend on nothing that is left; what stays is in a circle or leads to one.
check_js_cycles() {
  local file used removed=yes leads
  while [[ $removed == yes ]]; do
    removed=no
    for file in "${!requires[@]}"; do
      leads=no
      for used in ${requires[$file]}; do [[ -v requires[$used] ]] && leads=yes; done
      if [[ $leads == no ]]; then
        unset "requires[$file]"
        removed=yes
      fi
    done
  done
  [[ ${#requires[@]} -eq 0 ]] || name_cycle "$(printf '%s\n' "${!requires[@]}" | sort | head -n 1)"
}

name_cycle() { # file
  local file=$1 used path=""
  until has_word "$path" "$file"; do
    path+=" $file"
    for used in ${requires[$file]}; do
      if [[ -v requires[$used] ]]; then file=$used; break; fi
    done
  done
  path="$file${path##* "$file"} $file"
  report "js files require each other in a circle: ${path// / -> }"
}

check_js() {
  local file
  while read -r file; do check_js_file "$file"; done < <(find js -name '*.js' | sort)
  check_js_cycles
}

check_rust
[[ -d js ]] && check_js
if [[ $failures -gt 0 ]]; then
  echo "$failures layer rule(s) broken; ARCHITECTURE.md says which room a thing belongs in"
  exit 1
fi
echo "layers: every import goes downward"
