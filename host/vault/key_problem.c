/* SPDX-License-Identifier: MPL-2.0 */
#include "vault/key_problem.h"

#define UNLOCK_REMEDY "Unlock your keyring; everything then goes on by itself."

struct text {
    const char *cause;
    const char *remedy;
};

static const struct text keyring[KEY_OUTCOMES] TEXTS = {
    [KEY_DONE] = {"The keyring is being asked for the key to the saved sign-ins.",
                  "Wait a moment. If your keyring asks for its password, give it."},
    [KEY_ASKING] = {"The keyring is being asked for the key to the saved sign-ins.",
                    "Your keyring asks for its password: give it."},
    [KEY_ABSENT] = {"The keyring does not have the key to the saved sign-ins.",
                    "Open the keyring in which they were saved, or restore it from a backup; without it, "
                    "move the folder of the saved sign-ins away and sign in again."},
    [KEY_NO_SERVICE] = {"No keyring answers, and the key to the saved sign-ins is kept in one.",
                        "Start your keyring (GNOME Keyring, KWallet or KeePassXC) for this login; "
                        "everything then goes on by itself."},
    [KEY_LOCKED] = {"The keyring with the key to the saved sign-ins is locked.", UNLOCK_REMEDY},
    [KEY_DISMISSED] = {"The keyring with the key to the saved sign-ins was not unlocked.", UNLOCK_REMEDY},
    [KEY_WRONG_PASSPHRASE] = {"The keyring refused the request.", UNLOCK_REMEDY},
    [KEY_NO_MEMORY] = {"There was not enough memory to ask the keyring.", "Close other programs."},
    [KEY_FAILED] = {"The keyring could not give the key to the saved sign-ins.",
                    "Restart your keyring, or sign in to your desktop again; everything then goes on by "
                    "itself."},
    [KEY_DIED] =
        {"Asking the keyring ended without an answer.",
         "Restart your keyring, or sign in to your desktop again; everything then goes on by itself."},
    [KEY_TIMED_OUT] = {"The keyring did not answer in time.",
                       "Restart your keyring, or sign in to your desktop again; everything then goes on by "
                       "itself."},
};

void key_problem_keyring(struct problem *problem, enum key_outcome outcome, bool is_new)
{
    if (is_new && outcome == KEY_NO_SERVICE)
        problem_set(problem, PROBLEM_VAULT_LOCKED,
                    "No keyring answers, and the key to the sign-ins is to be kept in one.",
                    "Start your keyring (GNOME Keyring, KWallet or KeePassXC) for this login, or choose "
                    "another key store: with \"auto\" as keystore in the configuration, Thunderseal takes "
                    "what there is.");
    else
        problem_set(problem, PROBLEM_VAULT_LOCKED, keyring[outcome].cause, keyring[outcome].remedy);
}

void key_problem_other_key(struct problem *problem)
{
    problem_set(problem, PROBLEM_VAULT_LOCKED,
                "The keyring holds another key than the one that the saved sign-ins were sealed with.",
                "Restore the keyring from a backup; without one, move the folder of the saved sign-ins away "
                "and sign in again.");
}

void key_problem_passphrase(struct problem *problem, enum key_outcome outcome, bool is_new)
{
    static const char remedy[] TEXTS =
        "Unlock Thunderseal in Thunderbird with the passphrase. On the command "
        "line, run the command in a terminal or use --passphrase-fd.";

    switch (outcome) {
    case KEY_WRONG_PASSPHRASE:
        problem_set(problem, PROBLEM_VAULT_LOCKED, "The passphrase is wrong, or the key file was changed.",
                    "Try again; mind the keyboard layout and the Caps Lock key.");
        break;
    case KEY_NO_MEMORY:
        problem_set(problem, PROBLEM_VAULT_LOCKED,
                    "There is not enough memory to open the key: a passphrase takes 256 MiB for a moment.",
                    "Close other programs and give the passphrase again.");
        break;
    case KEY_TIMED_OUT:
    case KEY_DIED:
    case KEY_FAILED:
        problem_set(problem, PROBLEM_VAULT_LOCKED, "Opening the key with the passphrase did not finish.",
                    "Give the passphrase again.");
        break;
    case KEY_DONE:
    case KEY_ASKING:
    case KEY_ABSENT:
    case KEY_NO_SERVICE:
    case KEY_LOCKED:
    case KEY_DISMISSED:
    case KEY_OUTCOMES:
    default:
        problem_set(problem, PROBLEM_VAULT_LOCKED,
                    is_new ? "The key store is a passphrase, and none has been chosen yet."
                           : "The key to the saved sign-ins is under a passphrase.",
                    remedy);
        break;
    }
}
