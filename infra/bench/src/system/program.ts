import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AppProcess, startApp } from '@sekali/local/app-process'
import { waitReady } from '@sekali/local/readiness'
import { ServerFailed } from '@sekali/servers/errors'
import { freePort } from '@sekali/servers/free-port'
import type { Bench } from './bench.ts'

/** A rival that serves HTTP, as a file of this room. */
export const rivals = {
  report: fileURLToPath(new URL('../rivals/report-system.ts', import.meta.url)),
  bareHttp: fileURLToPath(new URL('../rivals/bare-http.ts', import.meta.url)),
} as const

export interface Served extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Where it serves its metrics, once it has said so. */
  readonly metrics: () => string | undefined
}

const portTriesMax = 3

/** Starts a program that serves HTTP and waits until its /readyz says 200. Disposing stops it. */
export async function startServing(
  bench: Bench,
  name: string,
  program: string,
  env: Readonly<Record<string, string>>,
  nodeFlags: readonly string[] = [],
): Promise<Served> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOn(await freePort(), { bench, name, program, env, nodeFlags })
    } catch (error) {
      // Another process has taken it between the question and the listening.
      const isTaken = error instanceof ServerFailed && error.message.includes('is taken by another process')
      if (!isTaken || tries === portTriesMax) throw error
    }
  }
}

interface Serving {
  readonly bench: Bench
  readonly name: string
  readonly program: string
  readonly env: Readonly<Record<string, string>>
  readonly nodeFlags: readonly string[]
}

async function startOn(port: number, { bench, name, program, env, nodeFlags }: Serving): Promise<Served> {
  const { logDir, signal } = bench
  const app = await startApp({
    name,
    program,
    logDir,
    env: { ...bench.appEnv, ...env, PORT: String(port) },
    nodeFlags,
  })
  await using unlessReady = new AsyncDisposableStack()
  unlessReady.defer(app.stop)
  const url = `http://127.0.0.1:${port}`
  await waitReady(url, join(logDir, `${name}.log`), signal)
  unlessReady.move()
  return { url, pid: app.pid, metrics: app.metrics, [Symbol.asyncDispose]: app.stop }
}

/** Starts a program that serves nothing. */
export const startWorking = (
  { logDir, appEnv }: Bench,
  name: string,
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<AppProcess> => startApp({ name, program, logDir, env: { ...appEnv, ...env } })
