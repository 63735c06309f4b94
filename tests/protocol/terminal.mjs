// SPDX-License-Identifier: MPL-2.0
/** A person at a terminal. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** Answers each prompt (what ends in ": "), and tells what stood on the screen and whether the terminal echoes again. */
const TERMINAL = `
import json, os, pty, sys, termios
answers = json.loads(sys.argv[1]); command = sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
screen = b''; echoes = []
def echo(): return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
while True:
    try: part = os.read(terminal, 4096)
    except OSError: break
    if not part: break
    screen += part
    if screen.endswith(b': ') and answers:
        echoes.append(echo()); os.write(terminal, answers.pop(0).encode())
_, status = os.waitpid(pid, 0)
print(json.dumps({'screen': screen.decode(), 'echoes': echoes, 'code': os.waitstatus_to_exitcode(status)}))
`;

/** @param {string} program @param {string} home @param {string[]} answers @param {string[]} args @param {Record<string, string>} [env] @returns {{ screen: string, echoes: boolean[], code: number }} */
export function atTerminal(program, home, answers, args, env = {}) {
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', TERMINAL, JSON.stringify(answers), program, ...args], { env: { HOME: home, PATH: '/usr/bin:/bin', ...env }, encoding: 'utf8', timeout: 60_000 });
  assert.ok(stdout, stderr);
  return JSON.parse(stdout);
}
