import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { freePort } from '@sekali/servers/free-port'
import { eventually } from '@sekali/testkit/eventually'
import type { RunFile } from '../src/system/run-file.ts'

const bootstrap = fileURLToPath(new URL('../bootstrap.mjs', import.meta.url))
const startMs = 50_000

/** `npm start`, as npm runs it. */
export interface Service extends AsyncDisposable {
  readonly child: ChildProcess
  readonly url: string
  readonly exited: Promise<number | NodeJS.Signals | null>
  said(): string
  /** What `run.json` says; throws when it is not there. */
  running(): Promise<RunFile>
  /** Waits until it is ready. */
  ready(): Promise<RunFile>
}

export async function startService(
  data: string,
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Service> {
  const port = await freePort()
  return runBootstrap(['start', '--port', String(port), '--data', data, ...args], { data, port, env })
}

export function runBootstrap(
  args: string[],
  { data = '', port = 0, env = {} }: { data?: string; port?: number; env?: NodeJS.ProcessEnv } = {},
): Service {
  const child = spawn(process.execPath, [bootstrap, ...args], {
    env: { ...process.env, LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const exited = once(child, 'close').then(([code, signal]) => code ?? signal)
  const running = async () => JSON.parse(await readFile(join(data, 'run.json'), 'utf8')) as RunFile
  const url = `http://127.0.0.1:${port}`
  return {
    child,
    url,
    exited,
    said: () => said,
    running,
    ready: () =>
      Promise.race([
        eventually(async () => {
          const now = await running()
          if (now.gateway.url !== url) throw new Error('of another one, from before')
          return now
        }, startMs),
        exited.then((code) => Promise.reject(new Error(`ended with ${code}: ${said}`))),
      ]),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await exited
    },
  }
}
