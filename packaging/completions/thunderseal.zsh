#compdef thunderseal
# SPDX-License-Identifier: MPL-2.0
# Completion of thunderseal(1) for zsh; installed as site-functions/_thunderseal.

# Without a terminal nobody is asked for anything, and a keyring that does not answer is not waited for.
_thunderseal_accounts() {
  local -a accounts
  accounts=(${(f)"$(timeout 2 thunderseal accounts --json </dev/null 2>/dev/null | sed -n 's/^ *"account": "\([^"\\]*\)",*$/\1/p')"})
  compadd -a accounts
}

_thunderseal_commands() {
  local -a commands=(
    'accounts:list the accounts'
    'status:show accounts with their tokens and problems'
    'login:sign in with the browser'
    'logout:forget the tokens of an account'
    'forget:erase an account'
    'token:print an access token'
    'renew:renew what is due'
    'check:check sign-in, tokens, settings and mail servers'
    'key:show, rotate or move the key'
    'backup:save accounts and sign-ins in a file'
    'restore:bring them back'
    'audit:show or verify the audit log'
    'consent-url:print where an administrator approves the app'
    'policy:show, check or merge the configuration'
    'setup:say which app signs in'
    'doctor:look at the installation'
    'help:print the options of a command'
  )
  _describe command commands
}

_thunderseal() {
  local curcontext=$curcontext state line
  local -a common=(
    '--json[print JSON instead of text]'
    '--log=[log what happens]:sink:(stderr journal file)'
    '--log-level=[how much]:level:(error warning info debug)'
    '--passphrase-fd=[read passphrases from a descriptor]:descriptor:'
    '(- *)--help[print the commands and options]'
    '(- *)--version[print the version]'
  )

  # "-A": what stands behind the command has its own options, below.
  _arguments -C -A '-*' $common '1: :_thunderseal_commands' '*:: :->rest' && [[ -z $state ]] && return
  [[ $state == rest ]] || return
  case $words[1] in
    status | check) _arguments $common '*: :_thunderseal_accounts' ;;
    login) _arguments $common '--as=[sign in with this name]:name:_thunderseal_accounts' '--device[with a code for a browser elsewhere]' \
      '--no-browser[print the address]' '1: :_thunderseal_accounts' ;;
    logout) _arguments $common '--everywhere[say how to end all sessions]' '1: :_thunderseal_accounts' ;;
    forget) _arguments $common '1: :_thunderseal_accounts' ;;
    token) _arguments $common '--protocol=[for a protocol]:protocol:(imap pop3 smtp graph)' '*--scope=[with a scope]:scope:' \
      '--min-ttl=[with so many seconds left]:seconds:' '--xoauth2[as SASL XOAUTH2]' '1: :_thunderseal_accounts' ;;
    renew) _arguments $common '--all[and what is not yet due]' ;;
    key) _arguments $common '--to=[the new store]:store:(secret-service passphrase file)' '1:what:(show rotate move)' ;;
    backup) _arguments $common '--recipient=[for an X25519 key]:key:' '--without-tokens[the accounts alone]' '1:file:_files' ;;
    restore) _arguments $common '1:file:_files' ;;
    audit) _arguments $common '1:what:(show verify)' ;;
    policy) _arguments $common '--remove[take it out again]' '1:what:(show check merge)' '2:file:_files' ;;
    setup) _arguments $common '--for-everybody[into the administrator'\''s file]' '--client-id=[of the app]:id:(thunderbird)' \
      '--tenant=[domain or GUID]:tenant:' '--cloud=[whose endpoints]:cloud:(worldwide usgov usgov-dod china)' \
      '*--domain=[only its accounts]:domain:' '--keystore=[where the key is kept]:store:(auto secret-service passphrase file)' \
      '--print=[print only]:what:(manifest az powershell graph policy)' '--explain=[an error of Microsoft'\''s]:text:' ;;
    help) _arguments $common '1: :_thunderseal_commands' ;;
    *) _arguments $common ;;
  esac
}

_thunderseal "$@"
