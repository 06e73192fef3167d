import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from '@sekali/servers/free-port'
import { violationMark } from '../contract/mark.ts'
import { eventually } from '../eventually.ts'

const apps = fileURLToPath(new URL('../../../../apps', import.meta.url))

/** A process of ours, started as in production: plain `node` on its main file. */
export interface App extends AsyncDisposable {
  readonly child: ChildProcess
  readonly pid: number
  /** What it has logged so far. */
  readonly output: () => string
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>
  signal(name: NodeJS.Signals): void
}

/** Starts `apps/<file>`, for instance `consumer/src/main.ts`. At the end of the scope it is killed if it still runs. */
export function startApp(file: string, env: Record<string, string>, args: readonly string[] = []): App {
  const child = spawn(process.execPath, [`${apps}/${file}`, ...args], {
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal)
  return {
    child,
    pid: child.pid ?? -1,
    output: () => output,
    exited,
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
      const violations = output.split('\n').filter((line) => line.startsWith(violationMark))
      if (violations.length > 0) throw new Error(violations.join('\n'))
    },
  }
}

/** Where a consumer or projector answers about its health, once it has said so. */
export const healthOf = (app: App): Promise<string> =>
  eventually(() => {
    const [, url] = /"health":"([^"]+)"/.exec(app.output()) ?? []
    if (url === undefined) throw new Error(`no address of its health: ${app.output()}`)
    return url
  })

export interface Gateway extends App {
  readonly url: string
}

/** Has a process hold its answers against the description of the API. */
const watching = new URL('../contract/preload.ts', import.meta.url).href

/** A busy machine needs some seconds for each process that starts. */
const servesMs = 40_000

/** Starts a gateway, on a free port unless `env` has one, and waits until it serves. One that does not is ended. */
export async function startGateway(env: Record<string, string>): Promise<Gateway> {
  await using stack = new AsyncDisposableStack()
  const port = env.PORT ?? String(await freePort())
  const app = stack.use(
    startApp('gateway/src/main.ts', { NODE_OPTIONS: `--import=${watching}`, ...env, PORT: port }),
  )
  const url = `http://127.0.0.1:${port}`
  await eventually(async () => {
    const { status } = await fetch(`${url}/healthz`)
    if (status !== 200) throw new Error(`the gateway answers ${status}: ${app.output()}`)
  }, servesMs)
  stack.move()
  return { ...app, url }
}
