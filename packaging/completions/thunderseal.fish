# SPDX-License-Identifier: MPL-2.0
# Completion of thunderseal(1) for fish; installed as fish/vendor_completions.d/thunderseal.fish.

# Without a terminal nobody is asked for anything, and a keyring that does not answer is not waited for.
function __thunderseal_accounts
    timeout 2 thunderseal accounts --json </dev/null 2>/dev/null | string match -rg '^ *"account": "([^"\\\\]*)",?$'
end

set -l commands accounts status login logout forget token renew check key backup restore audit consent-url policy setup doctor help
set -l none "not __fish_seen_subcommand_from $commands"

complete -c thunderseal -f
complete -c thunderseal -n "$none" -a accounts -d 'list the accounts'
complete -c thunderseal -n "$none" -a status -d 'show accounts with their tokens and problems'
complete -c thunderseal -n "$none" -a login -d 'sign in with the browser'
complete -c thunderseal -n "$none" -a logout -d 'forget the tokens of an account'
complete -c thunderseal -n "$none" -a forget -d 'erase an account'
complete -c thunderseal -n "$none" -a token -d 'print an access token'
complete -c thunderseal -n "$none" -a renew -d 'renew what is due'
complete -c thunderseal -n "$none" -a check -d 'check sign-in, tokens, settings and mail servers'
complete -c thunderseal -n "$none" -a key -d 'show, rotate or move the key'
complete -c thunderseal -n "$none" -a backup -d 'save accounts and sign-ins in a file'
complete -c thunderseal -n "$none" -a restore -d 'bring them back'
complete -c thunderseal -n "$none" -a audit -d 'show or verify the audit log'
complete -c thunderseal -n "$none" -a consent-url -d 'print where an administrator approves the app'
complete -c thunderseal -n "$none" -a policy -d 'show, check or merge the configuration'
complete -c thunderseal -n "$none" -a setup -d 'say which app signs in'
complete -c thunderseal -n "$none" -a doctor -d 'look at the installation'
complete -c thunderseal -n "$none" -a help -d 'print the options of a command'

complete -c thunderseal -n '__fish_seen_subcommand_from status login logout forget token' -a '(__thunderseal_accounts)'
complete -c thunderseal -n '__fish_seen_subcommand_from check; and not __fish_seen_subcommand_from policy' -a '(__thunderseal_accounts)'
complete -c thunderseal -n '__fish_seen_subcommand_from key' -a 'show rotate move'
complete -c thunderseal -n '__fish_seen_subcommand_from audit' -a 'show verify'
complete -c thunderseal -n '__fish_seen_subcommand_from help' -a "$commands"
complete -c thunderseal -n '__fish_seen_subcommand_from policy' -a 'show check merge'
complete -c thunderseal -n '__fish_seen_subcommand_from backup restore policy' -F

complete -c thunderseal -n '__fish_seen_subcommand_from login' -l as -x -a '(__thunderseal_accounts)' -d 'sign in with this name'
complete -c thunderseal -n '__fish_seen_subcommand_from login' -l device -d 'with a code for a browser elsewhere'
complete -c thunderseal -n '__fish_seen_subcommand_from login' -l no-browser -d 'print the address'
complete -c thunderseal -n '__fish_seen_subcommand_from logout' -l everywhere -d 'say how to end all sessions'
complete -c thunderseal -n '__fish_seen_subcommand_from token' -l protocol -x -a 'imap pop3 smtp graph' -d 'for a protocol'
complete -c thunderseal -n '__fish_seen_subcommand_from token' -l scope -x -d 'with a scope'
complete -c thunderseal -n '__fish_seen_subcommand_from token' -l min-ttl -x -d 'with so many seconds left'
complete -c thunderseal -n '__fish_seen_subcommand_from token' -l xoauth2 -d 'as SASL XOAUTH2'
complete -c thunderseal -n '__fish_seen_subcommand_from renew' -l all -d 'and what is not yet due'
complete -c thunderseal -n '__fish_seen_subcommand_from key' -l to -x -a 'secret-service passphrase file' -d 'the new store'
complete -c thunderseal -n '__fish_seen_subcommand_from backup' -l recipient -x -d 'for an X25519 key'
complete -c thunderseal -n '__fish_seen_subcommand_from backup' -l without-tokens -d 'the accounts alone'
complete -c thunderseal -n '__fish_seen_subcommand_from policy' -l remove -d 'take it out again'
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l for-everybody -d "into the administrator's file"
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l client-id -x -a thunderbird -d 'of the app'
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l tenant -x -d 'domain or GUID'
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l cloud -x -a 'worldwide usgov usgov-dod china' -d 'whose endpoints'
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l domain -x -d 'only its accounts'
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l keystore -x -a 'auto secret-service passphrase file' -d 'where the key is kept'
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l print -x -a 'manifest az powershell graph policy' -d 'print only'
complete -c thunderseal -n '__fish_seen_subcommand_from setup' -l explain -x -d "an error of Microsoft's"

complete -c thunderseal -l json -d 'print JSON instead of text'
complete -c thunderseal -l log -x -a 'stderr journal file' -d 'log what happens'
complete -c thunderseal -l log-level -x -a 'error warning info debug' -d 'how much'
complete -c thunderseal -l passphrase-fd -x -d 'read passphrases from a descriptor'
complete -c thunderseal -l help -d 'print the commands and options'
complete -c thunderseal -l version -d 'print the version'
