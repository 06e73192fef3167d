import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What is tested: the command of the clone, or the file and the Node that the test of the package names. */
const sekaliFile =
  process.env.SEKALI_TESTED_FILE ?? fileURLToPath(new URL('../bin/sekali.mjs', import.meta.url))
const node = process.env.SEKALI_TESTED_NODE ?? process.execPath

interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals
  readonly out: string
  readonly err: string
}

export interface Command extends AsyncDisposable {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  readonly ended: Promise<Ended>
}

/** Starts the real command, as a shell would. At the end of the scope it is killed if it still runs. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Command {
  return watch(spawn(node, [sekaliFile, ...args], { env: environment(env) }))
}

/** Runs it in a pipe: `line` is for bash, in which `sekali` is the command. */
export function startShell(line: string, env: Readonly<Record<string, string>> = {}): Command {
  const named = `sekali() { "${node}" "${sekaliFile}" "$@"; }; ${line}`
  return watch(spawn('bash', ['--norc', '-o', 'pipefail', '-c', named], { env: environment(env) }))
}

/** Starts it at a terminal, which `script` is: what it shows on either output comes out as one. */
export function startAtTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Command {
  const line = [node, sekaliFile, ...args].map((word) => `'${word}'`).join(' ')
  return watch(spawn('script', ['-qec', line, '/dev/null'], { env: environment(env) }))
}

/** Runs it to its end. */
export async function run(
  args: readonly string[],
  url: string,
  input: string | Uint8Array = '',
): Promise<Ended> {
  await using command = start(args, { SEKALI_URL: url })
  command.child.stdin?.end(input)
  return await command.ended
}

const environment = (env: Readonly<Record<string, string>>) => ({ PATH: process.env.PATH ?? '', ...env })

function watch(child: ChildProcess): Command {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  child.stdin?.on('error', () => undefined) // it may end before it has read everything
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, out, err }))
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}
