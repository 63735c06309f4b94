# SPDX-License-Identifier: MPL-2.0
# Completion of thunderseal(1) for bash; installed as bash-completion/completions/thunderseal.

# Without a terminal nobody is asked for anything, and a keyring that does not answer is not waited for.
_thunderseal_accounts() {
  timeout 2 thunderseal accounts --json </dev/null 2>/dev/null | sed -n 's/^ *"account": "\([^"\\]*\)",*$/\1/p'
}

# The values of an option; fails when it takes none.
_thunderseal_values() {
  case $1 in
    --as) _thunderseal_accounts ;;
    --protocol) printf '%s\n' imap pop3 smtp graph ;;
    --to) printf '%s\n' secret-service passphrase file ;;
    --keystore) printf '%s\n' auto secret-service passphrase file ;;
    --cloud) printf '%s\n' worldwide usgov usgov-dod china ;;
    --client-id) printf '%s\n' thunderbird ;;
    --print) printf '%s\n' manifest az powershell graph policy ;;
    --log) printf '%s\n' stderr journal file ;;
    --log-level) printf '%s\n' error warning info debug ;;
    --scope | --min-ttl | --recipient | --passphrase-fd | --tenant | --domain | --explain) ;;
    *) return 1 ;;
  esac
}

_thunderseal_options() {
  printf '%s\n' --json --log --log-level --passphrase-fd --help --version
  case $1 in
    login) printf '%s\n' --as --device --no-browser ;;
    logout) printf '%s\n' --everywhere ;;
    token) printf '%s\n' --protocol --scope --min-ttl --xoauth2 ;;
    renew) printf '%s\n' --all ;;
    backup) printf '%s\n' --recipient --without-tokens ;;
    key) printf '%s\n' --to ;;
    policy) printf '%s\n' --remove ;;
    setup) printf '%s\n' --for-everybody --client-id --tenant --cloud --domain --keystore --print --explain ;;
  esac
}

_thunderseal_commands() {
  printf '%s\n' accounts status login logout forget token renew check key backup restore audit consent-url policy setup doctor help
}

# What stands behind the command and the words that it has already.
_thunderseal_arguments() {
  case "$1 $2" in
    ' '* | 'help 0') _thunderseal_commands ;;
    status\ * | check\ * | login\ 0 | logout\ 0 | forget\ 0 | token\ 0) _thunderseal_accounts ;;
    'key 0') printf '%s\n' show rotate move ;;
    'audit 0') printf '%s\n' show verify ;;
    'policy 0') printf '%s\n' show check merge ;;
    'backup 0' | 'restore 0' | 'policy 1') compgen -f -- "$3" ;;
  esac
}

_thunderseal() {
  local current command='' previous='' option word prefix='' count=0
  local -a words

  # Words as the program gets them: bash splits at "@", "=" and ":" too.
  if [[ -n ${COMP_LINE-} ]]; then
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *[[:blank:]] ]] && words+=('')
  else
    words=("${COMP_WORDS[@]:0:COMP_CWORD+1}")
  fi
  current=${words[${#words[@]} - 1]}
  for word in "${words[@]:1:${#words[@]}-2}"; do
    if [[ -n $previous ]]; then
      previous=''
    elif [[ $word == -* ]]; then
      _thunderseal_values "$word" >/dev/null && previous=$word
    elif [[ -z $command ]]; then
      command=$word
    else
      count=$((count + 1))
    fi
  done

  # Bash replaces only what stands behind the last of these.
  [[ $current == *[@=:]* && $COMP_WORDBREAKS == *[@=:]* ]] && prefix=${current%"${current##*[@=:]}"}
  COMPREPLY=()
  if [[ -n $previous ]]; then
    mapfile -t words < <(_thunderseal_values "$previous")
  elif [[ $current == --*=* ]]; then
    option=${current%%=*}
    mapfile -t words < <(_thunderseal_values "$option" | sed "s/^/$option=/")
  elif [[ $current == -* ]]; then
    mapfile -t words < <(_thunderseal_options "$command")
  else
    mapfile -t words < <(_thunderseal_arguments "$command" "$count" "$current")
  fi
  for word in "${words[@]}"; do
    [[ $word == "$current"* ]] && COMPREPLY+=("${word#"$prefix"}")
  done
}

complete -o filenames -F _thunderseal thunderseal
