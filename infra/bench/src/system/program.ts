import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AppProcess, startApp } from '@sekali/local/app-process'
import { waitReady } from '@sekali/local/readiness'
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

/** Starts a program that serves HTTP and waits until its /readyz says 200. Disposing stops it. */
export async function startServing(
  bench: Bench,
  name: string,
  program: string,
  env: Readonly<Record<string, string>>,
  nodeFlags: readonly string[] = [],
): Promise<Served> {
  const port = await freePort()
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
