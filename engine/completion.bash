# Completion of moonboot's command line for bash. What there is to complete, the program itself is asked for.

_moonboot_commands() {
  "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/ s/^ \{3\}\([a-z]*\).*/\1/p'
}

# The names of ready-made scripts of a kind, as in "experiments:".
_moonboot_scripts() {
  "$1" list 2>/dev/null | sed -n "/^$2:/,/^[a-z]/ s/^  \([^ ]*\).*/\1/p"
}

_moonboot_options() {
  "$@" --help 2>/dev/null | grep -o -E -- '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,' | sort -u
}

_moonboot() {
  local program=$1 word=$2 before=$3 command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "$(_moonboot_commands "$program") --help --version" -- "$word"))
    compopt -o plusdirs
    COMPREPLY+=($(compgen -f -X '!*.lua' -- "$word"))
    return
  fi
  case $before in
    --grammar) COMPREPLY=($(compgen -W "$(_moonboot_scripts "$program" grammars)" -- "$word")) ;;
    --format) COMPREPLY=($(compgen -W "$(_moonboot_scripts "$program" layouts)" -- "$word")) ;;
    --output | --resume) COMPREPLY=($(compgen -d -- "$word")) && return ;;
  esac
  case $command:$word in
    help:*) COMPREPLY=($(compgen -W "$(_moonboot_commands "$program")" -- "$word")) && return ;;
    *:-*)
      local experiment=
      case $command in run | install) [ "$COMP_CWORD" -gt 2 ] && experiment=${COMP_WORDS[2]} ;; esac
      COMPREPLY=($(compgen -W "$(_moonboot_options "$program" "$command" ${experiment:+"$experiment"})" -- "$word"))
      return
      ;;
    run:* | install:*) COMPREPLY+=($(compgen -W "$(_moonboot_scripts "$program" experiments)" -- "$word")) ;;
  esac
  compopt -o filenames
  COMPREPLY+=($(compgen -f -- "$word"))
}

complete -F _moonboot moonboot
